// headrace_serial_send: whole packets of errors, answers and results leave, byte by byte, none twice and none mixed, for
// ever: by induction.
//
// Assumed: a source says what its packet is and stays with it until it is done, and offers no byte in the cycle in which
// one is taken and in the next one. The CRC is a stub here that depends on all bytes and on their order; what calculates
// the real one is proved by itself.
module headrace_serial_crc (
  input  logic        ap_clk, clear, take,
  input  logic [7:0]  data,
  output logic [31:0] crc
);
  logic [7:0] sum_q;
  always_ff @(posedge ap_clk) begin
    if (clear) sum_q <= '1;
    else if (take) sum_q <= {sum_q[6:0], sum_q[7]} ^ data;
  end
  assign crc = {~sum_q, sum_q ^ 8'h0F, sum_q ^ 8'h33, sum_q};
endmodule

module proof (
  input logic        clk,
  input logic        loses, answers, results, there, takes, some_last,
  input logic [7:0]  some_code, some_command, some_tag, some_data,
  input logic [1:0]  some_length
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  // Two sources of the same kind; a packet of results has at least one byte.
  logic        answer = 0, result = 0, result_last, answer_take, answer_done, result_take, result_done, taken = 0;
  logic [7:0]  command, tag, code, number, data, byte_q;
  logic [15:0] answer_length, result_length;
  logic        valid, lost, sends;
  assign lost = rst_n && loses;
  headrace_serial_send dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .lost, .lost_code(some_code),
    .answer, .answer_command(command), .answer_tag(tag), .answer_code(code), .answer_length, .answer_data(data),
    .answer_valid(valid), .answer_take, .answer_done,
    .result, .result_number(number), .result_last, .result_length, .result_data(data), .result_valid(valid),
    .result_take, .result_done,
    .m_axis_TDATA(byte_q), .m_axis_TVALID(sends), .m_axis_TREADY(takes)
  );
  logic kept = 0;
  logic [7:0] was_data;
  assign valid = rst_n && !taken && !answer_take && !result_take && (kept || there);
  always_comb if (kept) assume (some_data == was_data);
  assign data = some_data;
  always_ff @(posedge clk) begin
    taken <= answer_take || result_take;
    kept  <= rst_n && (kept || valid) && !answer_take && !result_take;
    was_data <= some_data;
    if (!rst_n) {answer, result} <= '0;
    else begin
      if (!answer) begin
        answer <= answers;
        command <= some_command; tag <= some_tag; code <= some_code; answer_length <= 16'(some_length);
      end else if (answer_done) answer <= 0;
      if (!result) begin
        result <= results;
        number <= some_tag; result_last <= some_last; result_length <= 16'(some_length) + 1;
      end else if (result_done) result <= 0;
    end
  end

  // The packet that leaves, from its marker on: kind, bytes until now, their sum as of the stub.
  logic        moves;
  logic [1:0]  kind;  // 1: an error, 2: an answer, 3: results
  logic [4:0]  place = 0;
  logic [1:0]  kind_q;
  logic [15:0] length, length_q;
  logic [7:0]  sum;
  logic [31:0] crc;
  logic [7:0]  head;
  logic        error = 0, ends;
  logic [7:0]  error_code, payload_q[4];
  logic [2:0]  given = 0;  // bytes of the payload that the sources gave
  assign moves = rst_n && sends && takes;
  // What it is, is known as its marker leaves; the source is another one earlier its last byte has left.
  assign crc = {~sum, sum ^ 8'h0F, sum ^ 8'h33, sum};
  assign kind = place != 0 ? kind_q : dut.is_error_q ? 1 : dut.is_answer_q ? 2 : 3;
  assign length = place != 0 ? length_q : kind == 1 ? 0 : kind == 2 ? answer_length : result_length;
  assign ends = moves && place == 5'(length) + 9;
  always_comb begin
    case (place)
      0: head = 8'hA5;
      1: head = kind == 1 ? 8'hC1 : kind == 2 ? command : 8'hC0;
      2: head = kind == 1 ? 0 : kind == 2 ? tag : number;
      3: head = kind == 1 ? error_code : kind == 2 ? code : 8'(result_last);
      4: head = length[7:0];
      default: head = length[15:8];
    endcase
  end
  logic [4:0] tail;
  assign tail = place - 5'(length) - 6;
  logic held = 0;
  logic [7:0] was;
  logic [2:0] late = 0;
  logic       waits;
  // What waits for a byte of a source is not late.
  assign waits = place >= 6 && place < 5'(length) + 6 && given == 3'(place - 6);
  always_ff @(posedge clk) begin
    held <= rst_n && sends && !takes;
    was  <= byte_q;
    kind_q   <= kind;
    length_q <= length;
    if (!rst_n) begin
      place <= 0;
      given <= 0;
      error <= 0;
    end else begin
      if (moves) place <= ends ? 0 : place + 1;
      if (moves && place == 0) sum <= '1;
      else if (moves && place < 5'(length) + 6) sum <= {sum[6:0], sum[7]} ^ byte_q;
      given <= ends ? 0 : given + 3'(answer_take || result_take);
      if (answer_take || result_take) payload_q[given[1:0]] <= data;
      // The code of the first packet that was lost, until that is told.
      error <= lost || (error && !(dut.ends && kind == 1));
      if (!error) error_code <= some_code;
    end
    late <= rst_n && takes && !moves && !waits && (place != 0 || answer || result || error) ? late + 1 : 0;
  end

  logic [1:0] packets = 0;
  always_ff @(posedge clk) if (ends) packets <= packets + 1;
  // The bytes that were given of the packet, and what the sender knows of them.
  logic [4:0] out;
  logic       earlier;   // the last byte of the packet earlier waits
  logic       counted;  // the byte that waits belongs to the CRC
  assign earlier = sends && place == 5'(length) + 9;
  assign out     = place + 5'(sends);
  assign counted = sends && place >= 1 && place < 5'(length) + 6;
  always_ff @(posedge clk) if (past) begin
    a_lengths: assert ((!answer || answer_length < 4) && (!result || (result_length != 0 && result_length < 5)));
    a_place: assert (place <= 5'(length) + 9 && length < 5);
    a_error: assert (error == dut.error_q && (!error || error_code == dut.error_code_q));
    if (dut.chosen_q) begin
      a_source: assert (dut.is_error_q ? error && !dut.is_answer_q : dut.is_answer_q ? answer : result);
    end
    if (dut.chosen_q && earlier) begin
      a_waits: assert (sends && dut.state_q == 0 && dut.place_q == 0 && dut.u_crc.sum_q == 8'hFF && given == 3'(length)
                       && !dut.given_q);
    end else if (dut.chosen_q) begin
      a_kind: assert (kind == (dut.is_error_q ? 1 : dut.is_answer_q ? 2 : 3) && length == dut.length);
      if (dut.state_q == 0) a_in_head: assert (out == 5'(dut.place_q) && dut.place_q < 6);
      if (dut.state_q == 1) a_in_body: assert (out == 6 + 5'(length) - 5'(dut.left_q) && dut.left_q != 0
                                               && dut.left_q <= length && dut.place_q == 0);
      if (dut.state_q == 2) a_in_check: assert (out == 6 + 5'(length) + 5'(dut.place_q) && dut.place_q < 4);
      a_state: assert (dut.state_q != 3);
      a_given: assert (given + 3'(dut.body_q) == (out < 6 ? 0 : out > 5'(length) + 6 ? 3'(length) : 3'(out - 6)));
      a_sum: assert (dut.u_crc.sum_q == (place == 0 ? 8'hFF : dut.counts_q || !counted ? sum
                                         : {sum[6:0], sum[7]} ^ byte_q));
    end else begin
      a_last: assert (sends ? place == 5'(length) + 9 : place == 0 && !dut.end_q);
      a_all: assert (given == (place == 0 ? 0 : 3'(length)));
    end
    a_fresh: assert (!dut.given_q || sends);
    a_counts: assert (!dut.counts_q || (dut.given_q && counted));
    a_body: assert (!dut.body_q || (dut.given_q && dut.chosen_q && place >= 6 && given == 3'(place - 6)));
    a_end: assert (!dut.end_q || (!dut.chosen_q && sends && dut.given_q));
  end

  always_ff @(posedge clk) if (past) begin
    if (held) a_stable: assert (sends && byte_q == was);
    if (sends && place < 6) a_head: assert (byte_q == head);
    if (sends && place >= 6 && place < 5'(length) + 6) begin
      a_payload: assert (byte_q == (3'(place - 6) < given ? payload_q[2'(place - 6)] : data));
    end
    if (sends && place >= 5'(length) + 6) a_crc: assert (byte_q == crc[8*tail[1:0] +: 8]);
    if (answer_take) a_answer: assert (kind == 2 && answer && given < 3'(length));
    if (result_take) a_result: assert (kind == 3 && result && given < 3'(length));
    a_one: assert (!(answer_take && result_take));
    if (answer_done || result_done) a_done: assert (kind == (answer_done ? 2 : 3) && given == 3'(length));
    a_leaves: assert (late <= 5);
    c_end: cover (packets == 1 && kind_q == 2);
  end

endmodule
