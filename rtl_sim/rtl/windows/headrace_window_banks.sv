// BANKS_H x BANKS_W memories that give all taps of a window in one cycle (headrace_parallel_swu.sv).
//
// Tap (i, j) of a window whose first tap lies in bank (b, c) is in bank ((b + i*DILATION_H) mod BANKS_H,
// (c + j*DILATION_W) mod BANKS_W): the numbers of banks are prime to the dilations, so no two taps share one. Two
// multiplexers, rows before columns, turn banks into taps. A tap in the padding is PAD_CODE.
module headrace_window_banks import headrace_pkg::*; #(
  parameter axis_t X        = SMALL_X,  // columns
  parameter axis_t Y        = SMALL_Y,  // rows
  parameter int    SIMD     = 1,        // channels per cycle
  parameter int    E_BITS   = 4,        // width of an element
  parameter int    PAD_CODE = 0,        // code of an element in the padding
  parameter int    BANKS_H  = 3,        // memories across the rows
  parameter int    BANKS_W  = 3,        // memories across the columns
  parameter int    SLOTS    = 2,        // rows per memory, a power of two
  parameter int    BANK_ROW = 4,        // words of a row in a bank
  parameter int    X_BITS   = 5,        // width of a place along the columns
  parameter int    Y_BITS   = 5,        // width of a place along the rows
  parameter bit    URAM     = 0         // the memories in UltraRAM
) (
  input  logic                                ap_clk,       // clock
  input  logic                                ap_rst_n,     // synchronous reset, active low
  // The word in:
  input  logic                                take,         // it is written
  input  logic [SIMD*E_BITS-1:0]              word,         // SIMD elements
  input  logic [index_bits(BANKS_H)-1:0]      in_row_bank,  // where it goes (headrace_bank_reader.sv)
  input  logic [index_bits(BANKS_W)-1:0]      in_column_bank,
  input  logic [index_bits(SLOTS)-1:0]        in_slot,
  input  logic [index_bits(BANK_ROW)-1:0]     in_column,
  // The window:
  input  logic                                en,           // the pipeline moves
  input  logic                                emit,         // a window is read
  input  logic signed [X_BITS-1:0]            x,            // place of its first tap
  input  logic signed [Y_BITS-1:0]            y,
  input  logic [index_bits(BANKS_H)-1:0]      row_bank,     // where that lies
  input  logic [index_bits(BANKS_W)-1:0]      column_bank,
  input  logic [index_bits(SLOTS)-1:0]        slot,
  input  logic [BANKS_W-1:0][index_bits(BANK_ROW)-1:0] places,  // in a row of each bank
  output logic [Y.taps*X.taps*SIMD*E_BITS-1:0] window,      // its taps, two enabled cycles later
  output logic                                valid         // they are there
);

  localparam int BITS      = SIMD * E_BITS;
  localparam int TAPS      = Y.taps * X.taps;
  localparam int H_BITS    = index_bits(BANKS_H);
  localparam int W_BITS    = index_bits(BANKS_W);
  localparam int SLOT_BITS = index_bits(SLOTS);
  localparam int A_BITS    = index_bits(BANK_ROW);

  // Addresses: in each bank of a row, that of the tap that lies there.
  logic [SLOT_BITS-1:0] bank_slot   [BANKS_H];
  always_comb begin
    for (int k = 0; k < BANKS_H; k++) begin
      bank_slot[k] = slot;
      for (int i = 0; i < Y.taps; i++) begin
        for (int b = 0; b < BANKS_H; b++) begin
          if (row_bank == H_BITS'(b) && (b + i * Y.dilation) % BANKS_H == k) begin
            bank_slot[k] = slot + SLOT_BITS'((b + i * Y.dilation) / BANKS_H);
          end
        end
      end
    end
  end

  logic [BITS-1:0] read_q [BANKS_H][BANKS_W];
  for (genvar k = 0; k < BANKS_H; k++) begin : gen_bank_row
    for (genvar l = 0; l < BANKS_W; l++) begin : gen_bank
      headrace_ram #(.DEPTH(SLOTS * 2 ** A_BITS), .BITS(BITS), .URAM(URAM)) u_words (
        .ap_clk, .write(take && in_row_bank == H_BITS'(k) && in_column_bank == W_BITS'(l)),
        .write_address({in_slot, in_column}), .write_data(word),
        .read(en), .read_address({bank_slot[k], places[l]}), .clear(1'b0), .read_data(read_q[k][l])
      );
    end
  end

  // Which taps lie in the frame, beside the two steps from banks to taps.
  logic [Y.taps-1:0] row_inside_q;
  logic [X.taps-1:0] column_inside_q;
  logic [TAPS-1:0]   inside_q;
  logic [H_BITS-1:0] row_turn_q;
  logic [W_BITS-1:0] column_turn_q [2];
  logic [1:0]        valid_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= '0;
    else if (en) valid_q <= {valid_q[0], emit};
  end
  always_ff @(posedge ap_clk) begin
    if (en) begin
      row_turn_q       <= row_bank;
      column_turn_q[0] <= column_bank;
      column_turn_q[1] <= column_turn_q[0];
      for (int i = 0; i < Y.taps; i++) begin
        inside_q[i*X.taps+:X.taps] <= row_inside_q[i] ? column_inside_q : '0;
        row_inside_q[i] <= y >= Y_BITS'(-i * Y.dilation) && y < Y_BITS'(Y.size - i * Y.dilation);
      end
      for (int j = 0; j < X.taps; j++) begin
        column_inside_q[j] <= x >= X_BITS'(-j * X.dilation) && x < X_BITS'(X.size - j * X.dilation);
      end
    end
  end

  logic [BITS-1:0] turned_q [Y.taps][BANKS_W];  // rows in the order of the taps
  always_ff @(posedge ap_clk) begin
    if (en) begin
      for (int i = 0; i < Y.taps; i++) begin
        for (int b = 0; b < BANKS_H; b++) begin
          if (row_turn_q == H_BITS'(b)) turned_q[i] <= read_q[(b + i * Y.dilation) % BANKS_H];
        end
      end
    end
  end
  always_comb begin
    window = {(TAPS * SIMD) {E_BITS'(PAD_CODE)}};
    for (int i = 0; i < Y.taps; i++) begin
      for (int j = 0; j < X.taps; j++) begin
        for (int c = 0; c < BANKS_W; c++) begin
          if (column_turn_q[1] == W_BITS'(c) && inside_q[i*X.taps+j]) begin
            window[(i*X.taps+j)*BITS+:BITS] = turned_q[i][(c+j*X.dilation)%BANKS_W];
          end
        end
      end
    end
  end
  assign valid = valid_q[1];

endmodule
