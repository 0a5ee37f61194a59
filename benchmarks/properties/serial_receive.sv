// headrace_serial_receive: the bytes of good packets come out, in order, and no others; each packet that is lost is told.
//
// Assumed: bytes, or bytes without a stop bit, at most in every fourth cycle. Free: the bytes, when they come, when they
// are taken, and whether the CRC of a packet is right: what calculates it is proved by itself and stands here as a
// stub. Not reached in these cycles: a ring that is full (serial_rings.sv).
module headrace_serial_crc (
  input  logic        ap_clk, clear, take,
  input  logic [7:0]  data,
  output logic [31:0] crc
);
  logic       right;  // another one for every packet, whatever it is
  logic [3:0] free;   // of any value at power-up
  always_ff @(posedge ap_clk) begin
    free <= {free[0], free[3:1]};
    if (clear) right <= free[0];
  end
  assign crc = right ? 32'h2144DF1C : 32'h0;
endmodule

module proof (
  input logic       clk,
  input logic [7:0] came,
  input logic       arrives, breaks, takes
);

  localparam int IDLE = 9;

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  // Bytes of the line, four cycles apart.
  logic [1:0] apart = 0;
  logic comes, broken, valid, lost, moves;
  logic [7:0] data, lost_code;
  assign comes  = rst_n && arrives && !breaks && apart == 0;
  assign broken = rst_n && arrives && breaks && apart == 0;
  assign moves  = rst_n && takes && valid;
  always_ff @(posedge clk) apart <= comes || broken ? 3 : apart == 0 ? 0 : apart - 1;

  headrace_serial_receive #(.BUFFER(64), .IDLE(IDLE)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .byte_valid(comes), .byte_data(came), .byte_broken(broken),
    .data, .valid, .take(takes), .lost, .lost_code
  );

  // Packets as the bytes say it: `open` from the marker to the verdict, which falls behind the last byte of the CRC.
  logic        open = 0, closes = 0, fails;
  logic [2:0]  wait_q = 0;   // cycles from the last byte of the CRC to the verdict
  logic [5:0]  place = 0;    // bytes behind the marker
  logic [15:0] length = 0;
  logic [3:0]  idle = 0;     // cycles without a byte
  logic        whole, long_one, cut;
  assign whole    = open && place >= 5 && place == 6'(length) + 9;
  assign long_one = open && place == 5 && length > 24;
  assign cut      = open && (broken || idle == IDLE + 1);
  // A followed byte of those that are to come out.
  logic [5:0] k, out_n = 0, good_n = 0;
  logic [7:0] tag, maybe;
  logic       good;
  always_ff @(posedge clk) k <= k;
  assign good = whole && wait_q == 1 && dut.u_crc.right && !cut;
  logic [3:0] late = 0;
  logic [2:0] owed = 0;
  logic       gone, is_gone;
  assign gone = (whole && wait_q == 1 && !dut.u_crc.right && !cut) || cut || (long_one && wait_q == 1);
  logic [7:0] why, its_code;
  assign why = cut ? (broken ? 8'd6 : 8'd5) : long_one ? 8'd2 : 8'd1;
  always_ff @(posedge clk) if (!rst_n) begin
    open <= 0;
    is_gone <= 0;
    wait_q <= 0;
  end else begin
    is_gone  <= gone;
    its_code <= why;
    idle <= !open || comes ? 0 : idle + 1;
    wait_q <= whole || long_one ? wait_q + 1 : 0;
    if (!open) begin
      open <= comes && came == 8'hA5;
      place  <= 0;
    end else if (gone || good) begin
      open <= 0;
      if (good) good_n <= good_n + place - 4;
      if (good && k >= good_n && k - good_n < place - 4) tag <= maybe;
    end else if (comes) begin
      place <= place + 1;
      if (place < 5) length <= {came, length[15:8]};
      if (k - good_n == place) maybe <= came;
    end
    if (moves) out_n <= out_n + 1;
    late <= takes && !moves && out_n != good_n ? late + 1 : 0;
  end
  always_comb assume (k < 16);

  always_ff @(posedge clk) if (past) begin
    if (valid) a_good: assert (out_n != good_n);
    if (valid && out_n == k) a_byte: assert (data == tag);
    a_lost: assert (lost == is_gone);
    if (lost) a_code: assert (lost_code == its_code);
    a_leaves: assert (late <= 3);
    c_end: cover (out_n == 1);
  end

endmodule
