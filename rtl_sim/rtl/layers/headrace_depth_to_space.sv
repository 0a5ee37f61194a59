// Depth to space: y[r*BLOCK_H + i, c*BLOCK_W + j, k] = x[r, c, (i*BLOCK_W + j)*CHANNELS + k], one word per cycle.
//
// A row of pixels comes as c, i, (j, k) and leaves as i, c, (j, k): runs of the innermost loop stay together. A circular
// buffer of DEPTH words takes words as they come and is read run by run. Every step of the writer moves its address by
// one of three constants, so that counters of differences replace all other addresses, as in headrace_swu:
//   lead   words taken above the address of the word out: it waits for its word;
//   fill   words taken less those that none waits for, less DEPTH: there is room while it is negative. It falls with
//          the last word of a run: by the run where that shows the row's first pixel, by all runs of the pixel where the
//          last row shows another one.
// TDATA, TVALID and TREADY are registers; a word in is stored at once. A frame is HEIGHT times the same.
module headrace_depth_to_space import headrace_pkg::*; #(
  parameter int HEIGHT   = 3,  // rows in
  parameter int WIDTH    = 4,  // columns in
  parameter int CHANNELS = 4,  // channels of a pixel out
  parameter int BLOCK_H  = 2,  // rows out per row in
  parameter int BLOCK_W  = 2,  // columns out per column in
  parameter int SIMD     = 2,  // elements per cycle
  parameter int E_BITS   = 3,  // width of an element
  parameter int DEPTH    = 64, // words of the buffer, a power of two
  // Options, left out where they are not used:
  parameter bit URAM     = 0   // the buffer in UltraRAM
) (
  input  logic                           ap_clk,         // clock
  input  logic                           ap_rst_n,       // synchronous reset, active low
  input  logic [(SIMD*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // SIMD elements
  input  logic                           s_axis_TVALID,  // word in is there
  output logic                           s_axis_TREADY,  // word in is taken
  output logic [(SIMD*E_BITS+7)/8*8-1:0] m_axis_TDATA,   // SIMD elements
  output logic                           m_axis_TVALID,  // word out is there
  input  logic                           m_axis_TREADY   // word out is taken
);

  localparam int BITS       = SIMD * E_BITS;
  localparam int RUN        = BLOCK_W * CHANNELS / SIMD;  // words of a row of a block
  localparam int PIXEL      = BLOCK_H * RUN;              // words of a pixel in
  localparam int TO_PIXEL   = PIXEL - RUN + 1;            // steps of the address at the end of a run
  localparam int TO_ROW     = 1 - (WIDTH - 1) * PIXEL;
  localparam int LIVE       = ((WIDTH - 1) * (BLOCK_H - 1) + 1) * RUN;  // words that wait for the first row's last run
  localparam int ADDR_BITS  = $clog2(DEPTH);
  localparam int DIFF_BITS  = ADDR_BITS + 1;  // differences lie between -DEPTH and DEPTH - 1
  localparam int RUN_BITS   = index_bits(RUN);
  localparam int X_BITS     = index_bits(WIDTH);
  localparam int ROW_BITS   = index_bits(BLOCK_H);

  logic en, take, emit, unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  // Position of the writer. What ends with its word is known in registers, so that steps depend on few of them.
  logic [RUN_BITS-1:0] run_q;
  logic [X_BITS-1:0]   x_q;
  logic [ROW_BITS-1:0] row_q;
  logic                run_last_q, x_first_q, x_last_q, row_last_q, run_ends, line_ends;
  assign run_ends  = emit && run_last_q;
  assign line_ends = run_ends && x_last_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      run_q      <= '0;
      x_q        <= '0;
      row_q      <= '0;
      run_last_q <= RUN == 1;
      x_first_q  <= 1'b1;
      x_last_q   <= WIDTH == 1;
      row_last_q <= BLOCK_H == 1;
    end else begin
      if (emit) begin
        run_q      <= run_last_q ? '0 : run_q + 1'b1;
        run_last_q <= RUN == 1 || (!run_last_q && run_q == RUN_BITS'(RUN - 2));
      end
      if (run_ends) begin
        x_q       <= x_last_q ? '0 : x_q + 1'b1;
        x_first_q <= x_last_q;
        x_last_q  <= WIDTH == 1 || (!x_last_q && x_q == X_BITS'(WIDTH - 2));
      end
      if (line_ends) begin
        row_q      <= row_last_q ? '0 : row_q + 1'b1;
        row_last_q <= BLOCK_H == 1 || (!row_last_q && row_q == ROW_BITS'(BLOCK_H - 2));
      end
    end
  end

  // The address of the word out, and how many words above it were taken, less one.
  logic                 next_pixel, next_row;
  logic [ADDR_BITS-1:0] address_q, address_step;
  logic [DIFF_BITS-1:0] lead_q, lead_d, lead_step;
  assign next_pixel   = run_last_q && !x_last_q;
  assign next_row     = run_last_q && x_last_q && !row_last_q;
  assign address_step = next_pixel ? ADDR_BITS'(TO_PIXEL) : next_row ? ADDR_BITS'(TO_ROW) : ADDR_BITS'(1);
  assign lead_step    = !emit      ? '0
                      : next_pixel ? DIFF_BITS'(-TO_PIXEL)
                      : next_row   ? DIFF_BITS'(-TO_ROW)
                                   : '1;
  headrace_carry_adder #(.BITS(DIFF_BITS)) u_lead (.a(lead_q), .b(lead_step), .carry_in(take), .sum(lead_d));

  // Words in the buffer, less DEPTH.
  logic [DIFF_BITS-1:0] fill_q, fill_d, fill_step;
  assign fill_step = !run_ends  ? '0
                   : x_first_q  ? DIFF_BITS'(-RUN)
                   : row_last_q ? DIFF_BITS'(-PIXEL)
                                : '0;
  headrace_carry_adder #(.BITS(DIFF_BITS)) u_fill (.a(fill_q), .b(fill_step), .carry_in(take), .sum(fill_d));

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      address_q <= '0;
      lead_q    <= '1;
      fill_q    <= DIFF_BITS'(-DEPTH);
    end else begin
      if (emit) address_q <= address_q + address_step;
      lead_q <= lead_d;
      fill_q <= fill_d;
    end
  end

  logic ready_q;  // no word is taken in reset
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) ready_q <= 1'b0;
    else ready_q <= fill_d[DIFF_BITS-1];
  end
  assign s_axis_TREADY = ready_q;
  assign take          = s_axis_TVALID && ready_q;

  // The buffer. Its read register is the output.
  logic [ADDR_BITS-1:0] taken_q;  // address of the next word in
  logic                 valid_q;
  assign en   = m_axis_TREADY || !valid_q;
  assign emit = en && !lead_q[DIFF_BITS-1];
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) taken_q <= '0;
    else if (take) taken_q <= taken_q + 1'b1;
  end
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= 1'b0;
    else if (en) valid_q <= emit;
  end

  headrace_ram #(.DEPTH(DEPTH), .BITS(BITS), .URAM(URAM)) u_words (
    .ap_clk, .write(take), .write_address(taken_q), .write_data(s_axis_TDATA[BITS-1:0]),
    .read(en), .read_address(address_q), .clear(1'b0), .read_data(m_axis_TDATA[BITS-1:0])
  );
  assign m_axis_TVALID = valid_q;
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (BLOCK_W * CHANNELS % SIMD != 0) begin : gen_check_simd
    $error("depth_to_space: SIMD=%0d must divide BLOCK_W*CHANNELS=%0d", SIMD, BLOCK_W * CHANNELS);
  end
  if (HEIGHT < 1 || WIDTH < 1 || BLOCK_H < 1 || BLOCK_W < 1) begin : gen_check_shape
    $error("depth_to_space: %0dx%0d pixels and a block of %0dx%0d must be at least 1x1", HEIGHT, WIDTH, BLOCK_H, BLOCK_W);
  end
  if (DEPTH < 2 || DEPTH != 2 ** ADDR_BITS || DEPTH < LIVE + RUN) begin : gen_check_depth
    $error("depth_to_space: DEPTH=%0d must be a power of two that holds %0d words", DEPTH, LIVE + RUN);
  end

endmodule
