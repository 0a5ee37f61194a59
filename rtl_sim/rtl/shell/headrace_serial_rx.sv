// Bytes from a serial line: 8 data bits, no parity, one stop bit.
//
// The line passes two flip-flops. An accumulator adds STEP in every cycle and overflows once per bit; it begins at half
// a bit when the line falls, so that it overflows in the middle of the bits. After a byte without a stop bit the line has
// to rise before another one begins.
module headrace_serial_rx #(
  parameter int unsigned CLOCK_HZ = 25000000, // of ap_clk
  parameter int unsigned BAUD     = 3000000   // bits per second
) (
  input  logic       ap_clk,   // clock
  input  logic       ap_rst_n, // synchronous reset, active low
  input  logic       rx,       // the line, from any clock
  output logic       valid,    // a byte is there, in this cycle
  output logic [7:0] data,     // the byte
  output logic       broken    // a byte without a stop bit was there, in this cycle
);

  localparam int unsigned PHASE_BITS = 20;
  localparam logic [63:0] STEP = ((64'(BAUD) << PHASE_BITS) + 64'(CLOCK_HZ / 2)) / 64'(CLOCK_HZ);
  localparam logic [3:0]  STOP = 4'd9;

  logic [2:0]            line_q;  // the newest state lowest
  logic [PHASE_BITS-1:0] phase_q;
  logic [7:0]            shift_q;
  logic [3:0]            place_q; // of the bit: 0 is the start bit
  logic                  busy_q, middle_q, valid_q, broken_q, high, ends;

  assign high = line_q[2];
  assign ends = middle_q && (place_q == STOP || (place_q == '0 && high));  // a short pulse is no start bit

  always_ff @(posedge ap_clk) begin
    line_q <= {line_q[1:0], rx};
    if (!ap_rst_n) begin
      busy_q   <= 1'b0;
      middle_q <= 1'b0;
      valid_q  <= 1'b0;
      broken_q <= 1'b0;
    end else begin
      busy_q   <= busy_q ? !ends : line_q[2:1] == 2'b10;
      middle_q <= busy_q && !ends && {1'b0, phase_q} + (PHASE_BITS + 1)'(STEP) >= (PHASE_BITS + 1)'(1 << PHASE_BITS);
      valid_q  <= ends && place_q == STOP && high;
      broken_q <= ends && place_q == STOP && !high;
    end
  end

  always_ff @(posedge ap_clk) begin
    phase_q <= busy_q ? phase_q + PHASE_BITS'(STEP) : {1'b1, (PHASE_BITS - 1)'(0)};
    if (!busy_q) place_q <= '0;
    else if (middle_q) place_q <= place_q + 1'b1;
    if (middle_q && place_q != STOP) shift_q <= {high, shift_q[7:1]};
  end

  assign valid  = valid_q;
  assign broken = broken_q;
  assign data   = shift_q;

  if (BAUD < 1 || CLOCK_HZ / BAUD < 5) begin : gen_check
    $error("serial_rx: CLOCK_HZ=%0d must be at least 5 times BAUD=%0d", CLOCK_HZ, BAUD);
  end

endmodule
