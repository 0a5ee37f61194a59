// Sliding window unit: im2col as a stream, pads made on the fly.
//
// A circular buffer of DEPTH words. The reader fills it. The writer emits for each window its taps (kh, kw, channel
// fold; DEPTHWISE: channel fold, kh, kw); a tap in the padding is PAD_CODE in all lanes and reads nothing. Words are counted over all frames modulo
// 2^C_BITS; both sides only compare counts:
//   * a tap inside the frame waits for its word; the first tap of a frame waits for the first word of the frame;
//   * a word is taken while fewer than DEPTH words lie above `keep`, the oldest word that a tap may still read.
// At the start of a window, keep moves to its first tap where that lies in the frame: all later windows start behind
// it, those of the next rows included, since they start at the next rows' first columns. It never moves back.
// OVERLAP=0: the first word of a frame waits for the last tap of the frame before.
module swu #(
  parameter int HEIGHT     = 4,  // rows in
  parameter int WIDTH      = 4,  // columns in
  parameter int CHANNELS   = 2,  // channels
  parameter int KERNEL_H   = 3,  // rows of taps
  parameter int KERNEL_W   = 3,  // columns of taps
  parameter int STRIDE_H   = 1,  // rows from window to window
  parameter int STRIDE_W   = 1,  // columns from window to window
  parameter int DILATION_H = 1,  // rows from tap to tap
  parameter int DILATION_W = 1,  // columns from tap to tap
  parameter int PAD_T      = 1,  // rows of padding above
  parameter int PAD_L      = 1,  // columns of padding on the left
  parameter int PAD_B      = 1,  // rows of padding below
  parameter int PAD_R      = 1,  // columns of padding on the right
  parameter int SIMD       = 1,  // channels per cycle
  parameter int E_BITS     = 4,  // width of an element
  parameter int PAD_CODE   = 0,  // code of an element in the padding
  parameter int DEPTH      = 64, // words of the buffer, a power of two
  parameter int OVERLAP    = 1,  // the next frame may enter while this one leaves
  parameter int DEPTHWISE  = 0   // a window is all taps of one channel fold after the other
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

  localparam int BITS       = SIMD * E_BITS;
  localparam int FOLDS      = CHANNELS / SIMD;
  localparam int WORDS      = HEIGHT * WIDTH * FOLDS;
  localparam int OUT_HEIGHT = (HEIGHT + PAD_T + PAD_B - DILATION_H * (KERNEL_H - 1) - 1) / STRIDE_H + 1;
  localparam int OUT_WIDTH  = (WIDTH + PAD_L + PAD_R - DILATION_W * (KERNEL_W - 1) - 1) / STRIDE_W + 1;
  localparam int ADDR_BITS  = $clog2(DEPTH);
  // No two counts that are compared lie further apart than this in either direction.
  localparam int C_BITS     = $clog2(WORDS + DEPTH + PAD_L * FOLDS + 1) + 1;
  localparam int X_BITS     = $clog2((PAD_L > WIDTH + PAD_R ? PAD_L : WIDTH + PAD_R) + 1) + 1;
  localparam int Y_BITS     = $clog2((PAD_T > HEIGHT + PAD_B ? PAD_T : HEIGHT + PAD_B) + 1) + 1;
  localparam int FOLD_BITS  = FOLDS > 1 ? $clog2(FOLDS) : 1;
  localparam int KW_BITS    = KERNEL_W > 1 ? $clog2(KERNEL_W) : 1;
  localparam int KH_BITS    = KERNEL_H > 1 ? $clog2(KERNEL_H) : 1;
  localparam int OW_BITS    = OUT_WIDTH > 1 ? $clog2(OUT_WIDTH) : 1;
  localparam int OH_BITS    = OUT_HEIGHT > 1 ? $clog2(OUT_HEIGHT) : 1;

  // Steps of the address from one tap and fold to the next.
  localparam int ROW       = WIDTH * FOLDS;
  localparam int BACK_W    = (KERNEL_W - 1) * DILATION_W;
  localparam int BACK_H    = (KERNEL_H - 1) * DILATION_H;
  localparam int BACK_FOLD = FOLDS - 1;
  localparam int BACK_TAP  = BACK_H * ROW + BACK_W * FOLDS;
  localparam int AT_FOLD   = DEPTHWISE != 0 ? 0 : BACK_FOLD;  // fold in which a tap is left for the next one
  localparam int ORIGIN    = -PAD_T * ROW - PAD_L * FOLDS;    // of the first tap of a frame
  localparam int TO_FOLD   = DEPTHWISE != 0 ? 1 - BACK_TAP : 1;
  localparam int TO_COLUMN = DILATION_W * FOLDS - AT_FOLD;
  localparam int TO_ROW    = DILATION_H * ROW - BACK_W * FOLDS - AT_FOLD;
  localparam int TO_WINDOW = STRIDE_W * FOLDS - BACK_TAP - BACK_FOLD;
  localparam int TO_LINE   = STRIDE_H * ROW - (OUT_WIDTH - 1) * STRIDE_W * FOLDS - BACK_TAP - BACK_FOLD;
  localparam int TO_FRAME  = WORDS - (OUT_HEIGHT - 1) * STRIDE_H * ROW - (OUT_WIDTH - 1) * STRIDE_W * FOLDS
                             - BACK_TAP - BACK_FOLD;

  logic            en;  // the pipeline moves
  logic [BITS-1:0] word;
  logic            word_valid, room, take;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(room)
  );
  assign take = word_valid && room;

  // Position of the writer: counters of its loops, and the tap's place and address.
  logic [FOLD_BITS-1:0]     fold_q;
  logic [KW_BITS-1:0]       kw_q;
  logic [KH_BITS-1:0]       kh_q;
  logic [OW_BITS-1:0]       ow_q;
  logic [OH_BITS-1:0]       oh_q;
  logic signed [X_BITS-1:0] x_q;
  logic signed [Y_BITS-1:0] y_q;
  logic [C_BITS-1:0]        address_q;
  logic [C_BITS-1:0]        base_q;   // count of the first word of the writer's frame
  logic [C_BITS-1:0]        keep_q;   // oldest word that a tap may still read
  logic [C_BITS-1:0]        taken_q;  // words taken

  logic fold_last, kw_last, kh_last, ow_last, oh_last;
  assign fold_last = fold_q == FOLD_BITS'(FOLDS - 1);
  assign kw_last   = kw_q == KW_BITS'(KERNEL_W - 1);
  assign kh_last   = kh_q == KH_BITS'(KERNEL_H - 1);
  assign ow_last   = ow_q == OW_BITS'(OUT_WIDTH - 1);
  assign oh_last   = oh_q == OH_BITS'(OUT_HEIGHT - 1);

  // Which counter turns: the folds are the innermost loop, or (DEPTHWISE) the one around the taps.
  logic fold_turns, kw_turns, kh_turns, window_ends;
  assign fold_turns  = DEPTHWISE == 0 || (kw_last && kh_last);
  assign kw_turns    = DEPTHWISE != 0 || fold_last;
  assign kh_turns    = kw_turns && kw_last;
  assign window_ends = fold_last && kw_last && kh_last;

  logic next_fold, next_column, next_row, next_window, next_line, next_frame;  // what the step leads to: one of these
  assign next_fold   = fold_turns && !fold_last;
  assign next_column = kw_turns && !kw_last;
  assign next_row    = kh_turns && !kh_last;
  assign next_window = window_ends && !ow_last;
  assign next_line   = window_ends && ow_last && !oh_last;
  assign next_frame  = window_ends && ow_last && oh_last;

  logic [C_BITS-1:0] stride;
  always_comb begin
    unique case (1'b1)
      next_fold:   stride = C_BITS'(TO_FOLD);
      next_column: stride = C_BITS'(TO_COLUMN);
      next_row:    stride = C_BITS'(TO_ROW);
      next_window: stride = C_BITS'(TO_WINDOW);
      next_line:   stride = C_BITS'(TO_LINE);
      default:     stride = C_BITS'(TO_FRAME);
    endcase
  end

  logic right_of_frame, in_rows, in_frame, arrived, started, emit;
  logic [C_BITS-1:0] word_lead, frame_lead;
  assign right_of_frame = x_q >= X_BITS'(WIDTH);
  assign in_rows      = !y_q[Y_BITS-1] && y_q < Y_BITS'(HEIGHT);
  assign in_frame     = !x_q[X_BITS-1] && !right_of_frame && in_rows;
  assign word_lead  = taken_q - address_q - 1'b1;
  assign frame_lead = taken_q - base_q - 1'b1;
  assign arrived    = !word_lead[C_BITS-1];
  assign started    = !frame_lead[C_BITS-1];
  assign emit       = en && (in_frame ? arrived : started);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q    <= '0;
      kw_q      <= '0;
      kh_q      <= '0;
      ow_q      <= '0;
      oh_q      <= '0;
      x_q       <= X_BITS'(-PAD_L);
      y_q       <= Y_BITS'(-PAD_T);
      address_q <= C_BITS'(ORIGIN);
      base_q    <= '0;
    end else if (emit) begin
      address_q <= address_q + stride;
      if (fold_turns) fold_q <= fold_last ? '0 : fold_q + 1'b1;
      if (kw_turns) kw_q <= kw_last ? '0 : kw_q + 1'b1;
      if (kh_turns) kh_q <= kh_last ? '0 : kh_q + 1'b1;
      if (window_ends) ow_q <= ow_last ? '0 : ow_q + 1'b1;
      if (window_ends && ow_last) oh_q <= oh_last ? '0 : oh_q + 1'b1;
      if (next_column) x_q <= x_q + X_BITS'(DILATION_W);
      if (next_row || (DEPTHWISE != 0 && next_fold)) x_q <= x_q - X_BITS'(BACK_W);
      if (next_window) x_q <= x_q + X_BITS'(STRIDE_W - BACK_W);
      if (next_line || next_frame) x_q <= X_BITS'(-PAD_L);
      if (next_row) y_q <= y_q + Y_BITS'(DILATION_H);
      if (next_window || (DEPTHWISE != 0 && next_fold)) y_q <= y_q - Y_BITS'(BACK_H);
      if (next_line) y_q <= y_q + Y_BITS'(STRIDE_H - BACK_H);
      if (next_frame) y_q <= Y_BITS'(-PAD_T);
      if (next_frame) base_q <= base_q + C_BITS'(WORDS);
    end
  end

  // What may be overwritten.
  logic window_start, frame_start;
  logic [C_BITS-1:0] keep_gain;
  assign window_start = fold_q == '0 && kw_q == '0 && kh_q == '0;
  assign frame_start  = window_start && ow_q == '0 && oh_q == '0;
  assign keep_gain    = address_q - keep_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) keep_q <= '0;
    else if (frame_start) keep_q <= base_q;
    else if (window_start && !right_of_frame && in_rows && !keep_gain[C_BITS-1]) keep_q <= address_q;
  end

  // The reader.
  logic [C_BITS-1:0] held;  // words above keep; negative while words come that no tap reads
  logic              frame_open;
  assign held = taken_q - keep_q;
  assign room = (held[C_BITS-1] || held < C_BITS'(DEPTH)) && frame_open;
  if (OVERLAP == 0) begin : gen_minimal
    logic [C_BITS-1:0] ahead;  // words taken of the writer's frame; negative while the frame before still comes in
    assign ahead      = taken_q - base_q;
    assign frame_open = ahead[C_BITS-1] || ahead < C_BITS'(WORDS);
  end else begin : gen_overlapping
    assign frame_open = 1'b1;
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) taken_q <= '0;
    else if (take) taken_q <= taken_q + 1'b1;
  end

  // The buffer and the words on their way out.
  logic [BITS-1:0] words [DEPTH];
  logic [BITS-1:0] tap_q;
  logic            in_frame_q, valid_q;

  always_ff @(posedge ap_clk) begin
    if (take) words[taken_q[ADDR_BITS-1:0]] <= word;
    if (en) tap_q <= words[address_q[ADDR_BITS-1:0]];
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= emit;
  end
  always_ff @(posedge ap_clk) if (en) in_frame_q <= in_frame;

  skid #(.BITS(BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(in_frame_q ? tap_q : {SIMD{E_BITS'(PAD_CODE)}}), .s_axis_TVALID(valid_q), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (CHANNELS % SIMD != 0) begin : gen_check_simd
    $error("swu: SIMD=%0d must divide CHANNELS=%0d", SIMD, CHANNELS);
  end
  if (DEPTH < 2 || DEPTH != 2 ** ADDR_BITS || DEPTH < (BACK_H * WIDTH + BACK_W + 1) * FOLDS) begin : gen_check_depth
    $error("swu: DEPTH=%0d must be a power of two that holds a window of %0d words", DEPTH,
           (BACK_H * WIDTH + BACK_W + 1) * FOLDS);
  end
  if (BACK_H >= HEIGHT + PAD_T + PAD_B || BACK_W >= WIDTH + PAD_L + PAD_R) begin : gen_check_kernel
    $error("swu: a window of %0dx%0d does not fit into %0dx%0d and its padding", BACK_H + 1, BACK_W + 1, HEIGHT, WIDTH);
  end
  if (OVERLAP < 0 || OVERLAP > 1 || DEPTHWISE < 0 || DEPTHWISE > 1) begin : gen_check_flags
    $error("swu: OVERLAP=%0d and DEPTHWISE=%0d must be 0 or 1", OVERLAP, DEPTHWISE);
  end

endmodule
