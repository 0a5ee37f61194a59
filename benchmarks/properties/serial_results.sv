// headrace_serial_results: bytes of results leave as they came, in packets that end where a transfer ends.
//
// Assumed: of a packet as many bytes are taken as it has, and then it is done. A byte that comes while `clear` is set is
// dropped.
module proof (
  input logic       clk,
  input logic [7:0] came,
  input logic       offered, ends, clears, sends, closes
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic busy, ready, valid, last, take, done;
  logic [7:0] number, data;
  logic [15:0] length;
  logic [8:0] sent = 0;
  headrace_serial_results dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .clear(clears), .busy, .s_axis_TDATA(came), .s_axis_TLAST(ends),
    .s_axis_TVALID(offered), .s_axis_TREADY(ready), .number, .last, .length, .data, .valid, .take, .done
  );
  assign take = rst_n && busy && valid && sends && 16'(sent) < length;
  assign done = rst_n && busy && closes && 16'(sent) == length;

  // The bytes since the last packet that was sent or since they were dropped, one of them followed.
  logic [8:0] k, have = 0;
  logic [7:0] tag, its_number = 0;
  logic       moves, closed = 0, its_last;
  logic [2:0] late = 0;
  always_ff @(posedge clk) k <= k;
  always_comb assume (k < 8);
  assign moves = rst_n && offered && ready && !clears;
  always_ff @(posedge clk) if (!rst_n) begin
    have       <= 0;
    sent       <= 0;
    closed     <= 0;
    its_number <= 0;
    late       <= 0;
  end else begin
    if (done || (clears && !closed)) have <= 0;
    else if (moves) have <= have + 1;
    if (moves && have == k) tag <= came;
    if (moves) its_last <= ends;
    closed <= closed ? !done : moves && ends;
    sent   <= done ? 0 : sent + 9'(take);
    its_number <= clears ? 0 : its_number + 8'(done);
    late <= busy && sends && !take && 16'(sent) < length ? late + 1 : 0;
  end

  logic [1:0] packets = 0;
  always_ff @(posedge clk) if (rst_n && done) packets <= packets + 1;
  always_ff @(posedge clk) if (past) begin
    a_busy: assert (busy == closed && ready == !closed);
    if (busy) a_length: assert (length == 16'(have) && last == its_last);
    a_number: assert (number == its_number);
    if (take && sent == k) a_byte: assert (data == tag);
    a_leaves: assert (late <= 2);
    c_end: cover (packets == 2);
  end

endmodule
