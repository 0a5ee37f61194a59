// Data width converter: the elements of IN_LANES-lane words, in order, as words of OUT_LANES lanes.
//
// A buffer keeps the elements that are left over. A word is taken only while fewer than OUT_LANES are left, at once
// behind them; a word is put whenever OUT_LANES are there. So the side with more words runs at one word per cycle, and a
// frame needs max(words in, words out) cycles. Everything counts in units of gcd(IN_LANES, OUT_LANES) lanes.
module dwc #(
  parameter int IN_LANES  = 3,  // elements per word in
  parameter int OUT_LANES = 2,  // elements per word out
  parameter int E_BITS    = 4,  // width of an element
  parameter int WORDS     = 2   // words in per frame
) (
  input  logic                                ap_clk,         // clock
  input  logic                                ap_rst_n,       // synchronous reset, active low
  input  logic [(IN_LANES*E_BITS+7)/8*8-1:0]  s_axis_TDATA,   // IN_LANES elements
  input  logic                                s_axis_TVALID,  // word in is there
  output logic                                s_axis_TREADY,  // word in is taken
  output logic [(OUT_LANES*E_BITS+7)/8*8-1:0] m_axis_TDATA,   // OUT_LANES elements
  output logic                                m_axis_TVALID,  // word out is there
  input  logic                                m_axis_TREADY   // word out is taken
);

  function automatic int unsigned gcd(input int unsigned a, input int unsigned b);
    int unsigned x, y, rest;
    x = a;
    y = b;
    while (y != 0) begin
      rest = x % y;
      x    = y;
      y    = rest;
    end
    return x;
  endfunction

  localparam int unsigned UNIT_LANES = gcd(IN_LANES, OUT_LANES);
  localparam int unsigned UNIT       = UNIT_LANES * E_BITS;    // bits of a unit
  localparam int unsigned IN         = IN_LANES / UNIT_LANES;  // units per word in
  localparam int unsigned OUT        = OUT_LANES / UNIT_LANES; // units per word out
  localparam int unsigned LEFT       = IN > OUT ? IN - 1 : OUT - 1;  // most units that can be left over
  localparam int unsigned ALL        = IN + OUT - 1;           // left-over units below OUT and a word
  localparam int unsigned LEVEL_BITS = $clog2(ALL + 1);
  localparam int unsigned LEFT_BITS  = (LEFT > 0 ? LEFT : 1) * UNIT;

  logic [IN*UNIT-1:0]    word;
  logic                  word_valid, word_ready;
  logic [OUT*UNIT-1:0]   result;
  logic                  result_valid, result_ready;
  logic                  unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  skid #(.BITS(IN * UNIT)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[IN*UNIT-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
  );

  logic [LEVEL_BITS-1:0] level_q, level_all;  // units left over, and those with the word in
  logic [LEFT_BITS-1:0]  left_q;
  logic [ALL*UNIT-1:0]   units;               // left over, then the word in
  logic                  wants, puts, moves;

  assign wants        = level_q < LEVEL_BITS'(OUT);
  assign level_all    = wants ? level_q + LEVEL_BITS'(IN) : level_q;
  assign puts         = level_all >= LEVEL_BITS'(OUT);
  assign result_valid = puts && (word_valid || !wants);
  assign moves        = (word_valid || !wants) && (result_ready || !puts);
  assign word_ready   = wants && (result_ready || !puts);

  always_comb begin
    units = (ALL*UNIT)'(left_q);
    for (int unsigned u = 0; u < OUT; u++) begin
      if (level_q == LEVEL_BITS'(u)) units[u*UNIT+:IN*UNIT] = word;
    end
  end
  assign result = units[OUT*UNIT-1:0];

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) level_q <= '0;
    else if (moves) level_q <= puts ? level_all - LEVEL_BITS'(OUT) : level_all;
  end
  always_ff @(posedge ap_clk) begin
    if (moves) left_q <= puts ? LEFT_BITS'(units >> OUT * UNIT) : LEFT_BITS'(units);
  end

  skid #(.BITS(OUT * UNIT)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(result), .s_axis_TVALID(result_valid), .s_axis_TREADY(result_ready),
    .m_axis_TDATA(m_axis_TDATA[OUT*UNIT-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (OUT * UNIT % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(OUT*UNIT+7)/8*8-1:OUT*UNIT] = '0;
  end

  if (WORDS * IN_LANES % OUT_LANES != 0) begin : gen_check
    $error("dwc: WORDS=%0d of IN_LANES=%0d do not fill words of OUT_LANES=%0d", WORDS, IN_LANES, OUT_LANES);
  end

endmodule
