// Which window leaves BANKS_H x BANKS_W memories (headrace_parallel_swu.sv), where its first tap lies in them, and
// whether all of it is there.
//
// A window waits for the word of its last tap, moved into the frame where it lies outside: `lead` counts the words taken
// above that one, less one. It moves with every word in and by one of a few steps with every window out, which are
// registers (headrace_window_loop.sv): the path from what there is to what leaves has one sum.
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
  output logic [BANKS_W-1:0][index_bits(BANK_ROW)-1:0] places,  // in a row of each bank, of the tap there
  output logic [ROW_BITS-1:0]             limit         // last row that may be taken beside the window before
);

  localparam int FOLDS      = X.words;
  localparam int WORDS      = Y.size * Y.words;
  localparam int OUT_WIDTH  = windows_of(X);
  localparam int OUT_HEIGHT = windows_of(Y);
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
  localparam int LEFT_BANK   = (BANKS_W - X.front % BANKS_W) % BANKS_W;

  // Words to the last tap of a frame's first window and of its last one, what is left behind a window's first word and
  // a line's first window, and how far the lead reaches: rows that may be taken ahead, and the longest steps.
  localparam int FIRST     = words_to(X, 0) + words_to(Y, 0);
  localparam int LAST      = words_to(X, OUT_WIDTH - 1) + words_to(Y, OUT_HEIGHT - 1);
  localparam int BACK_FOLD = FOLDS - 1;
  localparam int BACK_LINE = words_to(X, OUT_WIDTH - 1) - words_to(X, 0) + BACK_FOLD;
  localparam int TO_FRAME  = LAST + BACK_FOLD - WORDS - FIRST;
  localparam int LONGEST   = larger(larger(-TO_FRAME, FIRST + 1), larger(X.stride * X.words, Y.stride * Y.words));
  localparam int LEAD_BITS = $clog2(larger((SLOTS * BANKS_H + 1) * Y.words, LONGEST) + 1) + 1;

  // Columns of bank `k` from that of a window's first tap, in bank `b`, to the one that a tap of the window shows.
  function automatic int place_in(input int k, input int b);
    for (int j = 0; j < BANKS_W; j++) begin
      if ((b + j * X.dilation) % BANKS_W == k) return (b + j * X.dilation) / BANKS_W;
    end
    return 0;
  endfunction

  // Counters of the loops.
  logic fold_last, ow_last, oh_last, next_window, next_line, next_frame;
  assign next_window = fold_last && !ow_last;
  assign next_line   = fold_last && ow_last && !oh_last;
  assign next_frame  = fold_last && ow_last && oh_last;
  headrace_loop #(.SIZE(FOLDS)) u_fold (.ap_clk, .ap_rst_n, .turn(emit), .last(fold_last));
  logic signed [LEAD_BITS-1:0] x_step, y_step;
  headrace_window_loop #(.AXIS(X), .OFFSET(BACK_FOLD), .BITS(LEAD_BITS)) u_ow (
    .ap_clk, .ap_rst_n, .turn(emit && fold_last), .last(ow_last), .step(x_step)
  );
  headrace_window_loop #(.AXIS(Y), .OFFSET(BACK_LINE), .BITS(LEAD_BITS)) u_oh (
    .ap_clk, .ap_rst_n, .turn(emit && fold_last && ow_last), .last(oh_last), .step(y_step)
  );

  // The window's place.
  logic                     unused_places, x_inside, y_inside, x_outside, y_outside;
  logic signed [X_BITS-1:0] x_tap;
  logic signed [Y_BITS-1:0] y_tap;
  assign unused_places = ^{x_tap, y_tap, x_inside, y_inside, x_outside, y_outside};
  headrace_window_place #(.AXIS(X), .BITS(X_BITS)) u_x (
    .ap_clk, .ap_rst_n, .move(emit), .to_tap(1'b0), .to_first(1'b0), .to_window(fold_last), .wraps(ow_last),
    .tap(x_tap), .in_frame(x_inside), .outside(x_outside), .first(x)
  );
  headrace_window_place #(.AXIS(Y), .BITS(Y_BITS)) u_y (
    .ap_clk, .ap_rst_n, .move(emit), .to_tap(1'b0), .to_first(1'b0), .to_window(fold_last && ow_last), .wraps(oh_last),
    .tap(y_tap), .in_frame(y_inside), .outside(y_outside), .first(y)
  );

  // Words taken above the one that the word out waits for, less one.
  logic signed [LEAD_BITS-1:0] lead_q, lead_d, lead_step;
  assign lead_step = !fold_last ? '1 : !ow_last ? x_step : !oh_last ? y_step : LEAD_BITS'(TO_FRAME);
  assign emit      = en && !lead_q[LEAD_BITS-1];
  headrace_carry_adder #(.BITS(LEAD_BITS)) u_lead (
    .a(lead_q), .b(emit ? lead_step : '0), .carry_in(take), .sum(lead_d)
  );
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) lead_q <= LEAD_BITS'(-FIRST - 1);
    else lead_q <= lead_d;
  end

  // Steps of a bank number and what is carried into the address.
  logic [W_BITS-1:0]    column_bank_q;
  logic [H_BITS-1:0]    row_bank_q;
  logic [SLOT_BITS-1:0] slot_q;
  logic [W_BITS:0]      column_bank_sum;
  logic [H_BITS:0]      row_bank_sum;
  logic                 row_carry;
  assign column_bank_sum = (W_BITS+1)'(column_bank_q) + (W_BITS+1)'(WINDOW_BANK);
  assign row_bank_sum    = (H_BITS+1)'(row_bank_q) + (next_frame ? (H_BITS+1)'(FRAME_BANK) : (H_BITS+1)'(LINE_BANK));
  assign row_carry       = row_bank_sum >= (H_BITS+1)'(BANKS_H);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      column_bank_q <= W_BITS'(LEFT_BANK);
      row_bank_q    <= H_BITS'(TOP_BANK);
      slot_q        <= SLOT_BITS'(TOP_SLOT);
    end else if (emit) begin
      if (next_window) begin
        column_bank_q <= W_BITS'(column_bank_sum >= (W_BITS+1)'(BANKS_W) ? column_bank_sum - (W_BITS+1)'(BANKS_W)
                                                                         : column_bank_sum);
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

  // Of every bank the address of the tap that lies there, which moves with the window by a step that its bank tells.
  for (genvar k = 0; k < BANKS_W; k++) begin : gen_columns
    localparam int LEFT = place_in(k, LEFT_BANK) + (-X.front - LEFT_BANK) / BANKS_W;
    logic [A_BITS-1:0] place_q, place_step;
    always_comb begin
      place_step = A_BITS'(1);
      if (fold_last) begin
        for (int b = 0; b < BANKS_W; b++) begin
          if (column_bank_q == W_BITS'(b)) begin
            place_step = A_BITS'((place_in(k, (b + WINDOW_BANK) % BANKS_W) - place_in(k, b)
                                  + (b + X.stride) / BANKS_W) * FOLDS - BACK_FOLD);
          end
        end
      end
    end
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) place_q <= A_BITS'(LEFT * FOLDS);
      else if (emit && fold_last && ow_last) place_q <= A_BITS'(LEFT * FOLDS);
      else if (emit) place_q <= place_q + place_step;
    end
    assign places[k] = place_q;
  end

  // What may be overwritten: rows above the window's, none of the next frame. So the row to which one may take lies as
  // far from the window's first one as there are rows in all banks.
  logic [ROW_BITS-1:0] base_limit_q;  // of a window that starts in the first row of the frame
  logic [ROW_BITS-1:0] limit_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) base_limit_q <= ROW_BITS'(SLOTS * BANKS_H - 1);
    else if (emit && next_frame) base_limit_q <= base_limit_q + ROW_BITS'(Y.size);
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) limit_q <= ROW_BITS'(SLOTS * BANKS_H - 1);
    else if (y[Y_BITS-1]) limit_q <= base_limit_q;
    else if (y >= Y_BITS'(Y.size)) limit_q <= base_limit_q + ROW_BITS'(Y.size);
    else limit_q <= base_limit_q + ROW_BITS'(y);
  end
  assign limit = limit_q;

endmodule
