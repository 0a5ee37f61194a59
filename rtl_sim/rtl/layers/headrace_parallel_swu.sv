// Sliding window unit that emits all taps of SIMD channels of a window in one word, pads made on the fly.
//
// BANKS_H x BANKS_W memories hold pixel (y, x) in bank (y mod BANKS_H, x mod BANKS_W), rows counted over all frames.
// The numbers of banks are prime to the dilations and not less than the kernel, so the taps of a window lie in
// different banks: one cycle reads them all (headrace_window_banks.sv). A bank holds SLOTS of its rows in a circle.
//
// Reader and writer only compare counts: a window waits for the word of its last tap (headrace_bank_writer.sv), a word
// for the row of the window above the one that it overwrites (headrace_bank_reader.sv).
module headrace_parallel_swu import headrace_pkg::*; #(
  parameter int HEIGHT     = 4,  // rows in
  parameter int WIDTH      = 4,  // columns in
  parameter int CHANNELS   = 2,  // channels
  parameter int KERNEL_H   = 3,  // rows of taps
  parameter int KERNEL_W   = 3,  // columns of taps
  parameter int STRIDE_H   = 1,  // rows from window to window
  parameter int STRIDE_W   = 1,  // columns from window to window
  parameter int DILATION_H = 1,  // rows from tap to tap
  parameter int DILATION_W = 1,  // columns from tap to tap
  parameter int PAD_T      = 1,  // rows of padding above
  parameter int PAD_L      = 1,  // columns of padding on the left
  parameter int PAD_B      = 1,  // rows of padding below
  parameter int PAD_R      = 1,  // columns of padding on the right
  parameter int SIMD       = 1,  // channels per cycle
  parameter int E_BITS     = 4,  // width of an element
  parameter int PAD_CODE   = 0,  // code of an element in the padding
  parameter int BANKS_H    = 3,  // memories across the rows
  parameter int BANKS_W    = 3,  // memories across the columns
  parameter int SLOTS      = 2,  // rows per memory, a power of two
  // Options, left out where they are not used:
  parameter bit URAM       = 0   // the memories in UltraRAM
) (
  input  logic                                             ap_clk,         // clock
  input  logic                                             ap_rst_n,       // synchronous reset, active low
  input  logic [(SIMD*E_BITS+7)/8*8-1:0]                   s_axis_TDATA,   // SIMD elements
  input  logic                                             s_axis_TVALID,  // word in is there
  output logic                                             s_axis_TREADY,  // word in is taken
  output logic [(KERNEL_H*KERNEL_W*SIMD*E_BITS+7)/8*8-1:0] m_axis_TDATA,   // elements, lanes [taps][SIMD]
  output logic                                             m_axis_TVALID,  // word out is there
  input  logic                                             m_axis_TREADY   // word out is taken
);

  localparam int    BITS     = SIMD * E_BITS;
  localparam int    M_BITS   = KERNEL_H * KERNEL_W * BITS;
  localparam int    FOLDS    = CHANNELS / SIMD;
  localparam axis_t X        = '{size: WIDTH, front: PAD_L, back: PAD_R, taps: KERNEL_W, stride: STRIDE_W,
                                 dilation: DILATION_W, words: FOLDS};
  localparam axis_t Y        = '{size: HEIGHT, front: PAD_T, back: PAD_B, taps: KERNEL_H, stride: STRIDE_H,
                                 dilation: DILATION_H, words: WIDTH * FOLDS};
  localparam int    ROWS     = SLOTS * BANKS_H;
  localparam int    BANK_ROW = (WIDTH + BANKS_W - 1) / BANKS_W * FOLDS;  // words of a row in a bank
  localparam int    ROW_BITS = $clog2(HEIGHT + ROWS + 2) + 1;  // for differences between rows of either sign
  localparam int    X_BITS   = place_bits_of(X, reach_of(X) + STRIDE_W);
  localparam int    Y_BITS   = place_bits_of(Y, reach_of(Y) + STRIDE_H);

  logic            en;  // the pipeline moves
  logic [BITS-1:0] word;
  logic            word_valid, room, take;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(room)
  );
  assign take = word_valid && room;

  logic [index_bits(BANKS_H)-1:0]  in_row_bank, row_bank;
  logic [index_bits(BANKS_W)-1:0]  in_column_bank, column_bank;
  logic [index_bits(SLOTS)-1:0]    in_slot, slot;
  logic [index_bits(BANK_ROW)-1:0] in_column;
  logic [BANKS_W-1:0][index_bits(BANK_ROW)-1:0] places;
  logic signed [X_BITS-1:0]        x;
  logic signed [Y_BITS-1:0]        y;
  logic [ROW_BITS-1:0]             limit;
  logic [M_BITS-1:0]               window;
  logic                            emit, valid;

  headrace_bank_reader #(
    .WIDTH(WIDTH), .FOLDS(FOLDS), .BANKS_H(BANKS_H), .BANKS_W(BANKS_W), .SLOTS(SLOTS), .BANK_ROW(BANK_ROW),
    .ROW_BITS(ROW_BITS)
  ) u_reader (
    .ap_clk, .ap_rst_n, .take, .limit, .room,
    .row_bank(in_row_bank), .column_bank(in_column_bank), .slot(in_slot), .column(in_column)
  );

  headrace_bank_writer #(
    .X(X), .Y(Y), .BANKS_H(BANKS_H), .BANKS_W(BANKS_W), .SLOTS(SLOTS), .BANK_ROW(BANK_ROW),
    .X_BITS(X_BITS), .Y_BITS(Y_BITS), .ROW_BITS(ROW_BITS)
  ) u_writer (
    .ap_clk, .ap_rst_n, .take, .en, .emit, .x, .y, .row_bank, .column_bank, .slot, .places, .limit
  );

  headrace_window_banks #(
    .X(X), .Y(Y), .SIMD(SIMD), .E_BITS(E_BITS), .PAD_CODE(PAD_CODE), .BANKS_H(BANKS_H), .BANKS_W(BANKS_W),
    .SLOTS(SLOTS), .BANK_ROW(BANK_ROW), .X_BITS(X_BITS), .Y_BITS(Y_BITS), .URAM(URAM)
  ) u_banks (
    .ap_clk, .ap_rst_n, .take, .word, .in_row_bank, .in_column_bank, .in_slot, .in_column,
    .en, .emit, .x, .y, .row_bank, .column_bank, .slot, .places, .window, .valid
  );

  headrace_skid #(.BITS(M_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(window), .s_axis_TVALID(valid), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[M_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (M_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(M_BITS+7)/8*8-1:M_BITS] = '0;
  end

  if (CHANNELS % SIMD != 0) begin : gen_check_simd
    $error("parallel_swu: SIMD=%0d must divide CHANNELS=%0d", SIMD, CHANNELS);
  end
  if (BANKS_H < KERNEL_H || BANKS_W < KERNEL_W) begin : gen_check_banks
    $error("parallel_swu: BANKS_H=%0d and BANKS_W=%0d must be at least the kernel, %0dx%0d", BANKS_H, BANKS_W, KERNEL_H,
           KERNEL_W);
  end
  if (SLOTS < 2 || SLOTS != 2 ** $clog2(SLOTS) || ROWS <= reach_of(Y) + 1) begin : gen_check_slots
    $error("parallel_swu: SLOTS=%0d must be a power of two from 2, and its %0d rows more than a window's", SLOTS, ROWS);
  end
  if (reach_of(Y) >= HEIGHT + PAD_T + PAD_B || reach_of(X) >= WIDTH + PAD_L + PAD_R) begin : gen_check_kernel
    $error("parallel_swu: a window of %0dx%0d does not fit into %0dx%0d and its padding", reach_of(Y) + 1,
           reach_of(X) + 1, HEIGHT, WIDTH);
  end

endmodule
