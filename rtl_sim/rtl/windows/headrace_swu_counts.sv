// What reader and writer of a window buffer wait for (headrace_swu.sv). Every step of the writer moves its address by
// one of a few constants, so that counters of differences replace all addresses but its own:
//   lead   words taken above the address of the tap: a tap inside the frame waits for its word;
//   filled words in the buffer that a tap may still read, less DEPTH: a word waits until that is negative. They leave at
//          the end of a window that is the last to show them: those before its first tap where a window starts in the
//          frame, since later windows start behind it, and what is left of a line or of the frame at its end;
//   ahead  words taken above the first one of the writer's frame: the first tap of a frame waits for its first word;
//   open   (OVERLAP=0) words taken above the first one of the writer's frame, less the words of a frame: the first word
//          of a frame waits for the last tap of the frame before.
module headrace_swu_counts import headrace_pkg::*; #(
  parameter axis_t X         = SMALL_X,  // columns
  parameter axis_t Y         = SMALL_Y,  // rows
  parameter int    DEPTH     = 32,       // words of the buffer, a power of two
  parameter bit    OVERLAP   = 1,        // the next frame may enter while this one leaves
  parameter bit    DEPTHWISE = 0,        // a window is all taps of one channel fold after the other
  parameter int    X_BITS    = 4,        // width of a place along the columns
  parameter int    Y_BITS    = 4         // width of a place along the rows
) (
  input  logic                     ap_clk,    // clock
  input  logic                     ap_rst_n,  // synchronous reset, active low
  input  logic                     take,      // a word is taken
  input  logic                     emit,      // the tap leaves
  input  window_step_t             step,      // what follows it
  input  logic                     in_frame,  // it lies in the frame
  input  logic signed [X_BITS-1:0] first_x,   // place of the window's first tap; 0 where there is no padding
  input  logic signed [Y_BITS-1:0] first_y,
  output logic [$clog2(DEPTH)-1:0] address,   // of the tap's word in the buffer
  output logic                     present,   // the word is there, or the padding may leave
  output logic                     room,      // there is room for one more word in the next cycle
  output logic                     open       // one more word of the frame may come now
);

  localparam int ADDR_BITS  = $clog2(DEPTH);
  localparam int FOLDS      = X.words;
  localparam int ROW        = Y.words;
  localparam int WORDS      = Y.size * ROW;
  localparam int BACK_H     = reach_of(Y);
  localparam int BACK_W     = reach_of(X);
  localparam int OUT_HEIGHT = windows_of(Y);
  localparam int OUT_WIDTH  = windows_of(X);
  localparam bit PADS_W     = X.front + X.back > 0;
  localparam bit PADS_H     = Y.front + Y.back > 0;
  localparam bit PADS       = PADS_W || PADS_H;

  // Steps of the address from one tap and fold to the next.
  localparam int BACK_FOLD = FOLDS - 1;
  localparam int REACH     = BACK_H * ROW + BACK_W * FOLDS + BACK_FOLD;  // from the first to the last tap
  localparam int AT_FOLD   = DEPTHWISE ? 0 : BACK_FOLD;  // fold in which a tap is left for the next one
  localparam int ORIGIN    = -Y.front * ROW - X.front * FOLDS;  // of the first tap of a frame
  localparam int LINE_END  = (OUT_WIDTH - 1) * X.stride * FOLDS;
  localparam int TO_FOLD   = DEPTHWISE ? 1 - BACK_H * ROW - BACK_W * FOLDS : 1;
  localparam int TO_COLUMN = X.dilation * FOLDS - AT_FOLD;
  localparam int TO_ROW    = Y.dilation * ROW - BACK_W * FOLDS - AT_FOLD;
  localparam int TO_WINDOW = X.stride * FOLDS - REACH;
  localparam int TO_LINE   = Y.stride * ROW - LINE_END - REACH;
  localparam int TO_FRAME  = WORDS - (OUT_HEIGHT - 1) * Y.stride * ROW - LINE_END - REACH;

  // What ends of windows release: columns up to the next window's first tap where that lies in the frame, lines from
  // the one on that starts in the frame, all of the frame by the last one that does.
  localparam int FIRST_COLUMN = (X.front + X.stride - 1) / X.stride;  // window whose first tap is in the frame
  localparam int FREE_COLUMNS = smaller((X.size + X.front) / X.stride, OUT_WIDTH - 1);
  localparam int FIRST_X      = FIRST_COLUMN * X.stride - X.front;
  localparam int FREED        = FREE_COLUMNS < FIRST_COLUMN ? 0 :  // by a line
                                (FIRST_X + (FREE_COLUMNS - FIRST_COLUMN) * X.stride) * FOLDS;
  localparam int FIRST_LINE   = (Y.front + Y.stride - 1) / Y.stride;
  localparam int FIRST_ROW    = FIRST_LINE * Y.stride - Y.front;
  localparam int LAST_LINE    = smaller((Y.size - 1 + Y.front) / Y.stride, OUT_HEIGHT - 1);
  localparam bit IN_FRAME     = LAST_LINE >= FIRST_LINE;  // lines start in the frame
  localparam int LAST_ROW     = LAST_LINE * Y.stride - Y.front;
  localparam int GAIN_WINDOW  = X.stride * FOLDS;
  localparam int GAIN_LINE    = Y.stride * ROW - FREED;
  localparam int GAIN_LAST    = IN_FRAME ? WORDS - LAST_ROW * ROW - FREED : WORDS;

  // How far the differences reach. More is released than was taken only while words come that no window shows.
  localparam bit OVERLAPS   = Y.front <= BACK_H && Y.back <= BACK_H && X.front <= BACK_W && X.back <= BACK_W;
  localparam int SKIPPED    = (Y.stride + Y.dilation + 1) * ROW + X.stride * FOLDS;  // where every window shows words
  localparam int MOST_EARLY = OVERLAPS && SKIPPED < WORDS ? SKIPPED : WORDS;
  localparam int MOST_GAIN  = larger(GAIN_WINDOW, larger(GAIN_LINE, GAIN_LAST));
  localparam int UNSHOWN    = larger(MOST_GAIN - REACH, 0);  // without padding
  localparam int EARLY      = PADS ? MOST_EARLY : UNSHOWN;
  localparam int SPACE_BITS = $clog2(DEPTH + EARLY + 1) + 1;
  localparam int OUTSIDE    = (Y.front + Y.back) * ROW + (X.front + X.back + X.stride) * FOLDS;
  localparam int LEAD_BITS  = $clog2(DEPTH + EARLY + REACH + OUTSIDE + 2) + 1;
  localparam int AHEAD_BITS = $clog2(DEPTH + WORDS + 1) + 1;

  // The tap's address, and how many words above it were taken, less one.
  logic [ADDR_BITS-1:0] address_q, address_step;
  logic [LEAD_BITS-1:0] lead_q, lead_d, lead_step;
  assign address_step = step.run    ? ADDR_BITS'(TO_FOLD)
                      : step.column ? ADDR_BITS'(TO_COLUMN)
                      : step.row    ? ADDR_BITS'(TO_ROW)
                      : step.window ? ADDR_BITS'(TO_WINDOW)
                      : step.line   ? ADDR_BITS'(TO_LINE)
                                    : ADDR_BITS'(TO_FRAME);
  assign lead_step    = !emit       ? '0
                      : step.run    ? LEAD_BITS'(-TO_FOLD)
                      : step.column ? LEAD_BITS'(-TO_COLUMN)
                      : step.row    ? LEAD_BITS'(-TO_ROW)
                      : step.window ? LEAD_BITS'(-TO_WINDOW)
                      : step.line   ? LEAD_BITS'(-TO_LINE)
                                    : LEAD_BITS'(-TO_FRAME);
  headrace_carry_adder #(.BITS(LEAD_BITS)) u_lead (.a(lead_q), .b(lead_step), .carry_in(take), .sum(lead_d));
  assign address = address_q;

  // Where the window starts.
  logic frees_column, frees_first, in_lines, last_in_frame, frees_above;
  if (PADS_W) begin : gen_columns
    assign frees_column = !first_x[X_BITS-1] && first_x <= X_BITS'(X.size - X.stride);
    assign frees_first  = FIRST_X > 0 && FIRST_X <= X.size && first_x == X_BITS'(FIRST_X - X.stride);
  end else begin : gen_all_columns
    logic unused_x;
    assign unused_x     = ^first_x;
    assign frees_column = 1'b1;
    assign frees_first  = 1'b0;
  end
  if (PADS_H) begin : gen_rows
    assign in_lines      = !first_y[Y_BITS-1] && first_y < Y_BITS'(Y.size);
    assign last_in_frame = IN_FRAME ? first_y == Y_BITS'(LAST_ROW) : step.last_line;
    assign frees_above   = IN_FRAME && FIRST_ROW > 0 && first_y == Y_BITS'(FIRST_ROW - Y.stride);
  end else begin : gen_all_rows
    logic unused_y;
    assign unused_y      = ^first_y;
    assign in_lines      = 1'b1;
    assign last_in_frame = step.last_line;
    assign frees_above   = 1'b0;
  end

  // What its end releases: where there is padding a register, as a window of several taps stands still long enough.
  localparam bit KNOWN = PADS && X.taps * Y.taps * FOLDS > 1;
  typedef enum logic [2:0] {NOTHING, COLUMN, TO_FIRST, LAST, LINE, ABOVE} release_t;
  release_t releases_d, releases;
  assign releases_d = !step.last_window && in_lines && frees_column ? COLUMN
                    : !step.last_window && in_lines && frees_first  ? TO_FIRST
                    : !step.last_window                             ? NOTHING
                    : last_in_frame                                 ? LAST
                    : in_lines                                      ? LINE
                    : frees_above                                   ? ABOVE
                                                                    : NOTHING;
  if (KNOWN) begin : gen_known
    release_t releases_q;
    always_ff @(posedge ap_clk) releases_q <= releases_d;
    assign releases = releases_q;
  end else begin : gen_at_once
    assign releases = releases_d;
  end

  // Words in the buffer, less DEPTH.
  logic [SPACE_BITS-1:0] filled_q, filled_d, filled_step;
  always_comb begin
    filled_step = '0;
    if (emit && step.ends_window) begin
      case (releases)
        COLUMN:   filled_step = SPACE_BITS'(-GAIN_WINDOW);
        TO_FIRST: filled_step = SPACE_BITS'(-FIRST_X * FOLDS);
        LAST:     filled_step = SPACE_BITS'(-GAIN_LAST);
        LINE:     filled_step = SPACE_BITS'(-GAIN_LINE);
        ABOVE:    filled_step = SPACE_BITS'(-FIRST_ROW * ROW);
        default:  filled_step = '0;
      endcase
    end
  end
  headrace_carry_adder #(.BITS(SPACE_BITS)) u_filled (.a(filled_q), .b(filled_step), .carry_in(take), .sum(filled_d));
  assign room = filled_d[SPACE_BITS-1];

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      address_q <= ADDR_BITS'(ORIGIN);
      lead_q    <= LEAD_BITS'(-ORIGIN - 1);
      filled_q  <= SPACE_BITS'(-DEPTH);
    end else begin
      if (emit) address_q <= address_q + address_step;
      lead_q   <= lead_d;
      filled_q <= filled_d;
    end
  end

  // Words taken of the writer's frame, less one; negative also while words of the frame before still come in.
  logic frame_ends, started, unused_end;
  assign frame_ends = emit && step.ends_window && step.last_window && step.last_line;
  assign unused_end = frame_ends;  // where nothing is counted per frame
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
  assign present = started && !(in_frame && lead_q[LEAD_BITS-1]);  // a word of the frame is not there before its first

  // The next word in may belong to the writer's frame: fewer than WORDS of that were taken, which the sign tells.
  if (!OVERLAP) begin : gen_open
    localparam int OPEN_BITS = $clog2(2 * WORDS + 1) + 1;
    logic [OPEN_BITS-1:0] open_q, open_d;
    headrace_carry_adder #(.BITS(OPEN_BITS)) u_open (
      .a(open_q), .b(frame_ends ? OPEN_BITS'(-WORDS) : '0), .carry_in(take), .sum(open_d)
    );
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) open_q <= OPEN_BITS'(-WORDS);
      else open_q <= open_d;
    end
    assign open = open_q[OPEN_BITS-1];
  end else begin : gen_always_open
    assign open = 1'b1;
  end

endmodule
