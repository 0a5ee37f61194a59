// What headrace_serial_commands keeps to, whatever bytes come, whenever its neighbours take or answer.
//
// Assumed: bytes come as headrace_serial_receive gives them, answers are taken as headrace_serial_send takes them, and a
// register answers after it was asked.
module proof (
  input logic       clk,
  input logic [7:0] data,
  input logic       offered, takes, sends, ends, answers, busy
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic        valid, take, answer, answer_valid, answer_take, answer_done, feed_valid, feed_last, read, write, done, clear;
  logic [7:0]  command, tag, code, answer_data, feed_data;
  logic [15:0] length, address;
  logic [31:0] value;
  headrace_serial_commands #(.BUFFER(64), .PATIENCE(6)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .data, .valid, .take,
    .answer, .answer_command(command), .answer_tag(tag), .answer_code(code), .answer_length(length), .answer_data,
    .answer_valid, .answer_take, .answer_done, .clear, .results_busy(busy),
    .m_axis_TDATA(feed_data), .m_axis_TLAST(feed_last), .m_axis_TVALID(feed_valid), .m_axis_TREADY(takes),
    .read, .write, .address, .value, .done, .read_value({4{data}})
  );

  // Bytes: one that waits stays, and none is there in the cycle after another one was taken.
  logic moves, moved = 0, kept = 0;
  logic [7:0] was;
  assign moves = rst_n && valid && take;
  always_comb valid = rst_n && !moved && (kept || offered);
  always_comb if (kept) assume (data == was);
  always_ff @(posedge clk) begin
    moved <= moves;
    kept  <= valid && !moves;
    was   <= data;
  end

  // An answer: its payload is taken byte by byte, then it ends.
  logic [15:0] sent = 0;
  logic        sent_now = 0;
  assign answer_take = answer && answer_valid && sends && !sent_now && sent < length;
  assign answer_done = rst_n && answer && sent == length && !sent_now && ends;
  assign done        = (read || write) && answers;
  always_ff @(posedge clk) begin
    sent_now <= answer_take;
    sent     <= !answer || answer_done ? 0 : sent + answer_take;
  end

  // The packets as the bytes say it: five of the header, then the payload.
  logic [2:0]  place = 0;
  logic [15:0] left = 0, fed = 0, total = 0;
  logic [7:0]  its_command = 0, its_tag = 0;
  logic        its_last = 0;
  always_ff @(posedge clk) begin
    if (moves && place < 5) begin
      place <= place + 1;
      if (place == 0) its_command <= data;
      if (place == 1) its_tag <= data;
      if (place == 2) its_last <= data[0];
      left  <= {data, left[15:8]};
      total <= {data, left[15:8]};
    end else if (moves) begin
      left <= left - 1;
    end
    if (moves && place == 5 && feed_valid && takes) fed <= fed + 1;
    if (answer_done) begin
      place <= 0;
      fed   <= 0;
    end
  end
  logic answered;
  assign answered = answer && place == 5;
  always_comb if (place == 5) assume (total < 6);

  always_ff @(posedge clk) if (past) begin
    // An answer belongs to a whole packet: its command, its tag, and but for ECHO all of its payload was taken.
    if (answer) a_whole: assert (place == 5 && command == {1'b1, its_command[6:0]} && tag == its_tag);
    if (answer && its_command != 8'h06) a_taken: assert (left == 0);
    if (answer_done) a_all: assert (left == 0);
    // No byte of another packet, nor one beyond the payload, is taken.
    if (moves && place == 5) a_payload: assert (left != 0);
    // Frames get payload of RUN only, in order, and the end of a transfer with its last byte where it says so.
    if (feed_valid) a_run: assert (place == 5 && its_command == 8'h04 && valid && feed_data == data);
    if (feed_valid) a_last: assert (feed_last == (its_last && left == 1));
    if (answer && its_command == 8'h04 && code == 0) a_fed: assert (fed == total && total != 0);
    // Registers are written by WRITE and RESET only.
    if (write) a_write: assert (place == 5 && (its_command == 8'h03 || its_command == 8'h05));
    if (read) a_read: assert (answer && (its_command == 8'h01 || its_command == 8'h02));
    if (clear) a_clear: assert (its_command == 8'h05);
    a_one: assert (!(read && write));
  end

  // A packet can be answered.
  logic [1:0] answered_n = 0;
  always_ff @(posedge clk) begin
    if (answer_done) answered_n <= answered_n + 1;
    if (past) c_end: cover (answered_n == 1);
  end

endmodule
