// headrace_weight_stream: every word of weights is used once, in order, and is there two enabled cycles after it was
// taken, or three; for ever, by induction, with a queue of the words inside as the reference.
module proof (
  input logic       clk,
  input logic [7:0] word,
  input logic       offered, en, wanted
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic ready, valid, push, pop;
  logic [2:0] data;
  headrace_weight_stream #(.BITS(3), .LATE(`LATE)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .w_axis_TDATA(word), .w_axis_TVALID(offered), .w_axis_TREADY(ready),
    .en, .wanted, .valid, .data
  );
  assign push = rst_n && offered && ready;
  assign pop  = rst_n && valid && en && wanted;

  logic [1:0] level;  // words inside
  logic [2:0] there;  // which of the enabled cycles have passed for a word
  logic [2:0] first, second, late, later, latest;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      level <= 0;
      there <= 0;
    end else begin
      level <= level + push - pop;
      if (pop) first <= second;
      if (push && level - pop == 0) first <= word[2:0];
      if (push && level - pop == 1) second <= word[2:0];
      if (en) begin
        there  <= {there[1:0], pop};
        late   <= first;
        later  <= late;
        latest <= later;
      end
    end
  end
  always_ff @(posedge clk) if (past) begin
    a_valid: assert (valid == (level != 0) && ready == (level != 2) && level != 3);
    a_first: assert (level == 0 || dut.u_in.data_q == first);
    a_second: assert (dut.u_in.spare_full_q == (level == 2) && (level != 2 || dut.u_in.spare_q == second));
    a_late: assert (!there[0] || dut.fresh_q == late);
    a_later: assert (!there[1] || dut.data_q == later);
    a_data: assert (!there[1+`LATE] || data == (`LATE ? latest : later));
    c_end: cover (&there && level == 2);
  end

endmodule
