// Stand-alone multi-threshold: y = BASE + #{k : x >= T[k]} per channel, in inverted channels
// BASE + N - #{k : x >= T[k]}.
//
// PE channels per cycle, one word in and one word out. An inverted channel complements x, and its thresholds are -T:
// the search then counts x < T. GROUPS is 1 where all groups of PE channels share one memory word, else CHANNELS/PE.
module headrace_threshold import headrace_pkg::*; #(
  parameter int    CHANNELS        = 4,        // channels of a pixel
  parameter int    PE              = 2,        // channels per cycle
  parameter int    PIXELS          = 1,        // pixels per frame
  parameter int    GROUPS          = 2,        // words of each memory
  parameter int    A_BITS          = 4,        // width of an element in
  parameter int    A_KIND          = UNSIGNED, // kind of the elements in
  parameter int    ACC_BITS        = 6,        // width of values and thresholds, two's complement
  parameter int    N               = 3,        // thresholds per channel
  parameter int    O_BITS          = 2,        // width of an output code
  // Options, left out where they are not used:
  parameter int    BASE            = 0,        // output for a count of zero
  parameter int    INVERTS         = 0,        // some channels are inverted
  parameter string THRESHOLDS_FILE = "",       // one tree of words [PE] per group (headrace_thresholds.sv)
  parameter string INVERTED_FILE   = ""        // INVERTS: one word [PE] per group, a bit for each inverted channel
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*A_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*O_BITS+7)/8*8-1:0] m_axis_TDATA,   // PE results
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned M_BITS     = PE * O_BITS;
  localparam int unsigned GROUP_BITS = index_bits(GROUPS);

  // Bits of an element's value: an unsigned one has a zero in front, a bipolar one is -1 or 1.
  localparam int unsigned VALUE_BITS = A_KIND == SIGNED ? A_BITS : A_BITS + 1;

  function automatic logic signed [VALUE_BITS-1:0] value(input logic [A_BITS-1:0] code);
    if (A_KIND == BIPOLAR) return VALUE_BITS'(signed'({~code[0], 1'b1}));
    return VALUE_BITS'(code);
  endfunction

  // The ready of the output slice moves the pipeline, and is that of the input.
  logic en, unused_pad;
  assign s_axis_TREADY = en;
  assign unused_pad    = ^s_axis_TDATA;

  // Row group of the word. One bit is inverted, since synthesis would move the registers of an address behind its ROM.
  logic [GROUP_BITS-1:0] other_group_q, group, next_group;
  assign group      = other_group_q ^ GROUP_BITS'(1);
  assign next_group = group == GROUP_BITS'(GROUPS - 1) ? '0 : group + 1'b1;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) other_group_q <= GROUP_BITS'(1);
    else if (en && s_axis_TVALID) other_group_q <= next_group ^ GROUP_BITS'(1);
  end

  logic [PE-1:0] inverted;
  if (INVERTS != 0) begin : gen_inverted
    logic [PE-1:0] masks [GROUPS];
    initial $readmemh(INVERTED_FILE, masks);
    assign inverted = masks[group];
  end else begin : gen_upright
    assign inverted = '0;
  end

  logic signed [VALUE_BITS-1:0] value_q [PE];
  logic                         valid_q;
  always_ff @(posedge ap_clk) begin
    if (en) begin
      for (int unsigned p = 0; p < PE; p++) begin
        value_q[p] <= value(s_axis_TDATA[p*A_BITS+:A_BITS]) ^ {VALUE_BITS{inverted[p]}};
      end
    end
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= s_axis_TVALID;
  end

  logic [M_BITS-1:0] y;
  logic              y_valid;
  headrace_thresholds #(
    .PE(PE), .NF(GROUPS), .N(N), .ACC_BITS(ACC_BITS), .A_BITS(VALUE_BITS), .O_BITS(O_BITS), .BASE(BASE),
    .FILE(THRESHOLDS_FILE)
  ) u_thresholds (
    .ap_clk, .ap_rst_n, .load('0), .en({PE{en}}), .group, .acc(value_q), .acc_valid(valid_q), .y, .y_valid
  );

  headrace_skid #(.BITS(M_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(y), .s_axis_TVALID(y_valid), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[M_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (M_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(M_BITS+7)/8*8-1:M_BITS] = '0;
  end

  if (CHANNELS % PE != 0) begin : gen_check_pe
    $error("threshold: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (GROUPS != 1 && GROUPS != CHANNELS / PE) begin : gen_check_groups
    $error("threshold: GROUPS=%0d must be 1 or %0d", GROUPS, CHANNELS / PE);
  end
  if (PIXELS < 1 || O_BITS < $clog2(N + 1)) begin : gen_check_output
    $error("threshold: N=%0d thresholds do not fit into O_BITS=%0d, or PIXELS=%0d is not positive", N, O_BITS, PIXELS);
  end

endmodule
