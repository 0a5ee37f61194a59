// Maximum (or minimum) over KERNEL windows at STRIDE, one input word per cycle; no padding.
//
// Kinds: 0 unsigned, 1 two's complement, 2 bipolar, which compares as its code.
module headrace_max_pool import headrace_pkg::*; #(
  parameter int    HEIGHT       = 4,        // rows in
  parameter int    WIDTH        = 4,        // columns in
  parameter int    CHANNELS     = 4,        // channels
  parameter int    KERNEL_H     = 2,        // rows of a window
  parameter int    KERNEL_W     = 2,        // columns of a window
  parameter int    STRIDE_H     = 2,        // rows from window to window
  parameter int    STRIDE_W     = 2,        // columns from window to window
  parameter int    PE           = 2,        // channels per cycle
  parameter int    E_BITS       = 4,        // width of an element
  parameter int    E_KIND       = UNSIGNED, // kind of the elements
  // Options, left out where they are not used:
  parameter int    MODE         = MAXIMUM,  // MAXIMUM, MINIMUM or PER_CHANNEL
  parameter string MINIMUM_FILE = ""        // PER_CHANNEL: per word of a pixel a bit for each channel, 1: minimum
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*E_BITS+7)/8*8-1:0] m_axis_TDATA,   // PE elements
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS  = PE * E_BITS;
  localparam int unsigned FOLDS = CHANNELS / PE;

  logic            en;  // the pipeline moves
  logic [BITS-1:0] word, result;
  logic            word_valid, result_valid;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(en)
  );

  // Which channels of the word take the minimum.
  logic [index_bits(FOLDS)-1:0] fold;
  logic [PE-1:0]                              minimum;
  if (MODE == PER_CHANNEL) begin : gen_per_channel
    logic [PE-1:0] masks [FOLDS];
    initial $readmemh(MINIMUM_FILE, masks);
    assign minimum = masks[fold];
  end else begin : gen_uniform
    logic unused_fold;
    assign unused_fold = ^fold;
    assign minimum     = {PE{MODE == MINIMUM}};
  end

  headrace_pooling #(
    .HEIGHT(HEIGHT), .WIDTH(WIDTH), .CHANNELS(CHANNELS), .KERNEL_H(KERNEL_H), .KERNEL_W(KERNEL_W),
    .STRIDE_H(STRIDE_H), .STRIDE_W(STRIDE_W), .PE(PE), .E_BITS(E_BITS), .IS_SIGNED(E_KIND == SIGNED), .SUM(0)
  ) u_pooling (
    .ap_clk, .ap_rst_n, .en, .word, .word_valid, .minimum, .fold, .result, .result_valid
  );

  headrace_single_slice #(.BITS(BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(result), .s_axis_TVALID(result_valid), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (MODE < MAXIMUM || MODE > PER_CHANNEL || E_KIND < UNSIGNED || E_KIND > BIPOLAR) begin : gen_check_mode
    $error("max_pool: MODE=%0d and E_KIND=%0d must be 0, 1 or 2", MODE, E_KIND);
  end

endmodule
