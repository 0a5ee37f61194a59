// The loop over the windows along an axis, and what the way from the last tap of a window to that of the next one costs:
// words from the former to the latter, each moved into the frame where it lies in the padding, less than nothing, and
// OFFSET more. The steps are few different constants; the one in hand is a register.
module headrace_window_loop import headrace_pkg::*; #(
  parameter axis_t AXIS   = SMALL_X,  // the axis
  parameter int    OFFSET = 0,        // what is added to a step
  parameter int    BITS   = 8         // width of a step
) (
  input  logic                   ap_clk,    // clock
  input  logic                   ap_rst_n,  // synchronous reset, active low
  input  logic                   turn,      // to the next window
  output logic                   last,      // the window is the last one
  output logic signed [BITS-1:0] step       // minus the words to the last tap of the next window, and OFFSET
);

  localparam int SIZE       = windows_of(AXIS);
  localparam int COUNT_BITS = index_bits(SIZE) + 1;

  // Windows [FULL, CUT) are followed by one whose last tap is a stride on; the last taps of those below FULL lie in
  // front of the frame, and those behind CUT end behind it.
  localparam int FULL = (larger(AXIS.front - reach_of(AXIS), 0) + AXIS.stride - 1) / AXIS.stride;
  localparam int CUT  = larger((AXIS.size - 1 + AXIS.front - reach_of(AXIS)) / AXIS.stride, FULL);

  localparam int FIRST     = OFFSET + words_to(AXIS, 0) - words_to(AXIS, 1);
  localparam int STEP_INTO = OFFSET + words_to(AXIS, FULL - 1) - words_to(AXIS, FULL);
  localparam int STEP_FULL = OFFSET - AXIS.stride * AXIS.words;
  localparam int STEP_CUT  = OFFSET + words_to(AXIS, CUT) - words_to(AXIS, CUT + 1);

  logic        [COUNT_BITS-1:0] count_q, next;
  logic                         last_q;
  logic signed [BITS-1:0]       step_q, next_step;
  assign next = count_q + 1'b1;
  always_comb begin
    next_step = BITS'(OFFSET);
    if (next >= COUNT_BITS'(smaller(FULL, SIZE)) && next < COUNT_BITS'(smaller(CUT, SIZE))) begin
      next_step = BITS'(STEP_FULL);
    end else if (CUT < SIZE && next == COUNT_BITS'(CUT)) begin
      next_step = BITS'(STEP_CUT);
    end else if (FULL > 1 && FULL <= SIZE && next == COUNT_BITS'(FULL - 1)) begin
      next_step = BITS'(STEP_INTO);
    end
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      count_q <= '0;
      last_q  <= SIZE == 1;
      step_q  <= BITS'(FIRST);
    end else if (turn) begin
      count_q <= last_q ? '0 : next;
      last_q  <= last_q ? SIZE == 1 : next == COUNT_BITS'(SIZE - 1);
      step_q  <= last_q ? BITS'(FIRST) : next_step;
    end
  end
  assign last = last_q;
  assign step = step_q;

endmodule
