// Nearest-neighbour enlargement: y[r, c] = x[r / SCALE_H, c / SCALE_W], one word per cycle out.
//
// A row is taken while its first copy leaves and replayed from a buffer for the others; within the first copy of a row
// every pixel is replayed for its copies to the right. With SCALE_H = 1 the buffer holds one pixel only.
module headrace_upsample import headrace_pkg::*; #(
  parameter int HEIGHT   = 3, // rows in
  parameter int WIDTH    = 3, // columns in
  parameter int CHANNELS = 4, // channels
  parameter int SCALE_H  = 2, // rows out per row in
  parameter int SCALE_W  = 2, // columns out per column in
  parameter int SIMD     = 2, // channels per cycle
  parameter int E_BITS   = 4  // width of an element
) (
  input  logic                           ap_clk,         // clock
  input  logic                           ap_rst_n,       // synchronous reset, active low
  input  logic [(SIMD*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // SIMD elements
  input  logic                           s_axis_TVALID,  // word in is there
  output logic                           s_axis_TREADY,  // word in is taken
  output logic [(SIMD*E_BITS+7)/8*8-1:0] m_axis_TDATA,   // SIMD elements
  output logic                           m_axis_TVALID,  // word out is there
  input  logic                           m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS      = SIMD * E_BITS;
  localparam int unsigned FOLDS     = CHANNELS / SIMD;
  localparam int unsigned DEPTH     = SCALE_H > 1 ? WIDTH * FOLDS : FOLDS;
  localparam int unsigned ADDR_BITS = index_bits(DEPTH);
  localparam int unsigned FOLD_BITS = index_bits(FOLDS);
  localparam int unsigned X_BITS    = index_bits(WIDTH);
  localparam int unsigned CW_BITS   = index_bits(SCALE_W);
  localparam int unsigned CH_BITS   = index_bits(SCALE_H);

  logic            en;  // the pipeline moves
  logic [BITS-1:0] word;
  logic            word_valid, word_ready;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
  );

  // Position of the word out.
  logic [FOLD_BITS-1:0] fold_q;
  logic [CW_BITS-1:0]   copy_w_q;
  logic [X_BITS-1:0]    x_q;
  logic [CH_BITS-1:0]   copy_h_q;
  logic [ADDR_BITS-1:0] pixel_q;  // address of the pixel's first word
  logic                 fresh, issue, fold_last, copy_w_last, x_last, copy_h_last;

  assign fresh       = copy_w_q == '0 && copy_h_q == '0;
  assign issue       = en && (word_valid || !fresh);
  assign word_ready  = en && fresh;
  assign fold_last   = fold_q == FOLD_BITS'(FOLDS - 1);
  assign copy_w_last = copy_w_q == CW_BITS'(SCALE_W - 1);
  assign x_last      = x_q == X_BITS'(WIDTH - 1);
  assign copy_h_last = copy_h_q == CH_BITS'(SCALE_H - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q   <= '0;
      copy_w_q <= '0;
      x_q      <= '0;
      copy_h_q <= '0;
      pixel_q  <= '0;
    end else if (issue) begin
      fold_q <= fold_last ? '0 : fold_q + 1'b1;
      if (fold_last) copy_w_q <= copy_w_last ? '0 : copy_w_q + 1'b1;
      if (fold_last && copy_w_last) begin
        x_q     <= x_last ? '0 : x_q + 1'b1;
        pixel_q <= x_last || SCALE_H == 1 ? '0 : pixel_q + ADDR_BITS'(FOLDS);
        if (x_last) copy_h_q <= copy_h_last ? '0 : copy_h_q + 1'b1;
      end
    end
  end

  logic [BITS-1:0] row [DEPTH];
  logic [BITS-1:0] fresh_word_q, stored_word_q;
  logic            fresh_q, valid_q;
  logic [ADDR_BITS-1:0] address;
  assign address = pixel_q + ADDR_BITS'(fold_q);

  always_ff @(posedge ap_clk) begin
    if (en) begin
      if (fresh && word_valid) row[address] <= word;
      stored_word_q <= row[address];
      fresh_word_q  <= word;
      fresh_q       <= fresh;
    end
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= issue;
  end

  headrace_single_slice #(.BITS(BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(fresh_q ? fresh_word_q : stored_word_q), .s_axis_TVALID(valid_q), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (CHANNELS % SIMD != 0) begin : gen_check_simd
    $error("upsample: SIMD=%0d must divide CHANNELS=%0d", SIMD, CHANNELS);
  end
  if (HEIGHT < 1 || WIDTH < 1 || SCALE_H < 1 || SCALE_W < 1) begin : gen_check_shape
    $error("upsample: %0dx%0d pixels and scale %0dx%0d must be at least 1x1", HEIGHT, WIDTH, SCALE_H, SCALE_W);
  end

endmodule
