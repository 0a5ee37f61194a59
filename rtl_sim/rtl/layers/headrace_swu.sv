// Sliding window unit: im2col as a stream, pads made on the fly.
//
// A circular buffer of DEPTH words. The reader fills it. The writer emits for each window its taps (kh, kw, channel
// fold; DEPTHWISE: channel fold, kh, kw); a tap in the padding is PAD_CODE in all lanes and reads nothing. Reader and
// writer wait for each other by differences of counts (headrace_swu_counts.sv).
// TDATA, TVALID and TREADY are registers; a word in is stored at once.
module headrace_swu import headrace_pkg::*; #(
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
  // Options, left out where they are not used:
  parameter int OVERLAP    = 1,  // the next frame may enter while this one leaves
  parameter int DEPTHWISE  = 0,  // a window is all taps of one channel fold after the other
  parameter bit URAM       = 0   // the buffer in UltraRAM
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

  localparam int    BITS      = SIMD * E_BITS;
  localparam int    FOLDS     = CHANNELS / SIMD;
  localparam axis_t X         = '{size: WIDTH, front: PAD_L, back: PAD_R, taps: KERNEL_W, stride: STRIDE_W,
                                  dilation: DILATION_W, words: FOLDS};
  localparam axis_t Y         = '{size: HEIGHT, front: PAD_T, back: PAD_B, taps: KERNEL_H, stride: STRIDE_H,
                                  dilation: DILATION_H, words: WIDTH * FOLDS};
  localparam int    SHOWN     = reach_of(Y) * Y.words + (reach_of(X) + 1) * FOLDS;  // words from first to last tap
  localparam int    ADDR_BITS = $clog2(DEPTH);
  localparam int    X_BITS    = place_bits_of(X, STRIDE_W + 1);
  localparam int    Y_BITS    = place_bits_of(Y, STRIDE_H + 1);

  // The writer's tap.
  logic         en, emit;  // it may leave, and does
  window_step_t step;
  headrace_window_steps #(.X(X), .Y(Y), .DEPTHWISE(DEPTHWISE != 0)) u_steps (.ap_clk, .ap_rst_n, .emit, .step);

  // Its place, where there is padding, and that of the window's first tap.
  logic                     again, in_columns, in_rows, out_rows, in_frame;
  logic signed [X_BITS-1:0] first_x;
  logic signed [Y_BITS-1:0] first_y;
  assign again    = DEPTHWISE != 0 && step.run;
  assign in_frame = in_columns && in_rows;
  logic unused;
  assign unused = ^s_axis_TDATA ^ again;
  if (PAD_L + PAD_R > 0) begin : gen_columns
    logic signed [X_BITS-1:0] x;
    logic                     outside_x, unused_x;
    headrace_window_place #(.AXIS(X), .BITS(X_BITS)) u_place (
      .ap_clk, .ap_rst_n, .move(emit), .to_tap(step.column), .to_first(step.row || again),
      .to_window(step.ends_window), .wraps(step.last_window), .tap(x), .in_frame(in_columns),
      .outside(outside_x), .first(first_x)
    );
    assign unused_x = ^x ^ outside_x;
  end else begin : gen_all_columns
    assign in_columns = 1'b1;
    assign first_x    = '0;
  end
  if (PAD_T + PAD_B > 0) begin : gen_rows
    logic signed [Y_BITS-1:0] y;
    logic                     unused_y;
    headrace_window_place #(.AXIS(Y), .BITS(Y_BITS)) u_place (
      .ap_clk, .ap_rst_n, .move(emit), .to_tap(step.row), .to_first(step.window || again),
      .to_window(step.ends_window), .wraps(step.last_line), .tap(y), .in_frame(in_rows),
      .outside(out_rows), .first(first_y)
    );
    assign unused_y = ^y;
  end else begin : gen_all_rows
    assign in_rows  = 1'b1;
    assign out_rows = 1'b0;
    assign first_y  = '0;
  end

  // Its address, whether it is there, and whether there is room for the next word in.
  logic                 take, present, room, open;
  logic [ADDR_BITS-1:0] address;
  headrace_swu_counts #(
    .X(X), .Y(Y), .DEPTH(DEPTH), .OVERLAP(OVERLAP != 0), .DEPTHWISE(DEPTHWISE != 0), .X_BITS(X_BITS), .Y_BITS(Y_BITS)
  ) u_counts (
    .ap_clk, .ap_rst_n, .take, .emit, .step, .in_frame(in_columns && !out_rows), .first_x, .first_y, .address, .present,
    .room, .open
  );

  logic ready_q;  // no word is taken in reset
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) ready_q <= 1'b0;
    else ready_q <= room;
  end
  assign s_axis_TREADY = ready_q && open;  // both from registers
  assign take          = s_axis_TVALID && s_axis_TREADY;

  // The buffer. Its read register is the output.
  logic [ADDR_BITS-1:0] taken_q;  // address of the next word in
  logic                 valid_q, empty_q;  // complements, so that what follows from the one does not wait for the other
  assign en   = m_axis_TREADY || !valid_q;
  assign emit = (m_axis_TREADY || empty_q) && present;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) taken_q <= '0;
    else if (take) taken_q <= taken_q + 1'b1;
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) {valid_q, empty_q} <= 2'b01;
    else if (en) {valid_q, empty_q} <= {emit, !emit};
  end

  headrace_ram #(.DEPTH(DEPTH), .BITS(BITS), .CLEAR({SIMD{E_BITS'(PAD_CODE)}}), .URAM(URAM)) u_words (
    .ap_clk, .write(take), .write_address(taken_q), .write_data(s_axis_TDATA[BITS-1:0]),
    .read(en), .read_address(address), .clear(!in_frame), .read_data(m_axis_TDATA[BITS-1:0])
  );
  assign m_axis_TVALID = valid_q;
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (CHANNELS % SIMD != 0) begin : gen_check_simd
    $error("swu: SIMD=%0d must divide CHANNELS=%0d", SIMD, CHANNELS);
  end
  if (DEPTH < 2 || DEPTH != 2 ** ADDR_BITS || DEPTH < SHOWN) begin : gen_check_depth
    $error("swu: DEPTH=%0d must be a power of two that holds a window of %0d words", DEPTH, SHOWN);
  end
  if (reach_of(Y) >= HEIGHT + PAD_T + PAD_B || reach_of(X) >= WIDTH + PAD_L + PAD_R) begin : gen_check_kernel
    $error("swu: a window of %0dx%0d does not fit into %0dx%0d and its padding", reach_of(Y) + 1, reach_of(X) + 1,
           HEIGHT, WIDTH);
  end
  if (OVERLAP < 0 || OVERLAP > 1 || DEPTHWISE < 0 || DEPTHWISE > 1) begin : gen_check_flags
    $error("swu: OVERLAP=%0d and DEPTHWISE=%0d must be 0 or 1", OVERLAP, DEPTHWISE);
  end

endmodule
