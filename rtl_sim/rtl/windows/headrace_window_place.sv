// Places along an axis of the frame: of the first tap of a window, and of the tap that it is at. In the padding a place
// is negative or not less than the size.
module headrace_window_place import headrace_pkg::*; #(
  parameter axis_t AXIS = SMALL_X,                // the axis
  parameter int    BITS = place_bits_of(AXIS, 2)  // width of a place
) (
  input  logic                   ap_clk,     // clock
  input  logic                   ap_rst_n,   // synchronous reset, active low
  input  logic                   move,       // the places move:
  input  logic                   to_tap,     // to the next tap, or
  input  logic                   to_first,   // back to the first tap, or
  input  logic                   to_window,  // to the first tap of the next window,
  input  logic                   wraps,      // which is the first window of the axis again
  output logic signed [BITS-1:0] tap,        // place of the tap
  output logic                   in_frame,   // it lies in the frame
  output logic                   outside,    // it does not: a register of its own, for what does not wait for the other
  output logic signed [BITS-1:0] first       // place of the first tap
);

  logic signed [BITS-1:0] tap_q, first_q, tap_d, next_first;
  logic                   inside_d, in_frame_q, outside_q;
  assign next_first = wraps ? BITS'(-AXIS.front) : first_q + BITS'(AXIS.stride);
  assign tap_d      = to_tap ? tap_q + BITS'(AXIS.dilation) : to_first ? first_q : next_first;
  assign inside_d   = !tap_d[BITS-1] && tap_d < BITS'(AXIS.size);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      tap_q      <= BITS'(-AXIS.front);
      first_q    <= BITS'(-AXIS.front);
      in_frame_q <= AXIS.front == 0;
      outside_q  <= AXIS.front != 0;
    end else if (move && (to_tap || to_first || to_window)) begin
      tap_q      <= tap_d;
      in_frame_q <= inside_d;
      outside_q  <= !inside_d;
      if (!to_tap && !to_first) first_q <= next_first;
    end
  end
  assign tap      = tap_q;
  assign first    = first_q;
  assign in_frame = in_frame_q;
  assign outside  = outside_q;

endmodule
