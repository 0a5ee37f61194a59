// Which window leaves BANKS_H x BANKS_W memories (headrace_parallel_swu.sv), where its first tap lies in them, and
// whether all of it is there.
//
// A window waits for the word of its last tap, moved into the frame where it lies outside: `needed` is its place in the
// writer's frame, of which `ahead` words were taken. The next place is a sum of numbers that were limited to the frame
// ahead of time (headrace_window_words.sv).
module headrace_bank_writer import headrace_pkg::*; #(
  parameter axis_t X        = SMALL_X,  // columns
  parameter axis_t Y        = SMALL_Y,  // rows
  parameter int    BANKS_H  = 3,        // memories across the rows
  parameter int    BANKS_W  = 3,        // memories across the columns
  parameter int    SLOTS    = 2,        // rows per memory, a power of two
  parameter int    BANK_ROW = 4,        // words of a row in a bank
  parameter int    X_BITS   = 5,        // width of a place along the columns
  parameter int    Y_BITS   = 5,        // width of a place along the rows
  parameter int    ROW_BITS = 5         // width of a row's number, counted over all frames
) (
  input  logic                            ap_clk,       // clock
  input  logic                            ap_rst_n,     // synchronous reset, active low
  input  logic                            take,         // a word of the frame is taken
  input  logic                            en,           // the pipeline moves
  output logic                            emit,         // a window is read
  output logic signed [X_BITS-1:0]        x,            // place of its first tap
  output logic signed [Y_BITS-1:0]        y,
  output logic [index_bits(BANKS_H)-1:0]  row_bank,     // bank of that, across the rows
  output logic [index_bits(BANKS_W)-1:0]  column_bank,  // and across the columns
  output logic [index_bits(SLOTS)-1:0]    slot,         // its row in the bank
  output logic [index_bits(BANK_ROW)-1:0] column,       // its address in that row
  output logic [ROW_BITS-1:0]             keep          // oldest row that the windows of the cycle before show
);

  localparam int FOLDS      = X.words;
  localparam int WORDS      = Y.size * Y.words;
  localparam int OUT_WIDTH  = windows_of(X);
  localparam int OUT_HEIGHT = windows_of(Y);
  localparam int AHEAD_BITS = $clog2(WORDS + (SLOTS * BANKS_H + 2) * Y.words + 1) + 1;  // either sign
  localparam int N_BITS     = index_bits(WORDS);
  localparam int H_BITS     = index_bits(BANKS_H);
  localparam int W_BITS     = index_bits(BANKS_W);
  localparam int SLOT_BITS  = index_bits(SLOTS);
  localparam int A_BITS     = index_bits(BANK_ROW);

  // The row of the first tap moves by Y.stride from line to line and by FRAME_STEP, perhaps backwards, to the next
  // frame; its column by X.stride. As banks and rows or columns within them, the former not negative:
  localparam int FRAME_STEP  = Y.size - (OUT_HEIGHT - 1) * Y.stride;
  localparam int FRAME_BANK  = (FRAME_STEP % BANKS_H + BANKS_H) % BANKS_H;
  localparam int FRAME_SLOT  = (FRAME_STEP - FRAME_BANK) / BANKS_H;
  localparam int LINE_BANK   = Y.stride % BANKS_H;
  localparam int LINE_SLOT   = Y.stride / BANKS_H;
  localparam int TOP_BANK    = (BANKS_H - Y.front % BANKS_H) % BANKS_H;
  localparam int TOP_SLOT    = (-Y.front - TOP_BANK) / BANKS_H;
  localparam int WINDOW_BANK = X.stride % BANKS_W;
  localparam int WINDOW_STEP = X.stride / BANKS_W * FOLDS;
  localparam int LEFT_BANK   = (BANKS_W - X.front % BANKS_W) % BANKS_W;
  localparam int LEFT_STEP   = (-X.front - LEFT_BANK) / BANKS_W * FOLDS;
  localparam int FIRST_X     = limited((reach_of(X) - X.front) * FOLDS, (X.size - 1) * FOLDS);
  localparam int FIRST_Y     = limited((reach_of(Y) - Y.front) * Y.words, (Y.size - 1) * Y.words);

  // Counters of the loops.
  logic fold_last, ow_last, oh_last, next_window, next_line, next_frame;
  assign next_window = fold_last && !ow_last;
  assign next_line   = fold_last && ow_last && !oh_last;
  assign next_frame  = fold_last && ow_last && oh_last;
  headrace_loop #(.SIZE(FOLDS)) u_fold (.ap_clk, .ap_rst_n, .turn(emit), .last(fold_last));
  headrace_loop #(.SIZE(OUT_WIDTH)) u_ow (.ap_clk, .ap_rst_n, .turn(emit && fold_last), .last(ow_last));
  headrace_loop #(.SIZE(OUT_HEIGHT)) u_oh (.ap_clk, .ap_rst_n, .turn(emit && fold_last && ow_last), .last(oh_last));

  // The window's place, and the words to its last tap.
  logic              ends_window, ends_line;
  logic [N_BITS-1:0] next_x_words, y_words, next_y_words;
  logic              unused_places, x_inside, y_inside;
  logic signed [X_BITS-1:0] x_tap;
  logic signed [Y_BITS-1:0] y_tap;
  logic [N_BITS-1:0]        x_words;
  assign ends_window   = emit && fold_last;
  assign ends_line     = ends_window && ow_last;
  assign unused_places = ^{x_tap, y_tap, x_inside, y_inside, x_words};
  headrace_window_place #(.AXIS(X), .BITS(X_BITS)) u_x (
    .ap_clk, .ap_rst_n, .move(emit), .to_tap(1'b0), .to_first(1'b0), .to_window(fold_last), .wraps(ow_last),
    .tap(x_tap), .in_frame(x_inside), .first(x)
  );
  headrace_window_place #(.AXIS(Y), .BITS(Y_BITS)) u_y (
    .ap_clk, .ap_rst_n, .move(emit), .to_tap(1'b0), .to_first(1'b0), .to_window(fold_last && ow_last), .wraps(oh_last),
    .tap(y_tap), .in_frame(y_inside), .first(y)
  );
  headrace_window_words #(.AXIS(X), .BITS(N_BITS)) u_x_words (
    .ap_clk, .ap_rst_n, .to_window(ends_window), .wraps(ow_last), .words(x_words), .next_words(next_x_words)
  );
  headrace_window_words #(.AXIS(Y), .BITS(N_BITS)) u_y_words (
    .ap_clk, .ap_rst_n, .to_window(ends_line), .wraps(oh_last), .words(y_words), .next_words(next_y_words)
  );

  // Words taken of the writer's frame, negative while words of the frame before still come in, and the needed one.
  logic [AHEAD_BITS-1:0] ahead_q, ahead_d, lead;
  logic [N_BITS-1:0]     needed_q, needed_from, needed_on;
  assign lead = ahead_q + ~AHEAD_BITS'(needed_q);  // words above the needed one
  assign emit = en && !lead[AHEAD_BITS-1];
  headrace_carry_adder #(.BITS(AHEAD_BITS)) u_ahead (
    .a(ahead_q), .b(emit && next_frame ? AHEAD_BITS'(-WORDS) : '0), .carry_in(take), .sum(ahead_d)
  );
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) ahead_q <= '0;
    else ahead_q <= ahead_d;
  end

  assign needed_from = !fold_last ? needed_q : next_window ? y_words : next_line ? next_y_words : N_BITS'(FIRST_Y);
  assign needed_on   = !fold_last ? N_BITS'(1) : next_window ? next_x_words : N_BITS'(FIRST_X);
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) needed_q <= N_BITS'(FIRST_Y + FIRST_X);
    else if (emit) needed_q <= needed_from + needed_on;
  end

  // Steps of a bank number and what is carried into the address.
  logic [W_BITS-1:0]    column_bank_q;
  logic [A_BITS-1:0]    column_q, column_d;  // address of the first tap's pixel in its row of its bank
  logic [A_BITS-1:0]    place_q;             // and that of the word
  logic [H_BITS-1:0]    row_bank_q;
  logic [SLOT_BITS-1:0] slot_q;
  logic [W_BITS:0]      column_bank_sum;
  logic [H_BITS:0]      row_bank_sum;
  logic                 column_carry, row_carry;
  assign column_bank_sum = (W_BITS+1)'(column_bank_q) + (W_BITS+1)'(WINDOW_BANK);
  assign column_carry    = column_bank_sum >= (W_BITS+1)'(BANKS_W);
  assign row_bank_sum    = (H_BITS+1)'(row_bank_q) + (next_frame ? (H_BITS+1)'(FRAME_BANK) : (H_BITS+1)'(LINE_BANK));
  assign row_carry       = row_bank_sum >= (H_BITS+1)'(BANKS_H);
  assign column_d        = next_window ? column_q + A_BITS'(WINDOW_STEP) + (column_carry ? A_BITS'(FOLDS) : '0)
                                       : A_BITS'(LEFT_STEP);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      column_bank_q <= W_BITS'(LEFT_BANK);
      column_q      <= A_BITS'(LEFT_STEP);
      place_q       <= A_BITS'(LEFT_STEP);
      row_bank_q    <= H_BITS'(TOP_BANK);
      slot_q        <= SLOT_BITS'(TOP_SLOT);
    end else if (emit) begin
      place_q <= fold_last ? column_d : place_q + 1'b1;
      if (fold_last) column_q <= column_d;
      if (next_window) begin
        column_bank_q <= W_BITS'(column_carry ? column_bank_sum - (W_BITS+1)'(BANKS_W) : column_bank_sum);
      end
      if (next_line || next_frame) begin
        column_bank_q <= W_BITS'(LEFT_BANK);
        row_bank_q    <= H_BITS'(row_carry ? row_bank_sum - (H_BITS+1)'(BANKS_H) : row_bank_sum);
        slot_q        <= slot_q + (next_frame ? SLOT_BITS'(FRAME_SLOT) : SLOT_BITS'(LINE_SLOT))
                                + SLOT_BITS'(row_carry);
      end
    end
  end
  assign row_bank    = row_bank_q;
  assign column_bank = column_bank_q;
  assign slot        = slot_q;
  assign column      = place_q;

  // What may be overwritten: rows above the window's, none of the next frame.
  logic [ROW_BITS-1:0] base_row_q;  // row of the first word of the writer's frame
  logic [ROW_BITS-1:0] keep_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) base_row_q <= '0;
    else if (emit && next_frame) base_row_q <= base_row_q + ROW_BITS'(Y.size);
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) keep_q <= '0;
    else if (y[Y_BITS-1]) keep_q <= base_row_q;
    else if (y >= Y_BITS'(Y.size)) keep_q <= base_row_q + ROW_BITS'(Y.size);
    else keep_q <= base_row_q + ROW_BITS'(y);
  end
  assign keep = keep_q;

endmodule
