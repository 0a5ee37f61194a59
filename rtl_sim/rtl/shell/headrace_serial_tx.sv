// Bytes to a serial line: 8 data bits, no parity, one stop bit; the line is high at rest and in reset.
//
// An accumulator adds STEP in every cycle of a byte and overflows at the end of each bit.
module headrace_serial_tx #(
  parameter int unsigned CLOCK_HZ = 25000000, // of ap_clk
  parameter int unsigned BAUD     = 3000000   // bits per second
) (
  input  logic       ap_clk,        // clock
  input  logic       ap_rst_n,      // synchronous reset, active low
  input  logic [7:0] s_axis_TDATA,  // byte
  input  logic       s_axis_TVALID, // byte is there
  output logic       s_axis_TREADY, // byte is taken
  output logic       tx             // the line
);

  localparam int unsigned PHASE_BITS = 20;
  localparam logic [63:0] STEP = ((64'(BAUD) << PHASE_BITS) + 64'(CLOCK_HZ / 2)) / 64'(CLOCK_HZ);

  logic [PHASE_BITS-1:0] phase_q;
  logic [8:0]            shift_q;  // what follows the bit on the line
  logic [3:0]            left_q;   // bits that follow
  logic                  busy_q, end_q, line_q, take;

  assign take          = s_axis_TVALID && !busy_q;
  assign s_axis_TREADY = !busy_q;
  assign tx            = line_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      busy_q <= 1'b0;
      end_q  <= 1'b0;
      line_q <= 1'b1;
    end else begin
      busy_q <= busy_q ? !(end_q && left_q == '0) : take;
      end_q  <= busy_q && {1'b0, phase_q} + (PHASE_BITS + 1)'(STEP) >= (PHASE_BITS + 1)'(1 << PHASE_BITS);
      if (take) line_q <= 1'b0;
      else if (end_q) line_q <= shift_q[0];
    end
  end

  always_ff @(posedge ap_clk) begin
    phase_q <= busy_q ? phase_q + PHASE_BITS'(STEP) : '0;
    if (!busy_q) begin
      shift_q <= {1'b1, s_axis_TDATA};
      left_q  <= 4'd9;
    end else if (end_q) begin
      shift_q <= {1'b1, shift_q[8:1]};
      left_q  <= left_q - 1'b1;
    end
  end

  if (BAUD < 1 || CLOCK_HZ / BAUD < 5) begin : gen_check
    $error("serial_tx: CLOCK_HZ=%0d must be at least 5 times BAUD=%0d", CLOCK_HZ, BAUD);
  end

endmodule
