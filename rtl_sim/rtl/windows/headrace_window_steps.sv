// The loops over frames, lines, windows and taps of a window, channel folds innermost or (DEPTHWISE) around the taps;
// what the tap in hand leads to.
module headrace_window_steps import headrace_pkg::*; #(
  parameter axis_t X         = SMALL_X,  // columns
  parameter axis_t Y         = SMALL_Y,  // rows
  parameter bit    DEPTHWISE = 0         // a window is all taps of one channel fold after the other
) (
  input  logic         ap_clk,    // clock
  input  logic         ap_rst_n,  // synchronous reset, active low
  input  logic         emit,      // the tap leaves
  output window_step_t step       // what follows
);

  // Words of a run lie side by side: the folds of a tap, or all taps of a row where no one needs to know their columns.
  localparam bit JOINED     = X.front + X.back == 0 && X.dilation == 1 && !DEPTHWISE;
  localparam int RUN        = JOINED ? X.taps * X.words : X.words;
  localparam int TAPS_W     = JOINED ? 1 : X.taps;
  localparam int OUT_WIDTH  = windows_of(X);
  localparam int OUT_HEIGHT = windows_of(Y);

  // Which counter turns.
  logic run_last, kw_last, kh_last, ow_last, oh_last, run_turns, kw_turns, kh_turns, window_ends;
  assign run_turns   = !DEPTHWISE || (kw_last && kh_last);
  assign kw_turns    = DEPTHWISE || run_last;
  assign kh_turns    = kw_turns && kw_last;
  assign window_ends = run_last && kw_last && kh_last;

  assign step.run         = run_turns && !run_last;
  assign step.column      = kw_turns && !kw_last;
  assign step.row         = kh_turns && !kh_last;
  assign step.window      = window_ends && !ow_last;
  assign step.line        = window_ends && ow_last && !oh_last;
  assign step.ends_window = window_ends;
  assign step.last_window = ow_last;
  assign step.last_line   = oh_last;

  headrace_loop #(.SIZE(RUN)) u_run (.ap_clk, .ap_rst_n, .turn(emit && run_turns), .last(run_last));
  headrace_loop #(.SIZE(TAPS_W)) u_kw (.ap_clk, .ap_rst_n, .turn(emit && kw_turns), .last(kw_last));
  headrace_loop #(.SIZE(Y.taps)) u_kh (.ap_clk, .ap_rst_n, .turn(emit && kh_turns), .last(kh_last));
  headrace_loop #(.SIZE(OUT_WIDTH)) u_ow (.ap_clk, .ap_rst_n, .turn(emit && window_ends), .last(ow_last));
  headrace_loop #(.SIZE(OUT_HEIGHT)) u_oh (.ap_clk, .ap_rst_n, .turn(emit && window_ends && ow_last), .last(oh_last));

endmodule
