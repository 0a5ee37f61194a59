// Concatenation of channels: of every pixel the C0 channels of input 0, then the C1 of input 1, and so on.
//
// One word per cycle, from the input whose turn it is. Elements of an input that are narrower than those of the output
// are widened. The ports of inputs from INPUTS on stay open, with counts of 0.
module headrace_concat import headrace_pkg::*; #(
  parameter int INPUTS = 2, // streams, 2 to 8
  parameter int PE     = 2, // channels per cycle
  parameter int E_BITS = 4, // width of an element
  parameter int PIXELS = 1, // pixels per frame
  parameter int C0     = 2, // channels of input 0
  parameter int C1     = 4, // channels of input 1
  // Options, left out where they are not used:
  parameter int C2     = 0, // channels of input 2
  parameter int C3     = 0, // channels of input 3
  parameter int C4     = 0, // channels of input 4
  parameter int C5     = 0, // channels of input 5
  parameter int C6     = 0, // channels of input 6
  parameter int C7     = 0, // channels of input 7
  parameter int C0_BITS = E_BITS,   // width of an element of input 0
  parameter int C0_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C1_BITS = E_BITS,   // width of an element of input 1
  parameter int C1_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C2_BITS = E_BITS,   // width of an element of input 2
  parameter int C2_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C3_BITS = E_BITS,   // width of an element of input 3
  parameter int C3_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C4_BITS = E_BITS,   // width of an element of input 4
  parameter int C4_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C5_BITS = E_BITS,   // width of an element of input 5
  parameter int C5_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C6_BITS = E_BITS,   // width of an element of input 6
  parameter int C6_KIND = UNSIGNED, // its kind, if it is narrower than those of the output
  parameter int C7_BITS = E_BITS,   // width of an element of input 7
  parameter int C7_KIND = UNSIGNED  // its kind, if it is narrower than those of the output
) (
  input  logic                          ap_clk,         // clock
  input  logic                          ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*C0_BITS+7)/8*8-1:0] s0_axis_TDATA, // PE elements
  input  logic [(PE*C1_BITS+7)/8*8-1:0] s1_axis_TDATA,
  input  logic [(PE*C2_BITS+7)/8*8-1:0] s2_axis_TDATA,
  input  logic [(PE*C3_BITS+7)/8*8-1:0] s3_axis_TDATA,
  input  logic [(PE*C4_BITS+7)/8*8-1:0] s4_axis_TDATA,
  input  logic [(PE*C5_BITS+7)/8*8-1:0] s5_axis_TDATA,
  input  logic [(PE*C6_BITS+7)/8*8-1:0] s6_axis_TDATA,
  input  logic [(PE*C7_BITS+7)/8*8-1:0] s7_axis_TDATA,
  input  logic                          s0_axis_TVALID, s1_axis_TVALID, s2_axis_TVALID, s3_axis_TVALID, // they are there
                                        s4_axis_TVALID, s5_axis_TVALID, s6_axis_TVALID, s7_axis_TVALID,
  output logic                          s0_axis_TREADY, s1_axis_TREADY, s2_axis_TREADY, s3_axis_TREADY, // they are taken
                                        s4_axis_TREADY, s5_axis_TREADY, s6_axis_TREADY, s7_axis_TREADY,
  output logic [(PE*E_BITS+7)/8*8-1:0]  m_axis_TDATA,   // PE elements
  output logic                          m_axis_TVALID,  // word out is there
  input  logic                          m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS      = PE * E_BITS;
  localparam int unsigned TURN_BITS = $clog2(INPUTS);
  localparam int unsigned ALL_FOLDS = (C0 + C1 + C2 + C3 + C4 + C5 + C6 + C7) / PE;
  localparam int unsigned FOLD_BITS = index_bits(ALL_FOLDS);
  // Last fold of every input's part of a pixel.
  localparam logic [8*FOLD_BITS-1:0] LAST = {
    FOLD_BITS'(C7 / PE - 1), FOLD_BITS'(C6 / PE - 1), FOLD_BITS'(C5 / PE - 1), FOLD_BITS'(C4 / PE - 1),
    FOLD_BITS'(C3 / PE - 1), FOLD_BITS'(C2 / PE - 1), FOLD_BITS'(C1 / PE - 1), FOLD_BITS'(C0 / PE - 1)
  };

  // Width and kind of the elements of every input.
  localparam logic [8*32-1:0] FROM_BITS = {32'(C7_BITS), 32'(C6_BITS), 32'(C5_BITS), 32'(C4_BITS),
                                           32'(C3_BITS), 32'(C2_BITS), 32'(C1_BITS), 32'(C0_BITS)};
  localparam logic [8*32-1:0] KINDS     = {32'(C7_KIND), 32'(C6_KIND), 32'(C5_KIND), 32'(C4_KIND),
                                           32'(C3_KIND), 32'(C2_KIND), 32'(C1_KIND), 32'(C0_KIND)};

  logic [8*BITS-1:0] data;  // of every input its word, narrower ones at the bottom
  logic [7:0]        valid, ready;

  assign data = {BITS'(s7_axis_TDATA), BITS'(s6_axis_TDATA), BITS'(s5_axis_TDATA), BITS'(s4_axis_TDATA),
                 BITS'(s3_axis_TDATA), BITS'(s2_axis_TDATA), BITS'(s1_axis_TDATA), BITS'(s0_axis_TDATA)};
  assign valid = {s7_axis_TVALID, s6_axis_TVALID, s5_axis_TVALID, s4_axis_TVALID,
                  s3_axis_TVALID, s2_axis_TVALID, s1_axis_TVALID, s0_axis_TVALID};
  assign {s7_axis_TREADY, s6_axis_TREADY, s5_axis_TREADY, s4_axis_TREADY,
          s3_axis_TREADY, s2_axis_TREADY, s1_axis_TREADY, s0_axis_TREADY} = ready;

  logic                   en;  // the output slice takes a word
  logic [INPUTS*BITS-1:0] words;
  logic [INPUTS-1:0]      words_valid;
  logic [FOLD_BITS-1:0]   fold_q;
  logic [TURN_BITS-1:0]   turn_q;
  logic                   take, fold_last;
  logic                   unused_streams;
  assign unused_streams = ^s0_axis_TDATA ^ ^s1_axis_TDATA ^ ^s2_axis_TDATA ^ ^s3_axis_TDATA ^ ^s4_axis_TDATA
                          ^ ^s5_axis_TDATA ^ ^s6_axis_TDATA ^ ^s7_axis_TDATA ^ ^data ^ ^valid;

  for (genvar k = 0; k < 8; k++) begin : gen_input
    if (k < INPUTS) begin : gen_used
      localparam int unsigned NARROW = FROM_BITS[k*32+:32];
      logic [PE*NARROW-1:0] word;
      headrace_skid #(.BITS(PE * NARROW)) u_in (
        .ap_clk, .ap_rst_n,
        .s_axis_TDATA(data[k*BITS+:PE*NARROW]), .s_axis_TVALID(valid[k]), .s_axis_TREADY(ready[k]),
        .m_axis_TDATA(word), .m_axis_TVALID(words_valid[k]), .m_axis_TREADY(en && turn_q == TURN_BITS'(k))
      );
      for (genvar p = 0; p < PE; p++) begin : gen_lane
        headrace_widen #(.FROM_BITS(NARROW), .KIND(int'(KINDS[k*32+:32])), .TO_BITS(E_BITS)) u_widen (
          .code(word[p*NARROW+:NARROW]), .value(words[k*BITS+p*E_BITS+:E_BITS])
        );
      end
    end else begin : gen_open
      assign ready[k] = 1'b0;
    end
  end

  assign take      = words_valid[turn_q] && en;
  assign fold_last = fold_q == LAST[turn_q*FOLD_BITS+:FOLD_BITS];

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q <= '0;
      turn_q <= '0;
    end else if (take) begin
      fold_q <= fold_last ? '0 : fold_q + 1'b1;
      if (fold_last) turn_q <= turn_q == TURN_BITS'(INPUTS - 1) ? '0 : turn_q + 1'b1;
    end
  end

  headrace_single_slice #(.BITS(BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(words[turn_q*BITS+:BITS]), .s_axis_TVALID(words_valid[turn_q]), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (INPUTS < 2 || INPUTS > 8 || PIXELS < 1) begin : gen_check_inputs
    $error("concat: INPUTS=%0d must lie between 2 and 8, and PIXELS=%0d must be at least 1", INPUTS, PIXELS);
  end
  if (C0 % PE != 0 || C1 % PE != 0 || C2 % PE != 0 || C3 % PE != 0
      || C4 % PE != 0 || C5 % PE != 0 || C6 % PE != 0 || C7 % PE != 0) begin : gen_check_pe
    $error("concat: PE=%0d must divide the channels of every input", PE);
  end

endmodule
