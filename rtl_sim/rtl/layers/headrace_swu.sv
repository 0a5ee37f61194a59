// Sliding window unit: im2col as a stream, pads made on the fly.
//
// A circular buffer of DEPTH words. The reader fills it. The writer emits for each window its taps (kh, kw, channel
// fold; DEPTHWISE: channel fold, kh, kw); a tap in the padding is PAD_CODE in all lanes and reads nothing. Every step
// of the writer moves its address by one of a few constants, so that counters of differences replace all addresses:
//   lead   words taken above the address of the tap: a tap inside the frame waits for its word;
//   space  words that may be taken before one is lost that a tap may still read: a word waits for space. It grows at
//          the end of a window, by the words that no later window shows: those before its first tap where a window
//          starts in the frame, since later windows start behind it, and what is left of a line or of the frame at its
//          end;
//   ahead  words taken above the first one of the writer's frame: the first tap of a frame waits for its first word;
//   open   (OVERLAP=0) the same, less the words of a frame: the first word of a frame waits for the last tap of the
//          frame before.
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
  localparam int BACK_H     = kernel_reach(KERNEL_H, DILATION_H);
  localparam int BACK_W     = kernel_reach(KERNEL_W, DILATION_W);
  localparam int OUT_HEIGHT = window_count(HEIGHT, PAD_T + PAD_B, BACK_H, STRIDE_H);
  localparam int OUT_WIDTH  = window_count(WIDTH, PAD_L + PAD_R, BACK_W, STRIDE_W);
  localparam int ADDR_BITS  = $clog2(DEPTH);
  localparam bit PADS_W     = PAD_L + PAD_R > 0;
  localparam bit PADS_H     = PAD_T + PAD_B > 0;
  localparam bit PADS       = PADS_W || PADS_H;

  // Words of a run lie side by side: the folds of a tap, or all taps of a row where no one needs to know their columns.
  localparam bit JOINED     = !PADS_W && DILATION_W == 1 && DEPTHWISE == 0;
  localparam int RUN        = JOINED ? KERNEL_W * FOLDS : FOLDS;
  localparam int TAPS_W     = JOINED ? 1 : KERNEL_W;

  // Steps of the address from one tap and fold to the next.
  localparam int ROW       = WIDTH * FOLDS;
  localparam int BACK_FOLD = FOLDS - 1;
  localparam int REACH     = BACK_H * ROW + BACK_W * FOLDS + BACK_FOLD;  // from the first to the last tap
  localparam int AT_FOLD   = DEPTHWISE != 0 ? 0 : BACK_FOLD;  // fold in which a tap is left for the next one
  localparam int ORIGIN    = -PAD_T * ROW - PAD_L * FOLDS;    // of the first tap of a frame
  localparam int LINE_END  = (OUT_WIDTH - 1) * STRIDE_W * FOLDS;
  localparam int TO_FOLD   = DEPTHWISE != 0 ? 1 - BACK_H * ROW - BACK_W * FOLDS : 1;
  localparam int TO_COLUMN = DILATION_W * FOLDS - AT_FOLD;
  localparam int TO_ROW    = DILATION_H * ROW - BACK_W * FOLDS - AT_FOLD;
  localparam int TO_WINDOW = STRIDE_W * FOLDS - REACH;
  localparam int TO_LINE   = STRIDE_H * ROW - LINE_END - REACH;
  localparam int TO_FRAME  = WORDS - (OUT_HEIGHT - 1) * STRIDE_H * ROW - LINE_END - REACH;

  // What ends of windows release: columns up to the next window's first tap where that lies in the frame, lines from
  // the one on that starts in the frame, all of the frame by the last one that does.
  localparam int FIRST_COLUMN = (PAD_L + STRIDE_W - 1) / STRIDE_W;  // window whose first tap is the first in the frame
  localparam int FREE_COLUMNS = (WIDTH + PAD_L) / STRIDE_W < OUT_WIDTH - 1 ? (WIDTH + PAD_L) / STRIDE_W : OUT_WIDTH - 1;
  localparam int FIRST_X      = FIRST_COLUMN * STRIDE_W - PAD_L;
  localparam int FREED        = FREE_COLUMNS < FIRST_COLUMN ? 0 :  // by a line
                                (FIRST_X + (FREE_COLUMNS - FIRST_COLUMN) * STRIDE_W) * FOLDS;
  localparam int FIRST_LINE   = (PAD_T + STRIDE_H - 1) / STRIDE_H;
  localparam int FIRST_ROW    = FIRST_LINE * STRIDE_H - PAD_T;
  localparam int LAST_LINE    = (HEIGHT - 1 + PAD_T) / STRIDE_H < OUT_HEIGHT - 1 ? (HEIGHT - 1 + PAD_T) / STRIDE_H
                                                                                : OUT_HEIGHT - 1;
  localparam bit IN_FRAME     = LAST_LINE >= FIRST_LINE;  // lines start in the frame
  localparam int LAST_ROW     = LAST_LINE * STRIDE_H - PAD_T;
  localparam int GAIN_WINDOW  = STRIDE_W * FOLDS;
  localparam int GAIN_LINE    = STRIDE_H * ROW - FREED;
  localparam int GAIN_LAST    = IN_FRAME ? WORDS - LAST_ROW * ROW - FREED : WORDS;

  // How far the differences reach. More is released than was taken only while words come that no window shows.
  localparam bit OVERLAPS   = PAD_T <= BACK_H && PAD_B <= BACK_H && PAD_L <= BACK_W && PAD_R <= BACK_W;
  localparam int SKIPPED    = (STRIDE_H + DILATION_H + 1) * ROW + STRIDE_W * FOLDS;  // where every window shows words
  localparam int MOST_EARLY = OVERLAPS && SKIPPED < WORDS ? SKIPPED : WORDS;
  localparam int MOST_GAIN  = GAIN_WINDOW > GAIN_LINE ? (GAIN_WINDOW > GAIN_LAST ? GAIN_WINDOW : GAIN_LAST)
                                                      : (GAIN_LINE > GAIN_LAST ? GAIN_LINE : GAIN_LAST);
  localparam int UNSHOWN    = MOST_GAIN > REACH ? MOST_GAIN - REACH : 0;  // without padding
  localparam int EARLY      = PADS ? MOST_EARLY : UNSHOWN;
  localparam int SPACE_BITS = $clog2(DEPTH + EARLY + 1) + 1;
  localparam int OUTSIDE    = (PAD_T + PAD_B) * ROW + (PAD_L + PAD_R + STRIDE_W) * FOLDS;
  localparam int LEAD_BITS  = $clog2(DEPTH + EARLY + REACH + OUTSIDE + 2) + 1;
  localparam int AHEAD_BITS = $clog2(DEPTH + WORDS + 1) + 1;

  localparam int RUN_BITS = index_bits(RUN);
  localparam int KW_BITS  = index_bits(TAPS_W);
  localparam int KH_BITS  = index_bits(KERNEL_H);
  localparam int OW_BITS  = index_bits(OUT_WIDTH);
  localparam int OH_BITS  = index_bits(OUT_HEIGHT);

  logic en, take, emit, frame_ends, unused;
  assign unused = ^{s_axis_TDATA, frame_ends};

  // Position of the writer: counters of its loops.
  logic [RUN_BITS-1:0] run_q;
  logic [KW_BITS-1:0]  kw_q;
  logic [KH_BITS-1:0]  kh_q;
  logic [OW_BITS-1:0]  ow_q;
  logic [OH_BITS-1:0]  oh_q;
  logic                run_last, kw_last, kh_last, ow_last, oh_last;
  assign run_last = run_q == RUN_BITS'(RUN - 1);
  assign kw_last  = kw_q == KW_BITS'(TAPS_W - 1);
  assign kh_last  = kh_q == KH_BITS'(KERNEL_H - 1);
  assign ow_last  = ow_q == OW_BITS'(OUT_WIDTH - 1);
  assign oh_last  = oh_q == OH_BITS'(OUT_HEIGHT - 1);

  // Which counter turns: the folds are the innermost loop, or (DEPTHWISE) the one around the taps.
  logic run_turns, kw_turns, kh_turns, window_ends;
  assign run_turns   = DEPTHWISE == 0 || (kw_last && kh_last);
  assign kw_turns    = DEPTHWISE != 0 || run_last;
  assign kh_turns    = kw_turns && kw_last;
  assign window_ends = run_last && kw_last && kh_last;

  // What the step leads to: one of these, or the next frame.
  logic next_run, next_column, next_row, next_window, next_line;
  assign next_run    = run_turns && !run_last;
  assign next_column = kw_turns && !kw_last;
  assign next_row    = kh_turns && !kh_last;
  assign next_window = window_ends && !ow_last;
  assign next_line   = window_ends && ow_last && !oh_last;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      run_q <= '0;
      kw_q  <= '0;
      kh_q  <= '0;
      ow_q  <= '0;
      oh_q  <= '0;
    end else if (emit) begin
      if (run_turns) run_q <= run_last ? '0 : run_q + 1'b1;
      if (kw_turns) kw_q <= kw_last ? '0 : kw_q + 1'b1;
      if (kh_turns) kh_q <= kh_last ? '0 : kh_q + 1'b1;
      if (window_ends) ow_q <= ow_last ? '0 : ow_q + 1'b1;
      if (window_ends && ow_last) oh_q <= oh_last ? '0 : oh_q + 1'b1;
    end
  end

  // The tap's place, where there is padding, and that of the window's first tap.
  logic in_columns, in_rows, frees_column, frees_first;
  if (PADS_W) begin : gen_columns
    localparam int X_BITS = $clog2((PAD_L > WIDTH + PAD_R ? PAD_L : WIDTH + PAD_R) + STRIDE_W + 1) + 1;
    logic signed [X_BITS-1:0] x_q, first_x_q;
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        x_q       <= X_BITS'(-PAD_L);
        first_x_q <= X_BITS'(-PAD_L);
      end else if (emit) begin
        if (next_column) x_q <= x_q + X_BITS'(DILATION_W);
        else if (next_row || next_run && DEPTHWISE != 0) x_q <= first_x_q;
        else if (window_ends) x_q <= ow_last ? X_BITS'(-PAD_L) : first_x_q + X_BITS'(STRIDE_W);
        if (window_ends) first_x_q <= ow_last ? X_BITS'(-PAD_L) : first_x_q + X_BITS'(STRIDE_W);
      end
    end
    assign in_columns   = !x_q[X_BITS-1] && x_q < X_BITS'(WIDTH);
    assign frees_column = !first_x_q[X_BITS-1] && first_x_q <= X_BITS'(WIDTH - STRIDE_W);
    assign frees_first  = FIRST_X > 0 && FIRST_X <= WIDTH && first_x_q == X_BITS'(FIRST_X - STRIDE_W);
  end else begin : gen_all_columns
    assign in_columns   = 1'b1;
    assign frees_column = 1'b1;
    assign frees_first  = 1'b0;
  end

  logic in_lines, last_in_frame, frees_above;  // of the window's first row
  if (PADS_H) begin : gen_rows
    localparam int Y_BITS = $clog2((PAD_T > HEIGHT + PAD_B ? PAD_T : HEIGHT + PAD_B) + STRIDE_H + 1) + 1;
    logic signed [Y_BITS-1:0] y_q, first_y_q;
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        y_q       <= Y_BITS'(-PAD_T);
        first_y_q <= Y_BITS'(-PAD_T);
      end else if (emit) begin
        if (next_row) y_q <= y_q + Y_BITS'(DILATION_H);
        else if (next_window || next_run && DEPTHWISE != 0) y_q <= first_y_q;
        else if (window_ends) y_q <= oh_last ? Y_BITS'(-PAD_T) : first_y_q + Y_BITS'(STRIDE_H);
        if (window_ends && ow_last) first_y_q <= oh_last ? Y_BITS'(-PAD_T) : first_y_q + Y_BITS'(STRIDE_H);
      end
    end
    assign in_rows       = !y_q[Y_BITS-1] && y_q < Y_BITS'(HEIGHT);
    assign frees_above   = IN_FRAME && FIRST_ROW > 0 && first_y_q == Y_BITS'(FIRST_ROW - STRIDE_H);
    assign in_lines      = !first_y_q[Y_BITS-1] && first_y_q < Y_BITS'(HEIGHT);
    assign last_in_frame = IN_FRAME && first_y_q == Y_BITS'(LAST_ROW);
  end else begin : gen_all_rows
    assign in_rows       = 1'b1;
    assign frees_above   = 1'b0;
    assign in_lines      = 1'b1;
    assign last_in_frame = oh_last;
  end

  // The tap's address, and how many words above it were taken, less one.
  logic [ADDR_BITS-1:0] address_q, address_step;
  logic [LEAD_BITS-1:0] lead_q, lead_d, lead_step;
  assign address_step = next_run    ? ADDR_BITS'(TO_FOLD)
                      : next_column ? ADDR_BITS'(TO_COLUMN)
                      : next_row    ? ADDR_BITS'(TO_ROW)
                      : next_window ? ADDR_BITS'(TO_WINDOW)
                      : next_line   ? ADDR_BITS'(TO_LINE)
                                    : ADDR_BITS'(TO_FRAME);
  assign lead_step    = !emit       ? '0
                      : next_run    ? LEAD_BITS'(-TO_FOLD)
                      : next_column ? LEAD_BITS'(-TO_COLUMN)
                      : next_row    ? LEAD_BITS'(-TO_ROW)
                      : next_window ? LEAD_BITS'(-TO_WINDOW)
                      : next_line   ? LEAD_BITS'(-TO_LINE)
                                    : LEAD_BITS'(-TO_FRAME);
  headrace_carry_adder #(.BITS(LEAD_BITS)) u_lead (.a(lead_q), .b(lead_step), .carry_in(take), .sum(lead_d));

  // Words that may be taken, less one.
  logic [SPACE_BITS-1:0] space_q, space_d, gain_less_one;
  assign gain_less_one = !(emit && window_ends)               ? '1
                       : !ow_last && in_lines && frees_column ? SPACE_BITS'(GAIN_WINDOW - 1)
                       : !ow_last && in_lines && frees_first  ? SPACE_BITS'(FIRST_X * FOLDS - 1)
                       : !ow_last                             ? '1
                       : (IN_FRAME ? last_in_frame : oh_last) ? SPACE_BITS'(GAIN_LAST - 1)
                       : in_lines                             ? SPACE_BITS'(GAIN_LINE - 1)
                       : frees_above                          ? SPACE_BITS'(FIRST_ROW * ROW - 1)
                                                              : '1;
  headrace_carry_adder #(.BITS(SPACE_BITS)) u_space (.a(space_q), .b(gain_less_one), .carry_in(!take), .sum(space_d));

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      address_q <= ADDR_BITS'(ORIGIN);
      lead_q    <= LEAD_BITS'(-ORIGIN - 1);
      space_q   <= SPACE_BITS'(DEPTH - 1);
    end else begin
      if (emit) address_q <= address_q + address_step;
      lead_q  <= lead_d;
      space_q <= space_d;
    end
  end

  // Words taken of the writer's frame, less one; negative also while words of the frame before still come in.
  logic started;
  assign frame_ends = emit && window_ends && ow_last && oh_last;
  if (PADS) begin : gen_ahead
    logic [AHEAD_BITS-1:0] ahead_q, ahead_d;
    headrace_carry_adder #(.BITS(AHEAD_BITS)) u_ahead (
      .a(ahead_q), .b(frame_ends ? AHEAD_BITS'(-WORDS) : '0), .carry_in(take), .sum(ahead_d)
    );
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) ahead_q <= '1;
      else ahead_q <= ahead_d;
    end
    assign started = !ahead_q[AHEAD_BITS-1];
  end else begin : gen_no_ahead
    assign started = 1'b1;
  end

  // The next word in may belong to the writer's frame: fewer than WORDS of that were taken, which the sign tells.
  logic frame_open;
  if (OVERLAP == 0) begin : gen_open
    localparam int OPEN_BITS = $clog2(2 * WORDS + 1) + 1;
    logic [OPEN_BITS-1:0] open_q, open_d;
    headrace_carry_adder #(.BITS(OPEN_BITS)) u_open (
      .a(open_q), .b(frame_ends ? OPEN_BITS'(-WORDS) : '0), .carry_in(take), .sum(open_d)
    );
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) open_q <= OPEN_BITS'(-WORDS);
      else open_q <= open_d;
    end
    assign frame_open = open_d[OPEN_BITS-1];
  end else begin : gen_always_open
    assign frame_open = 1'b1;
  end

  logic ready_q;  // no word is taken in reset
  always_ff @(posedge ap_clk) ready_q <= ap_rst_n && !space_d[SPACE_BITS-1] && frame_open;
  assign s_axis_TREADY = ready_q;
  assign take          = s_axis_TVALID && ready_q;

  // The buffer. Its read register is the output.
  logic [ADDR_BITS-1:0] taken_q;  // address of the next word in
  logic                 valid_q, in_frame;
  assign in_frame = in_columns && in_rows;
  assign en       = m_axis_TREADY || !valid_q;
  assign emit     = en && (in_frame ? !lead_q[LEAD_BITS-1] : started);
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) taken_q <= '0;
    else if (take) taken_q <= taken_q + 1'b1;
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= emit;
  end

  headrace_ram #(.DEPTH(DEPTH), .BITS(BITS), .CLEAR({SIMD{E_BITS'(PAD_CODE)}})) u_words (
    .ap_clk, .write(take), .write_address(taken_q), .write_data(s_axis_TDATA[BITS-1:0]),
    .read(en), .read_address(address_q), .clear(!in_frame), .read_data(m_axis_TDATA[BITS-1:0])
  );
  assign m_axis_TVALID = valid_q;
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
