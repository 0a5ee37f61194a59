// Words along an axis from the edge of the frame to the last tap of a window, which is moved into the frame where it
// lies in the padding; and of the window behind it. The next number is limited to the frame ahead of time.
module headrace_window_words import headrace_pkg::*; #(
  parameter axis_t AXIS = SMALL_X,                            // the axis
  parameter int    BITS = index_bits(AXIS.size * AXIS.words)  // width of a number
) (
  input  logic            ap_clk,     // clock
  input  logic            ap_rst_n,   // synchronous reset, active low
  input  logic            to_window,  // to the next window,
  input  logic            wraps,      // which is the first one of the axis again
  output logic [BITS-1:0] words,      // to the last tap of the window
  output logic [BITS-1:0] next_words  // to that of the next window
);

  localparam int LAST     = (AXIS.size - 1) * AXIS.words;  // to the last element
  localparam int STEP     = AXIS.stride * AXIS.words;
  localparam int START    = (reach_of(AXIS) - AXIS.front) * AXIS.words;
  localparam int FIRST    = limited(START, LAST);
  localparam int SECOND   = limited(START + STEP, LAST);
  localparam int THIRD    = START + 2 * STEP;
  localparam int OUTSIDE  = larger(AXIS.front, AXIS.size + AXIS.back);
  localparam int FAR_BITS = 1 + $clog2((OUTSIDE + reach_of(AXIS) + 2 * AXIS.stride) * AXIS.words);

  logic [BITS-1:0]            words_q, next_words_q, limited_words;
  logic signed [FAR_BITS-1:0] far_words_q;  // to the last tap of the window behind the next, not limited to the frame
  assign limited_words = far_words_q[FAR_BITS-1] ? '0
                       : far_words_q > FAR_BITS'(LAST) ? BITS'(LAST) : BITS'(far_words_q);

  // The return to the first window has a branch of its own, which synthesis makes a reset of the registers.
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      words_q      <= BITS'(FIRST);
      next_words_q <= BITS'(SECOND);
      far_words_q  <= FAR_BITS'(THIRD);
    end else if (to_window && wraps) begin
      words_q      <= BITS'(FIRST);
      next_words_q <= BITS'(SECOND);
      far_words_q  <= FAR_BITS'(THIRD);
    end else if (to_window) begin
      words_q      <= next_words_q;
      next_words_q <= limited_words;
      far_words_q  <= far_words_q + FAR_BITS'(STEP);
    end
  end
  assign words      = words_q;
  assign next_words = next_words_q;

endmodule
