// Crop: the words of every STEP-th row and column from START on and below STOP; the others are dropped.
//
// A word is taken in every cycle and leaves in the next one if its pixel stays.
module headrace_crop import headrace_pkg::*; #(
  parameter int HEIGHT   = 4, // rows in
  parameter int WIDTH    = 4, // columns in
  parameter int CHANNELS = 4, // channels
  parameter int START_H  = 1, // first row that stays
  parameter int START_W  = 1, // first column that stays
  parameter int STOP_H   = 4, // row behind the last that may stay
  parameter int STOP_W   = 4, // column behind the last that may stay
  parameter int STEP_H   = 1, // rows from one that stays to the next
  parameter int STEP_W   = 2, // columns from one that stays to the next
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

  localparam int unsigned BITS       = SIMD * E_BITS;
  localparam int unsigned FOLDS      = CHANNELS / SIMD;
  localparam int unsigned FOLD_BITS  = index_bits(FOLDS);
  localparam int unsigned X_BITS     = index_bits(WIDTH);
  localparam int unsigned Y_BITS     = index_bits(HEIGHT);
  localparam int unsigned PHASE_W    = index_bits(STEP_W);
  localparam int unsigned PHASE_H    = index_bits(STEP_H);

  logic            en;  // the output takes a word
  logic [BITS-1:0] word;
  logic            word_valid, take, stays;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(en)
  );
  assign take = word_valid && en;

  // Place of the word; a phase counts the pixels since the last one that may stay.
  logic [FOLD_BITS-1:0] fold_q;
  logic [X_BITS-1:0]    x_q;
  logic [Y_BITS-1:0]    y_q;
  logic [PHASE_W-1:0]   phase_x_q;
  logic [PHASE_H-1:0]   phase_y_q;
  logic                 fold_last, x_last, y_last, from_x, from_y, before_x, before_y;

  assign fold_last = fold_q == FOLD_BITS'(FOLDS - 1);
  assign x_last    = x_q == X_BITS'(WIDTH - 1);
  assign y_last    = y_q == Y_BITS'(HEIGHT - 1);
  if (START_W > 0) begin : gen_start_w
    assign from_x = x_q >= X_BITS'(START_W);
  end else begin : gen_all_w
    assign from_x = 1'b1;
  end
  if (START_H > 0) begin : gen_start_h
    assign from_y = y_q >= Y_BITS'(START_H);
  end else begin : gen_all_h
    assign from_y = 1'b1;
  end
  if (STOP_W < WIDTH) begin : gen_stop_w
    assign before_x = x_q < X_BITS'(STOP_W);
  end else begin : gen_to_end_w
    assign before_x = 1'b1;
  end
  if (STOP_H < HEIGHT) begin : gen_stop_h
    assign before_y = y_q < Y_BITS'(STOP_H);
  end else begin : gen_to_end_h
    assign before_y = 1'b1;
  end
  assign stays    = from_x && before_x && phase_x_q == '0 && from_y && before_y && phase_y_q == '0;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q    <= '0;
      x_q       <= '0;
      y_q       <= '0;
      phase_x_q <= '0;
      phase_y_q <= '0;
    end else if (take) begin
      fold_q <= fold_last ? '0 : fold_q + 1'b1;
      if (fold_last) begin
        x_q       <= x_last ? '0 : x_q + 1'b1;
        phase_x_q <= x_last || !from_x || phase_x_q == PHASE_W'(STEP_W - 1) ? '0 : phase_x_q + 1'b1;
      end
      if (fold_last && x_last) begin
        y_q       <= y_last ? '0 : y_q + 1'b1;
        phase_y_q <= y_last || !from_y || phase_y_q == PHASE_H'(STEP_H - 1) ? '0 : phase_y_q + 1'b1;
      end
    end
  end

  headrace_single_slice #(.BITS(BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(word), .s_axis_TVALID(word_valid && stays), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (CHANNELS % SIMD != 0) begin : gen_check_simd
    $error("crop: SIMD=%0d must divide CHANNELS=%0d", SIMD, CHANNELS);
  end
  if (START_H < 0 || START_W < 0 || START_H >= STOP_H || START_W >= STOP_W || STOP_H > HEIGHT || STOP_W > WIDTH
      || STEP_H < 1 || STEP_W < 1) begin : gen_check_ends
    $error("crop: %0dx%0d to %0dx%0d in steps of %0dx%0d must leave a part of %0dx%0d", START_H, START_W, STOP_H,
           STOP_W, STEP_H, STEP_W, HEIGHT, WIDTH);
  end

endmodule
