// Data width converter: the elements of IN_LANES-lane words, in order, as words of OUT_LANES lanes.
//
// The side with more words runs at one word per cycle, so a frame needs max(words in, words out) cycles. Everything
// counts in units of gcd(IN_LANES, OUT_LANES) lanes:
//   several units in, one out: a word is taken when no unit of the one before waits behind the output register; the
//     first unit goes there at once if it is free, and the others are chosen one by one out of the word;
//   one in, several out: the last unit of a word, with those collected before, goes into the output register, and is
//     taken only when that is known to be free;
//   otherwise a buffer keeps the units that are left over. A word is taken only while fewer than OUT are left, at once
//     behind them; a word is put whenever OUT are there.
module headrace_dwc import headrace_pkg::*; #(
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

  localparam int unsigned UNIT_LANES = gcd(IN_LANES, OUT_LANES);
  localparam int unsigned UNIT       = UNIT_LANES * E_BITS;    // bits of a unit
  localparam int unsigned IN         = IN_LANES / UNIT_LANES;  // units per word in
  localparam int unsigned OUT        = OUT_LANES / UNIT_LANES; // units per word out
  logic unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  if (IN > 1 && OUT == 1) begin : gen_narrow
    localparam int unsigned NEXT_BITS = $clog2(IN);
    logic [UNIT-1:0]      units_q [IN];  // the word that was taken, the first unit lowest
    logic [NEXT_BITS-1:0] next_q;        // its first unit that waits behind the output register
    logic [UNIT-1:0]      unit_q;
    logic                 waits_q, waits_d, ready_q, valid_q, take, free;

    assign take    = s_axis_TVALID && ready_q;
    assign free    = m_axis_TREADY || !valid_q;
    assign waits_d = take || (waits_q && !(free && next_q == NEXT_BITS'(IN - 1)));

    // ready_q implies that no unit waits.
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        waits_q <= 1'b0;
        ready_q <= 1'b0;
        valid_q <= 1'b0;
      end else begin
        waits_q <= waits_d;
        ready_q <= !waits_d;
        if (free) valid_q <= take || waits_q;
      end
    end
    always_ff @(posedge ap_clk) begin
      next_q <= (ready_q ? '0 : next_q) + NEXT_BITS'(free);
      for (int unsigned u = 0; u < IN; u++) begin
        if (ready_q) units_q[u] <= s_axis_TDATA[u*UNIT+:UNIT];
      end
      if (free) unit_q <= ready_q ? s_axis_TDATA[UNIT-1:0] : units_q[next_q];
    end

    assign s_axis_TREADY          = ready_q;
    assign m_axis_TVALID          = valid_q;
    assign m_axis_TDATA[UNIT-1:0] = unit_q;
  end else if (IN == 1 && OUT > 1) begin : gen_widen
    localparam int unsigned COUNT_BITS = $clog2(OUT);
    logic [(OUT-1)*UNIT-1:0] units_q;  // collected, the first one lowest
    logic [COUNT_BITS-1:0]   count_q, count_d;  // of them
    logic [OUT*UNIT-1:0]     word_q;
    logic                    ready_q, valid_q, valid_d, take, completes;

    assign take      = s_axis_TVALID && ready_q;
    assign completes = count_q == COUNT_BITS'(OUT - 1);
    assign count_d   = !take ? count_q : completes ? '0 : count_q + 1'b1;
    assign valid_d   = (take && completes) || (valid_q && !m_axis_TREADY);

    // ready_q && completes implies that the output register is free.
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        count_q <= '0;
        ready_q <= 1'b0;
        valid_q <= 1'b0;
      end else begin
        count_q <= count_d;
        ready_q <= !(valid_d && count_d == COUNT_BITS'(OUT - 1));
        valid_q <= valid_d;
      end
    end
    always_ff @(posedge ap_clk) begin
      if (take) units_q <= ((OUT-1)*UNIT)'({s_axis_TDATA[UNIT-1:0], units_q} >> UNIT);
      if (ready_q && completes) word_q <= {s_axis_TDATA[UNIT-1:0], units_q};
    end

    assign s_axis_TREADY              = ready_q;
    assign m_axis_TVALID              = valid_q;
    assign m_axis_TDATA[OUT*UNIT-1:0] = word_q;
  end else begin : gen_ratio
    localparam int unsigned LEFT       = IN > OUT ? IN - 1 : OUT - 1;  // most units that can be left over
    localparam int unsigned ALL        = IN + OUT - 1;           // left-over units below OUT and a word
    localparam int unsigned LEVEL_BITS = $clog2(ALL + 1);
    localparam int unsigned LEFT_BITS  = (LEFT > 0 ? LEFT : 1) * UNIT;

    logic [IN*UNIT-1:0]    word;
    logic                  word_valid, word_ready;
    logic [OUT*UNIT-1:0]   result;
    logic                  result_valid, result_ready;

    headrace_skid #(.BITS(IN * UNIT)) u_in (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA(s_axis_TDATA[IN*UNIT-1:0]), .s_axis_TVALID, .s_axis_TREADY,
      .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
    );

    logic [LEVEL_BITS-1:0] level_q, level_all, level_d;  // units left over, and those with the word in
    logic [OUT-1:0]        behind_q;            // level_q is that number of units: the word in goes behind them
    logic                  wants_q, puts_q;     // what level_q says
    logic [LEFT_BITS-1:0]  left_q;
    logic [ALL*UNIT-1:0]   units;               // left over, then the word in
    logic                  wants, puts, moves;

    assign wants        = wants_q;
    assign puts         = puts_q;
    assign level_all    = wants ? level_q + LEVEL_BITS'(IN) : level_q;
    assign level_d      = puts ? level_all - LEVEL_BITS'(OUT) : level_all;
    assign result_valid = puts && (word_valid || !wants);
    assign moves        = (word_valid || !wants) && (result_ready || !puts);
    assign word_ready   = wants && (result_ready || !puts);

    always_comb begin
      units = (ALL*UNIT)'(left_q);
      for (int unsigned u = 0; u < OUT; u++) begin
        if (behind_q[u]) units[u*UNIT+:IN*UNIT] = word;
      end
    end
    assign result = units[OUT*UNIT-1:0];

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        level_q  <= '0;
        behind_q <= OUT'(1);
        wants_q  <= 1'b1;
        puts_q   <= IN >= OUT;
      end else if (moves) begin
        level_q  <= level_d;
        for (int unsigned u = 0; u < OUT; u++) behind_q[u] <= level_d == LEVEL_BITS'(u);
        wants_q  <= level_d < LEVEL_BITS'(OUT);
        puts_q   <= 32'(level_d) + IN >= OUT;
      end
    end
    always_ff @(posedge ap_clk) begin
      if (moves) left_q <= puts ? LEFT_BITS'(units >> OUT * UNIT) : LEFT_BITS'(units);
    end

    headrace_single_slice #(.BITS(OUT * UNIT)) u_out (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA(result), .s_axis_TVALID(result_valid), .s_axis_TREADY(result_ready),
      .m_axis_TDATA(m_axis_TDATA[OUT*UNIT-1:0]), .m_axis_TVALID, .m_axis_TREADY
    );
  end

  if (OUT * UNIT % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(OUT*UNIT+7)/8*8-1:OUT*UNIT] = '0;
  end

  if (WORDS * IN_LANES % OUT_LANES != 0) begin : gen_check
    $error("dwc: WORDS=%0d of IN_LANES=%0d do not fill words of OUT_LANES=%0d", WORDS, IN_LANES, OUT_LANES);
  end

endmodule
