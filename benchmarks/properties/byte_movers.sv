// The byte movers of the shell: bytes leave as they came, in their transfers, padded by nothing, within some cycles.
//
// A free byte of all that come is followed. A source keeps the rules: words are whole but for the last of a transfer,
// which has the low ones of its bytes and at least one.
module follower #(
  parameter int IN  = 3,  // bytes of a word in
  parameter int OUT = 2,  // bytes of a word out
  parameter int LATE = 8  // cycles without a word that are too many
) (
  input logic             clk, rst_n, past,
  input logic [8*IN-1:0]  data,
  input logic [IN-1:0]    keep,
  input logic             last, valid, ready, takes,
  input logic [8*OUT-1:0] m_data,
  input logic [OUT-1:0]   m_keep,
  input logic             m_last, m_valid
);

  function automatic logic [5:0] ones(input logic [31:0] bits);
    ones = 0;
    for (int i = 0; i < 32; i++) ones += bits[i];
  endfunction

  logic in, out;
  assign in  = rst_n && valid && ready;
  assign out = rst_n && m_valid && takes;
  logic [7:0] k, in_n = 0, out_n = 0, ended_n = 0;  // the followed byte, bytes that came and left, those before an end
  logic [7:0] tag, here, there;
  logic       have = 0, its_end;
  logic [7:0] in_at, out_at;
  always_ff @(posedge clk) k <= k;
  assign in_at  = k - in_n;
  assign out_at = k - out_n;
  assign here   = data[8*in_at[4:0] +: 8];
  assign there  = m_data[8*out_at[4:0] +: 8];
  always_comb assume (k < 64);

  // The source.
  logic kept = 0, was_last;
  logic [8*IN-1:0] was_data;
  logic [IN-1:0] was_keep;
  always_comb if (!rst_n) assume (!valid);
  always_comb if (kept) assume (valid && data == was_data && keep == was_keep && last == was_last);
  always_comb if (valid) assume (keep[0] && (keep & (keep + 1'b1)) == 0 && (last || (&keep)));
  always_ff @(posedge clk) begin
    kept <= rst_n && valid && !ready;
    was_data <= data; was_keep <= keep; was_last <= last;
    if (in) in_n <= in_n + ones(32'(keep));
    if (in && last) ended_n <= in_n + ones(32'(keep));
    if (in && k >= in_n && in_at < ones(32'(keep))) begin
      have    <= 1;
      tag     <= here;
      its_end <= last && in_at + 1 == ones(32'(keep));
    end
  end

  // The sink.
  logic held = 0, m_was_last;
  logic [8*OUT-1:0] m_was;
  logic [OUT-1:0] m_was_keep;
  logic [5:0] late = 0, refused = 0;
  always_ff @(posedge clk) begin
    held <= rst_n && m_valid && !takes;
    m_was <= m_data; m_was_keep <= m_keep; m_was_last <= m_last;
    if (out) out_n <= out_n + ones(32'(m_keep));
    // Bytes of a whole transfer, or a whole word of them, leave in time; a source that offers is not refused for long.
    late    <= rst_n && takes && !out && (out_n < ended_n || in_n - out_n >= OUT) ? late + 1 : 0;
    refused <= rst_n && takes && valid && !in ? refused + 1 : 0;
  end

  always_ff @(posedge clk) if (past) begin
    if (held) a_stable: assert (m_valid && m_data == m_was && m_keep == m_was_keep && m_last == m_was_last);
    if (m_valid) a_keep: assert (m_keep[0] && (m_keep & (m_keep + 1'b1)) == 0 && (m_last || (&m_keep)));
    if (m_valid && k >= out_n && out_at < ones(32'(m_keep)))
      a_byte: assert (have && there == tag && its_end == (m_last && out_at + 1 == ones(32'(m_keep))));
    a_no_more: assert (out_n <= in_n);
    a_leaves: assert (late <= LATE);
    a_taken: assert (refused <= LATE);
    c_end: cover (out_n >= 5 && out_n == ended_n && in_n == out_n);
  end

endmodule

module proof (
  input logic             clk,
  input logic [8*`IN-1:0] data,
  input logic [`IN-1:0]   keep,
  input logic             last, valid, takes
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic ready, m_valid, m_last;
  logic [8*`OUT-1:0] m_data;
  logic [`OUT-1:0] m_keep;
  `MODULE #(.IN_BYTES(`IN), .OUT_BYTES(`OUT)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .s_axis_TDATA(data), .s_axis_TKEEP(keep), .s_axis_TLAST(last),
    .s_axis_TVALID(valid), .s_axis_TREADY(ready),
    .m_axis_TDATA(m_data), .m_axis_TKEEP(m_keep), .m_axis_TLAST(m_last), .m_axis_TVALID(m_valid), .m_axis_TREADY(takes)
  );
  follower #(.IN(`IN), .OUT(`OUT), .LATE(6)) follows (
    .clk, .rst_n, .past, .data, .keep, .last, .valid, .ready, .takes,
    .m_data, .m_keep, .m_last, .m_valid
  );

endmodule
