// Sliding window unit that emits all taps of SIMD channels of a window in one word, pads made on the fly.
//
// BANKS_H x BANKS_W memories hold pixel (y, x) in bank (y mod BANKS_H, x mod BANKS_W), rows counted over all frames.
// The numbers of banks are prime to the dilations and not less than the kernel, so the taps of a window lie in
// different banks: one cycle reads them all. Tap (i, j) of a window whose first tap lies in bank (b, c) is in bank
// ((b + i*DILATION_H) mod BANKS_H, (c + j*DILATION_W) mod BANKS_W); two multiplexers, rows before columns, turn banks
// into taps. A bank holds SLOTS of its rows in a circle.
//
// Reader and writer only compare counts:
//   * a window waits for the word of its last tap, moved into the frame where it lies outside: `needed` is its place in
//     the writer's frame, of which `ahead` words were taken. The next place is a sum of numbers that were limited to
//     the frame ahead of time;
//   * a word is taken while its row lies less than SLOTS*BANKS_H rows above `keep`, the oldest row of the window. Rows
//     are counted over all frames modulo a power of two.
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
  parameter int SLOTS      = 2   // rows per memory, a power of two
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

  localparam int BITS       = SIMD * E_BITS;
  localparam int TAPS       = KERNEL_H * KERNEL_W;
  localparam int M_BITS     = TAPS * BITS;
  localparam int FOLDS      = CHANNELS / SIMD;
  localparam int ROW        = WIDTH * FOLDS;
  localparam int WORDS      = HEIGHT * ROW;
  localparam int BACK_H     = kernel_reach(KERNEL_H, DILATION_H);
  localparam int BACK_W     = kernel_reach(KERNEL_W, DILATION_W);
  localparam int OUT_HEIGHT = window_count(HEIGHT, PAD_T + PAD_B, BACK_H, STRIDE_H);
  localparam int OUT_WIDTH  = window_count(WIDTH, PAD_L + PAD_R, BACK_W, STRIDE_W);
  localparam int ROWS       = SLOTS * BANKS_H;
  localparam int BANK_ROW   = (WIDTH + BANKS_W - 1) / BANKS_W * FOLDS;  // words of a row in a bank

  // No two counts that are compared lie further apart than this in either direction.
  localparam int C_BITS    = $clog2(WORDS + (ROWS + 2) * ROW + 1) + 1;
  localparam int R_BITS    = $clog2(HEIGHT + ROWS + 2) + 1;
  localparam int X_BITS    = place_bits(PAD_L, WIDTH, PAD_R, BACK_W + STRIDE_W);
  localparam int Y_BITS    = place_bits(PAD_T, HEIGHT, PAD_B, BACK_H + STRIDE_H);
  // Words to the last tap of a window, from the left edge and from the top; negative in the padding.
  localparam int LAST_X    = (WIDTH - 1) * FOLDS;   // to the last column
  localparam int LAST_Y    = (HEIGHT - 1) * ROW;    // to the last row
  localparam int FIRST_X   = limited((BACK_W - PAD_L) * FOLDS, LAST_X);  // of the first window
  localparam int SECOND_X  = limited((BACK_W - PAD_L + STRIDE_W) * FOLDS, LAST_X);
  localparam int THIRD_X   = (BACK_W - PAD_L + 2 * STRIDE_W) * FOLDS;
  localparam int FIRST_Y   = limited((BACK_H - PAD_T) * ROW, LAST_Y);    // of the first line of windows
  localparam int SECOND_Y  = limited((BACK_H - PAD_T + STRIDE_H) * ROW, LAST_Y);
  localparam int THIRD_Y   = (BACK_H - PAD_T + 2 * STRIDE_H) * ROW;
  localparam int XW_BITS   = 1 + $clog2(
      ((PAD_L > WIDTH + PAD_R ? PAD_L : WIDTH + PAD_R) + BACK_W + 2 * STRIDE_W) * FOLDS);
  localparam int YW_BITS   = 1 + $clog2(
      ((PAD_T > HEIGHT + PAD_B ? PAD_T : HEIGHT + PAD_B) + BACK_H + 2 * STRIDE_H) * ROW);
  localparam int N_BITS    = index_bits(WORDS);
  localparam int FOLD_BITS = index_bits(FOLDS);
  localparam int IX_BITS   = index_bits(WIDTH);
  localparam int OW_BITS   = index_bits(OUT_WIDTH);
  localparam int OH_BITS   = index_bits(OUT_HEIGHT);
  localparam int BH_BITS   = index_bits(BANKS_H);
  localparam int BW_BITS   = index_bits(BANKS_W);
  localparam int SLOT_BITS = index_bits(SLOTS);
  localparam int A_BITS    = index_bits(BANK_ROW);

  // The row of the first tap moves by STRIDE_H from line to line and by FRAME_STEP, perhaps backwards, to the next
  // frame; its column by STRIDE_W. As banks and rows or columns within them, the former not negative:
  localparam int FRAME_STEP  = HEIGHT - (OUT_HEIGHT - 1) * STRIDE_H;
  localparam int FRAME_BANK  = (FRAME_STEP % BANKS_H + BANKS_H) % BANKS_H;
  localparam int FRAME_SLOT  = (FRAME_STEP - FRAME_BANK) / BANKS_H;
  localparam int LINE_BANK   = STRIDE_H % BANKS_H;
  localparam int LINE_SLOT   = STRIDE_H / BANKS_H;
  localparam int TOP_BANK    = (BANKS_H - PAD_T % BANKS_H) % BANKS_H;
  localparam int TOP_SLOT    = (-PAD_T - TOP_BANK) / BANKS_H;
  localparam int WINDOW_BANK = STRIDE_W % BANKS_W;
  localparam int WINDOW_STEP = STRIDE_W / BANKS_W * FOLDS;
  localparam int LEFT_BANK   = (BANKS_W - PAD_L % BANKS_W) % BANKS_W;
  localparam int LEFT_STEP   = (-PAD_L - LEFT_BANK) / BANKS_W * FOLDS;

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

  // The reader: where the word goes.
  logic [FOLD_BITS-1:0] in_fold_q;
  logic [IX_BITS-1:0]   in_x_q;
  logic [BW_BITS-1:0]   in_column_bank_q;
  logic [A_BITS-1:0]    in_column_q;  // address of the pixel in its row of its bank
  logic [BH_BITS-1:0]   in_row_bank_q;
  logic [SLOT_BITS-1:0] in_slot_q;
  logic [R_BITS-1:0]    in_row_q;     // row of the word
  logic                 in_fold_last, in_x_last, in_column_wraps, in_row_wraps;

  assign in_fold_last    = in_fold_q == FOLD_BITS'(FOLDS - 1);
  assign in_x_last       = in_x_q == IX_BITS'(WIDTH - 1);
  assign in_column_wraps = in_column_bank_q == BW_BITS'(BANKS_W - 1);
  assign in_row_wraps    = in_row_bank_q == BH_BITS'(BANKS_H - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      in_fold_q        <= '0;
      in_x_q           <= '0;
      in_column_bank_q <= '0;
      in_column_q      <= '0;
      in_row_bank_q    <= '0;
      in_slot_q        <= '0;
      in_row_q         <= '0;
    end else if (take) begin
      in_fold_q <= in_fold_last ? '0 : in_fold_q + 1'b1;
      if (in_fold_last && !in_x_last) begin
        in_x_q           <= in_x_q + 1'b1;
        in_column_bank_q <= in_column_wraps ? '0 : in_column_bank_q + 1'b1;
        if (in_column_wraps) in_column_q <= in_column_q + A_BITS'(FOLDS);
      end
      if (in_fold_last && in_x_last) begin
        in_x_q           <= '0;
        in_column_bank_q <= '0;
        in_column_q      <= '0;
        in_row_q         <= in_row_q + 1'b1;
        in_row_bank_q    <= in_row_wraps ? '0 : in_row_bank_q + 1'b1;
        if (in_row_wraps) in_slot_q <= in_slot_q == SLOT_BITS'(SLOTS - 1) ? '0 : in_slot_q + 1'b1;
      end
    end
  end

  // The writer: counters of its loops, and the first tap's place, bank and address.
  logic [FOLD_BITS-1:0]      fold_q;
  logic [OW_BITS-1:0]        ow_q;
  logic [OH_BITS-1:0]        oh_q;
  logic signed [X_BITS-1:0]  x_q;
  logic signed [Y_BITS-1:0]  y_q;
  logic [N_BITS-1:0]         needed_q, needed_from, needed_on;  // place of the last tap's word in the frame
  logic [N_BITS-1:0]         next_x_words_q;  // from the left edge to the last tap of the next window in the line
  logic signed [XW_BITS-1:0] far_x_words_q;   // and of that behind it, not limited to the frame
  logic [N_BITS-1:0]         y_words_q;       // from the top to the row of the last tap
  logic [N_BITS-1:0]         next_y_words_q;  // and of that of the next line
  logic signed [YW_BITS-1:0] far_y_words_q;   // and of that behind it, not limited to the frame
  logic [BW_BITS-1:0]        column_bank_q;
  logic [A_BITS-1:0]         column_q, column_d;  // address of the first tap's pixel in its row of its bank
  logic [A_BITS-1:0]         place_q;             // and that of the word
  logic [BH_BITS-1:0]        row_bank_q;
  logic [SLOT_BITS-1:0]      slot_q;
  logic [R_BITS-1:0]         base_row_q;  // row of the first word of the writer's frame

  logic fold_last, ow_last, oh_last, next_window, next_line, next_frame;
  assign fold_last   = fold_q == FOLD_BITS'(FOLDS - 1);
  assign ow_last     = ow_q == OW_BITS'(OUT_WIDTH - 1);
  assign oh_last     = oh_q == OH_BITS'(OUT_HEIGHT - 1);
  assign next_window = fold_last && !ow_last;
  assign next_line   = fold_last && ow_last && !oh_last;
  assign next_frame  = fold_last && ow_last && oh_last;

  // Words taken of the writer's frame, negative while words of the frame before still come in.
  logic              emit;
  logic [C_BITS-1:0] ahead_q, ahead_d, lead;
  assign lead = ahead_q + ~C_BITS'(needed_q);  // less the needed one
  assign emit = en && !lead[C_BITS-1];
  headrace_carry_adder #(.BITS(C_BITS)) u_ahead (
    .a(ahead_q), .b(emit && next_frame ? C_BITS'(-WORDS) : '0), .carry_in(take), .sum(ahead_d)
  );
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) ahead_q <= '0;
    else ahead_q <= ahead_d;
  end

  assign needed_from = !fold_last ? needed_q : next_window ? y_words_q : next_line ? next_y_words_q : N_BITS'(FIRST_Y);
  assign needed_on   = !fold_last ? N_BITS'(1) : next_window ? next_x_words_q : N_BITS'(FIRST_X);

  // Steps of a bank number and what is carried into the address.
  logic [BW_BITS:0] column_bank_sum;
  logic [BH_BITS:0] row_bank_sum;
  logic             column_carry, row_carry;
  assign column_bank_sum = (BW_BITS+1)'(column_bank_q) + (BW_BITS+1)'(WINDOW_BANK);
  assign column_carry    = column_bank_sum >= (BW_BITS+1)'(BANKS_W);
  assign row_bank_sum    = (BH_BITS+1)'(row_bank_q) + (next_frame ? (BH_BITS+1)'(FRAME_BANK) : (BH_BITS+1)'(LINE_BANK));
  assign row_carry       = row_bank_sum >= (BH_BITS+1)'(BANKS_H);

  assign column_d = next_window ? column_q + A_BITS'(WINDOW_STEP) + (column_carry ? A_BITS'(FOLDS) : '0)
                                : A_BITS'(LEFT_STEP);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      fold_q         <= '0;
      ow_q           <= '0;
      oh_q           <= '0;
      x_q            <= X_BITS'(-PAD_L);
      y_q            <= Y_BITS'(-PAD_T);
      needed_q       <= N_BITS'(FIRST_Y + FIRST_X);
      next_x_words_q <= N_BITS'(SECOND_X);
      far_x_words_q  <= XW_BITS'(THIRD_X);
      y_words_q      <= N_BITS'(FIRST_Y);
      next_y_words_q <= N_BITS'(SECOND_Y);
      far_y_words_q  <= YW_BITS'(THIRD_Y);
      column_bank_q  <= BW_BITS'(LEFT_BANK);
      column_q       <= A_BITS'(LEFT_STEP);
      place_q        <= A_BITS'(LEFT_STEP);
      row_bank_q     <= BH_BITS'(TOP_BANK);
      slot_q         <= SLOT_BITS'(TOP_SLOT);
      base_row_q     <= '0;
    end else if (emit) begin
      needed_q <= needed_from + needed_on;
      fold_q   <= fold_last ? '0 : fold_q + 1'b1;
      place_q  <= fold_last ? column_d : place_q + 1'b1;
      if (fold_last) column_q <= column_d;
      if (fold_last) ow_q <= ow_last ? '0 : ow_q + 1'b1;
      if (next_window) begin
        x_q            <= x_q + X_BITS'(STRIDE_W);
        next_x_words_q <= far_x_words_q[XW_BITS-1] ? '0 : far_x_words_q > XW_BITS'(LAST_X) ? N_BITS'(LAST_X)
                                                                                          : N_BITS'(far_x_words_q);
        far_x_words_q  <= far_x_words_q + XW_BITS'(STRIDE_W * FOLDS);
        column_bank_q  <= BW_BITS'(column_carry ? column_bank_sum - (BW_BITS+1)'(BANKS_W) : column_bank_sum);
      end
      if (next_line || next_frame) begin
        oh_q           <= oh_last ? '0 : oh_q + 1'b1;
        x_q            <= X_BITS'(-PAD_L);
        next_x_words_q <= N_BITS'(SECOND_X);
        far_x_words_q  <= XW_BITS'(THIRD_X);
        column_bank_q  <= BW_BITS'(LEFT_BANK);
        row_bank_q     <= BH_BITS'(row_carry ? row_bank_sum - (BH_BITS+1)'(BANKS_H) : row_bank_sum);
        slot_q         <= slot_q + (next_frame ? SLOT_BITS'(FRAME_SLOT) : SLOT_BITS'(LINE_SLOT))
                                 + SLOT_BITS'(row_carry);
      end
      if (next_line) begin
        y_q            <= y_q + Y_BITS'(STRIDE_H);
        y_words_q      <= next_y_words_q;
        next_y_words_q <= far_y_words_q[YW_BITS-1] ? '0 : far_y_words_q > YW_BITS'(LAST_Y) ? N_BITS'(LAST_Y)
                                                                                          : N_BITS'(far_y_words_q);
        far_y_words_q  <= far_y_words_q + YW_BITS'(STRIDE_H * ROW);
      end
      if (next_frame) begin
        y_q            <= Y_BITS'(-PAD_T);
        y_words_q      <= N_BITS'(FIRST_Y);
        next_y_words_q <= N_BITS'(SECOND_Y);
        far_y_words_q  <= YW_BITS'(THIRD_Y);
        base_row_q     <= base_row_q + R_BITS'(HEIGHT);
      end
    end
  end

  // What may be overwritten: rows above the window's, none of the next frame.
  logic [R_BITS-1:0] keep_q, ahead;  // ahead is negative while rows come in that no window needs
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) keep_q <= '0;
    else if (y_q[Y_BITS-1]) keep_q <= base_row_q;
    else if (y_q >= Y_BITS'(HEIGHT)) keep_q <= base_row_q + R_BITS'(HEIGHT);
    else keep_q <= base_row_q + R_BITS'(y_q);
  end
  assign ahead = in_row_q - keep_q;
  assign room  = ahead[R_BITS-1] || ahead < R_BITS'(ROWS);

  // Addresses: in each bank of a row or column, those of the tap that lies there.
  logic [SLOT_BITS-1:0] bank_slot   [BANKS_H];
  logic [A_BITS-1:0]    bank_column [BANKS_W];
  always_comb begin
    for (int k = 0; k < BANKS_H; k++) begin
      bank_slot[k] = slot_q;
      for (int i = 0; i < KERNEL_H; i++) begin
        for (int b = 0; b < BANKS_H; b++) begin
          if (row_bank_q == BH_BITS'(b) && (b + i * DILATION_H) % BANKS_H == k) begin
            bank_slot[k] = slot_q + SLOT_BITS'((b + i * DILATION_H) / BANKS_H);
          end
        end
      end
    end
    for (int k = 0; k < BANKS_W; k++) begin
      bank_column[k] = place_q;
      for (int j = 0; j < KERNEL_W; j++) begin
        for (int c = 0; c < BANKS_W; c++) begin
          if (column_bank_q == BW_BITS'(c) && (c + j * DILATION_W) % BANKS_W == k) begin
            bank_column[k] = place_q + A_BITS'((c + j * DILATION_W) / BANKS_W * FOLDS);
          end
        end
      end
    end
  end

  // Read the banks.
  logic [BITS-1:0] read_q [BANKS_H][BANKS_W];
  for (genvar k = 0; k < BANKS_H; k++) begin : gen_bank_row
    for (genvar l = 0; l < BANKS_W; l++) begin : gen_bank
      headrace_ram #(.DEPTH(SLOTS * 2 ** A_BITS), .BITS(BITS)) u_words (
        .ap_clk, .write(take && in_row_bank_q == BH_BITS'(k) && in_column_bank_q == BW_BITS'(l)),
        .write_address({in_slot_q, in_column_q + A_BITS'(in_fold_q)}), .write_data(word),
        .read(en), .read_address({bank_slot[k], bank_column[l]}), .clear(1'b0), .read_data(read_q[k][l])
      );
    end
  end

  // Which taps lie in the frame, beside the two steps from banks to taps.
  logic [KERNEL_H-1:0] row_inside_q;
  logic [KERNEL_W-1:0] column_inside_q;
  logic [TAPS-1:0]     inside_q;
  logic [BH_BITS-1:0]  row_turn_q;
  logic [BW_BITS-1:0]  column_turn_q [2];
  logic [1:0]          valid_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= '0;
    else if (en) valid_q <= {valid_q[0], emit};
  end
  always_ff @(posedge ap_clk) begin
    if (en) begin
      row_turn_q       <= row_bank_q;
      column_turn_q[0] <= column_bank_q;
      column_turn_q[1] <= column_turn_q[0];
      for (int i = 0; i < KERNEL_H; i++) begin
        inside_q[i*KERNEL_W+:KERNEL_W] <= row_inside_q[i] ? column_inside_q : '0;
        row_inside_q[i] <= y_q >= Y_BITS'(-i * DILATION_H) && y_q < Y_BITS'(HEIGHT - i * DILATION_H);
      end
      for (int j = 0; j < KERNEL_W; j++) begin
        column_inside_q[j] <= x_q >= X_BITS'(-j * DILATION_W) && x_q < X_BITS'(WIDTH - j * DILATION_W);
      end
    end
  end

  logic [BITS-1:0]   turned_q [KERNEL_H][BANKS_W];  // rows in the order of the taps
  logic [M_BITS-1:0] window;
  always_ff @(posedge ap_clk) begin
    if (en) begin
      for (int i = 0; i < KERNEL_H; i++) begin
        for (int b = 0; b < BANKS_H; b++) begin
          if (row_turn_q == BH_BITS'(b)) turned_q[i] <= read_q[(b + i * DILATION_H) % BANKS_H];
        end
      end
    end
  end
  always_comb begin
    window = {(TAPS * SIMD) {E_BITS'(PAD_CODE)}};
    for (int i = 0; i < KERNEL_H; i++) begin
      for (int j = 0; j < KERNEL_W; j++) begin
        for (int c = 0; c < BANKS_W; c++) begin
          if (column_turn_q[1] == BW_BITS'(c) && inside_q[i*KERNEL_W+j]) begin
            window[(i*KERNEL_W+j)*BITS+:BITS] = turned_q[i][(c+j*DILATION_W)%BANKS_W];
          end
        end
      end
    end
  end

  headrace_skid #(.BITS(M_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(window), .s_axis_TVALID(valid_q[1]), .s_axis_TREADY(en),
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
  if (SLOTS < 2 || SLOTS != 2 ** $clog2(SLOTS) || ROWS <= BACK_H + 1) begin : gen_check_slots
    $error("parallel_swu: SLOTS=%0d must be a power of two from 2, and its %0d rows more than a window's", SLOTS, ROWS);
  end
  if (BACK_H >= HEIGHT + PAD_T + PAD_B || BACK_W >= WIDTH + PAD_L + PAD_R) begin : gen_check_kernel
    $error("parallel_swu: a window of %0dx%0d does not fit into %0dx%0d and its padding", BACK_H + 1, BACK_W + 1,
           HEIGHT, WIDTH);
  end

endmodule
