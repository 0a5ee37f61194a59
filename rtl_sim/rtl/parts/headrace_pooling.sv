// Windows of a pooling layer at one word per cycle: maximum, minimum or sum over KERNEL windows at STRIDE; no padding.
//
// Columns first: a word updates the running results of the ceil(KERNEL_W/STRIDE_W) windows over its column. The one
// that ends there updates the ceil(KERNEL_H/STRIDE_H) windows over its row. Window w uses slot w mod SLOTS; since a
// slot starts anew every SLOTS*STRIDE columns, slot s starts at phase s*STRIDE of a column counter of that period and
// ends KERNEL-1 later. No window ends before column KERNEL-1. Windows that the frame cuts off never end. Where all
// windows of a frame are fewer than those, each has a slot, and the period is the frame.
// A result is there in the enabled cycle after the word that completes its window. Sums wrap modulo 2^E_BITS.
// What a word is combined with was read when the word before it was taken.
module headrace_pooling import headrace_pkg::*; #(
  parameter int HEIGHT    = 4, // rows in
  parameter int WIDTH     = 4, // columns in
  parameter int CHANNELS  = 4, // channels
  parameter int KERNEL_H  = 2, // rows of a window
  parameter int KERNEL_W  = 2, // columns of a window
  parameter int STRIDE_H  = 2, // rows from window to window
  parameter int STRIDE_W  = 2, // columns from window to window
  parameter int PE        = 2, // channels per cycle
  parameter int E_BITS    = 4, // width of an element and of a result
  parameter bit IS_SIGNED = 0, // elements compare as two's complement
  parameter bit SUM       = 0  // 0: maximum or minimum, 1: sum
) (
  input  logic                               ap_clk,       // clock
  input  logic                               ap_rst_n,     // synchronous reset, active low
  input  logic                               en,           // moves the pipeline by one
  input  logic [PE*E_BITS-1:0]               word,         // PE elements
  input  logic                               word_valid,   // word is there
  input  logic [PE-1:0]                      minimum,      // lanes that take the minimum
  output logic [index_bits(CHANNELS/PE)-1:0] fold,         // place of the word in its pixel
  output logic [PE*E_BITS-1:0]               result,       // PE results
  output logic                               result_valid  // results are there
);

  localparam int unsigned BITS       = PE * E_BITS;
  localparam int unsigned FOLDS      = CHANNELS / PE;
  localparam int unsigned OUT_WIDTH  = window_count(WIDTH, 0, KERNEL_W - 1, STRIDE_W);
  localparam int unsigned OUT_HEIGHT = window_count(HEIGHT, 0, KERNEL_H - 1, STRIDE_H);
  localparam int unsigned OPEN_W     = (KERNEL_W + STRIDE_W - 1) / STRIDE_W;
  localparam int unsigned OPEN_H     = (KERNEL_H + STRIDE_H - 1) / STRIDE_H;
  localparam int unsigned SLOTS_W    = OPEN_W <= OUT_WIDTH ? OPEN_W : OUT_WIDTH;
  localparam int unsigned SLOTS_H    = OPEN_H <= OUT_HEIGHT ? OPEN_H : OUT_HEIGHT;
  localparam int unsigned PERIOD_W   = OPEN_W <= OUT_WIDTH ? SLOTS_W * STRIDE_W : WIDTH;
  localparam int unsigned PERIOD_H   = OPEN_H <= OUT_HEIGHT ? SLOTS_H * STRIDE_H : HEIGHT;
  localparam int unsigned ROW_WORDS  = OUT_WIDTH * FOLDS;
  localparam int unsigned FOLD_BITS  = index_bits(FOLDS);
  localparam int unsigned X_BITS     = index_bits(WIDTH);
  localparam int unsigned Y_BITS     = index_bits(HEIGHT);
  localparam int unsigned XP_BITS    = index_bits(PERIOD_W);
  localparam int unsigned YP_BITS    = index_bits(PERIOD_H);
  localparam int unsigned ROW_BITS   = index_bits(ROW_WORDS);

  function automatic logic [BITS-1:0] combined(input logic [BITS-1:0] a, input logic [BITS-1:0] b,
                                               input logic [PE-1:0] take_a);
    for (int unsigned p = 0; p < PE; p++) begin
      combined[p*E_BITS+:E_BITS] = SUM ? a[p*E_BITS+:E_BITS] + b[p*E_BITS+:E_BITS]
                                 : take_a[p] ? a[p*E_BITS+:E_BITS] : b[p*E_BITS+:E_BITS];
    end
  endfunction

  logic take;
  assign take = word_valid && en;

  // Where the word lies: fold, column and row, the latter two also modulo the period of the slots.
  logic [FOLD_BITS-1:0] fold_q, fold_ahead_q;  // fold_ahead_q: two folds later
  logic [X_BITS-1:0]    x_q;
  logic [XP_BITS-1:0]   x_phase_q;
  logic [Y_BITS-1:0]    y_q;
  logic [YP_BITS-1:0]   y_phase_q;
  logic                 fold_last, x_last, y_last;

  logic [FOLD_BITS-1:0] fold_next;

  assign fold      = fold_q;
  assign fold_next = fold_last ? '0 : fold_q + 1'b1;
  assign fold_last = fold_q == FOLD_BITS'(FOLDS - 1);
  assign x_last    = x_q == X_BITS'(WIDTH - 1);
  assign y_last    = y_q == Y_BITS'(HEIGHT - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q       <= '0;
      fold_ahead_q <= FOLD_BITS'(2 % FOLDS);
      x_q          <= '0;
      x_phase_q    <= '0;
      y_q          <= '0;
      y_phase_q    <= '0;
    end else if (take) begin
      fold_q       <= fold_next;
      fold_ahead_q <= fold_ahead_q == FOLD_BITS'(FOLDS - 1) ? '0 : fold_ahead_q + 1'b1;
      if (fold_last) begin
        x_q       <= x_last ? '0 : x_q + 1'b1;
        x_phase_q <= x_last || x_phase_q == XP_BITS'(PERIOD_W - 1) ? '0 : x_phase_q + 1'b1;
      end
      if (fold_last && x_last) begin
        y_q       <= y_last ? '0 : y_q + 1'b1;
        y_phase_q <= y_last || y_phase_q == YP_BITS'(PERIOD_H - 1) ? '0 : y_phase_q + 1'b1;
      end
    end
  end

  // Columns: one running result per slot and fold.
  logic [SLOTS_W-1:0]      x_ends;
  logic [SLOTS_W*BITS-1:0] x_new;
  logic [BITS-1:0]         x_done_d, x_done_q;
  logic                    x_ended_q;
  logic [PE-1:0]           minimum_q;

  for (genvar s = 0; s < SLOTS_W; s++) begin : gen_column_slot
    localparam int unsigned FIRST = s * STRIDE_W;
    localparam int unsigned LAST  = (s * STRIDE_W + KERNEL_W - 1) % PERIOD_W;
    logic [BITS-1:0] running;
    logic [PE-1:0]   not_less;
    headrace_lanes_compare #(.PE(PE), .E_BITS(E_BITS), .IS_SIGNED(IS_SIGNED)) u_compare (
      .a(word), .b(running), .not_less
    );
    assign x_new[s*BITS+:BITS] = x_phase_q == XP_BITS'(FIRST) ? word : combined(word, running, not_less ^ minimum);
    assign x_ends[s] = x_phase_q == XP_BITS'(LAST) && 32'(x_q) + 1 >= KERNEL_W;
    headrace_running #(.PLACES(FOLDS), .BITS(BITS)) u_running (
      .ap_clk, .step(take), .place(fold_q), .next(fold_next), .ahead(fold_ahead_q), .fresh(x_new[s*BITS+:BITS]), .running
    );
  end

  always_comb begin
    x_done_d = '0;
    for (int unsigned s = 0; s < SLOTS_W; s++) x_done_d |= x_ends[s] ? x_new[s*BITS+:BITS] : '0;
  end

  // Rows: one running result per slot, column out and fold. The row flags travel with the finished columns.
  logic [SLOTS_H-1:0]      y_starts_q, y_ends_q;
  logic [SLOTS_H*BITS-1:0] y_new;
  logic [ROW_BITS-1:0]     address_q, address_next, address_ahead_q;  // address_ahead_q: two words later
  logic                    address_last_q, step;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) x_ended_q <= 1'b0;
    else if (en) x_ended_q <= word_valid && |x_ends;
  end
  always_ff @(posedge ap_clk) begin
    if (en) begin
      x_done_q  <= x_done_d;
      minimum_q <= minimum;
    end
  end

  // A row of finished columns is ROW_WORDS long, whatever lies between.
  assign step         = x_ended_q && en;
  assign address_next = address_last_q ? '0 : address_q + 1'b1;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      address_q       <= '0;
      address_ahead_q <= ROW_BITS'(2 % ROW_WORDS);
      address_last_q  <= ROW_WORDS == 1;
    end else if (step) begin
      address_q       <= address_next;
      address_ahead_q <= address_ahead_q == ROW_BITS'(ROW_WORDS - 1) ? '0 : address_ahead_q + 1'b1;
      address_last_q  <= ROW_WORDS == 1 || address_q == ROW_BITS'(ROW_WORDS - 2);
    end
  end

  for (genvar s = 0; s < SLOTS_H; s++) begin : gen_row_slot
    localparam int unsigned FIRST = s * STRIDE_H;
    localparam int unsigned LAST  = (s * STRIDE_H + KERNEL_H - 1) % PERIOD_H;
    logic [BITS-1:0] running;
    logic [PE-1:0]   not_less;
    always_ff @(posedge ap_clk) begin
      if (en) begin
        y_starts_q[s] <= y_phase_q == YP_BITS'(FIRST);
        y_ends_q[s]   <= y_phase_q == YP_BITS'(LAST) && 32'(y_q) + 1 >= KERNEL_H;
      end
    end
    headrace_lanes_compare #(.PE(PE), .E_BITS(E_BITS), .IS_SIGNED(IS_SIGNED)) u_compare (
      .a(x_done_q), .b(running), .not_less
    );
    assign y_new[s*BITS+:BITS] = y_starts_q[s] ? x_done_q : combined(x_done_q, running, not_less ^ minimum_q);
    headrace_running #(.PLACES(ROW_WORDS), .BITS(BITS)) u_running (
      .ap_clk, .step, .place(address_q), .next(address_next), .ahead(address_ahead_q), .fresh(y_new[s*BITS+:BITS]),
      .running
    );
  end

  always_comb begin
    result = '0;
    for (int unsigned s = 0; s < SLOTS_H; s++) result |= y_ends_q[s] ? y_new[s*BITS+:BITS] : '0;
  end

  assign result_valid = x_ended_q && |y_ends_q;

  if (CHANNELS % PE != 0) begin : gen_check_pe
    $error("pooling: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (KERNEL_H > HEIGHT || KERNEL_W > WIDTH || STRIDE_H < 1 || STRIDE_W < 1) begin : gen_check_kernel
    $error("pooling: a window of %0dx%0d does not fit into %0dx%0d", KERNEL_H, KERNEL_W, HEIGHT, WIDTH);
  end

endmodule
