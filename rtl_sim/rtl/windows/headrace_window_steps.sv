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
  localparam int RUN_BITS   = index_bits(RUN);
  localparam int KW_BITS    = index_bits(TAPS_W);
  localparam int KH_BITS    = index_bits(Y.taps);
  localparam int OW_BITS    = index_bits(OUT_WIDTH);
  localparam int OH_BITS    = index_bits(OUT_HEIGHT);

  logic [RUN_BITS-1:0] run_q;
  logic [KW_BITS-1:0]  kw_q;
  logic [KH_BITS-1:0]  kh_q;
  logic [OW_BITS-1:0]  ow_q;
  logic [OH_BITS-1:0]  oh_q;
  logic                run_last, kw_last, kh_last, ow_last, oh_last;
  assign run_last = run_q == RUN_BITS'(RUN - 1);
  assign kw_last  = kw_q == KW_BITS'(TAPS_W - 1);
  assign kh_last  = kh_q == KH_BITS'(Y.taps - 1);
  assign ow_last  = ow_q == OW_BITS'(OUT_WIDTH - 1);
  assign oh_last  = oh_q == OH_BITS'(OUT_HEIGHT - 1);

  // Which counter turns.
  logic run_turns, kw_turns, kh_turns, window_ends;
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

endmodule
