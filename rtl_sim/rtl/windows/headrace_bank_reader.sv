// Where a word of the frame goes in BANKS_H x BANKS_W memories (headrace_parallel_swu.sv): its bank, its address there,
// and whether there is room for it. Pixel (y, x) lies in bank (y mod BANKS_H, x mod BANKS_W), rows counted over all
// frames; a bank holds SLOTS of its rows in a circle.
//
// A word is taken while its row is `limit` or less: SLOTS*BANKS_H rows from the oldest one that a window still shows.
// Rows are counted modulo 2^ROW_BITS. That there is room is a register, found from the limit of the cycle before.
module headrace_bank_reader import headrace_pkg::*; #(
  parameter int WIDTH    = 4,  // columns of the frame
  parameter int FOLDS    = 2,  // words of a pixel
  parameter int BANKS_H  = 3,  // memories across the rows
  parameter int BANKS_W  = 3,  // memories across the columns
  parameter int SLOTS    = 2,  // rows per memory
  parameter int BANK_ROW = 4,  // words of a row in a bank
  parameter int ROW_BITS = 5   // width of a row's number
) (
  input  logic                            ap_clk,       // clock
  input  logic                            ap_rst_n,     // synchronous reset, active low
  input  logic                            take,         // the word is taken
  input  logic [ROW_BITS-1:0]             limit,        // last row that may be taken
  output logic                            room,         // the word may be taken
  output logic [index_bits(BANKS_H)-1:0]  row_bank,     // its bank, across the rows
  output logic [index_bits(BANKS_W)-1:0]  column_bank,  // and across the columns
  output logic [index_bits(SLOTS)-1:0]    slot,         // its row in the bank
  output logic [index_bits(BANK_ROW)-1:0] column        // its address in that row
);

  localparam int FOLD_BITS = index_bits(FOLDS);
  localparam int H_BITS    = index_bits(BANKS_H);
  localparam int W_BITS    = index_bits(BANKS_W);
  localparam int SLOT_BITS = index_bits(SLOTS);
  localparam int A_BITS    = index_bits(BANK_ROW);

  logic [FOLD_BITS-1:0] fold_q;
  logic [W_BITS-1:0]    column_bank_q;
  logic [A_BITS-1:0]    column_q;  // address of the pixel in its row of its bank
  logic [H_BITS-1:0]    row_bank_q;
  logic [SLOT_BITS-1:0] slot_q;
  logic [ROW_BITS-1:0]  row_q, spare;  // less than nothing while there is room
  logic                 room_q, unused_rows;
  logic                 fold_last_q;
  logic                 x_last, next_pixel, next_row, column_wraps, row_wraps;

  assign next_pixel   = fold_last_q && !x_last;
  assign next_row     = fold_last_q && x_last;
  assign column_wraps = column_bank_q == W_BITS'(BANKS_W - 1);
  assign row_wraps    = row_bank_q == H_BITS'(BANKS_H - 1);

  headrace_loop #(.SIZE(WIDTH)) u_x (.ap_clk, .ap_rst_n, .turn(take && fold_last_q), .last(x_last));

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q        <= '0;
      fold_last_q   <= FOLDS == 1;
      column_bank_q <= '0;
      column_q      <= '0;
      row_bank_q    <= '0;
      slot_q        <= '0;
      row_q         <= '0;
    end else if (take) begin
      fold_q      <= fold_last_q ? '0 : fold_q + 1'b1;
      fold_last_q <= fold_last_q ? FOLDS == 1 : fold_q == FOLD_BITS'(FOLDS - 2);
      if (next_pixel) begin
        column_bank_q <= column_wraps ? '0 : column_bank_q + 1'b1;
        if (column_wraps) column_q <= column_q + A_BITS'(FOLDS);
      end
      if (next_row) begin
        column_bank_q <= '0;
        column_q      <= '0;
        row_q         <= row_q + 1'b1;
        row_bank_q    <= row_wraps ? '0 : row_bank_q + 1'b1;
        if (row_wraps) slot_q <= slot_q == SLOT_BITS'(SLOTS - 1) ? '0 : slot_q + 1'b1;
      end
    end
  end

  assign row_bank    = row_bank_q;
  assign column_bank = column_bank_q;
  assign slot        = slot_q;
  assign column      = column_q + A_BITS'(fold_q);

  headrace_carry_adder #(.BITS(ROW_BITS)) u_spare (.a(row_q), .b(~limit), .carry_in(take && next_row), .sum(spare));
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) room_q <= 1'b1;
    else room_q <= spare[ROW_BITS-1];
  end
  assign room        = room_q;
  assign unused_rows = ^spare;

endmodule
