// headrace_shell_weights: bytes of whole words pass in order, what is left of a transfer is dropped, and `cut` tells it.
//
// Words of four bytes in, of two out. A free byte of those that are to leave is followed. Assumed: words are whole but
// for the last of a transfer, which has the low ones of its bytes and at least one.
module proof (
  input logic        clk,
  input logic [31:0] data,
  input logic [3:0]  keep,
  input logic        last, valid, takes
);

  localparam int WORDS = 3;  // of a matrix

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic ready, m_valid, cut, in, out;
  logic [15:0] m_data;
  headrace_shell_weights #(.IN_BYTES(4), .OUT_BYTES(2), .WORDS(WORDS)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .s_axis_TDATA(data), .s_axis_TKEEP(keep), .s_axis_TLAST(last),
    .s_axis_TVALID(valid), .s_axis_TREADY(ready), .m_axis_TDATA(m_data), .m_axis_TVALID(m_valid),
    .m_axis_TREADY(takes), .cut
  );
  assign in  = rst_n && valid && ready;
  assign out = rst_n && m_valid && takes;

  logic kept = 0, was_last;
  logic [31:0] was_data;
  logic [3:0]  was_keep;
  always_comb if (!rst_n) assume (!valid);
  always_comb if (kept) assume (valid && data == was_data && keep == was_keep && last == was_last);
  always_comb if (valid) assume (keep[0] && (keep & (keep + 1'b1)) == 0 && (last || (&keep)));

  // Words that are to leave, one of them followed, and transfers that ended before the last word of a matrix.
  logic [4:0]  k, in_n = 0, out_n = 0, cuts = 0, told = 0;
  logic [1:0]  place = 0, place_then;  // of the next word in the matrix
  logic [15:0] tag;
  logic        held = 0;
  logic [15:0] was;
  logic [2:0]  late = 0, refused = 0;
  logic [1:0]  words;
  assign words = 2'(keep[1]) + 2'(keep[3]);
  assign place_then = 2'((3'(place) + 3'(words)) % WORDS);
  always_ff @(posedge clk) k <= k;
  always_comb assume (k < 16);
  always_ff @(posedge clk) begin
    kept <= rst_n && valid && !ready;
    was_data <= data; was_keep <= keep; was_last <= last;
    held <= rst_n && m_valid && !takes;
    was  <= m_data;
    if (in) begin
      in_n  <= in_n + 5'(words);
      place <= place_then;
      if (k - in_n < 5'(words)) tag <= k == in_n ? data[15:0] : data[31:16];
      if (last && (keep[3] || (keep[1] && !keep[2]) ? place_then != 0 : 1'b1)) cuts <= cuts + 1;
    end
    if (out) out_n <= out_n + 1;
    if (rst_n && cut) told <= told + 1;
    late    <= rst_n && takes && !out && out_n != in_n ? late + 1 : 0;
    refused <= rst_n && takes && valid && !in ? refused + 1 : 0;
  end

  always_ff @(posedge clk) if (past) begin
    if (held) a_stable: assert (m_valid && m_data == was);
    if (m_valid) a_came: assert (out_n != in_n);
    if (m_valid && out_n == k) a_word: assert (m_data == tag);
    a_told: assert (5'(cuts - told) <= 2);
    if (out_n == in_n && !m_valid && takes && late == 0 && refused == 0 && !dut.valid) a_cuts: assert (told == cuts);
    a_leaves: assert (late <= 3);
    a_taken: assert (refused <= 3);
    c_end: cover (in_n == 5 && out_n == 5 && cuts == 2 && told == 2);
  end

endmodule
