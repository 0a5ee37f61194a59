// Comparison of two's complement numbers: reached = a >= b. Combinational.
//
// A carry chain over places of GROUP bits, from the lowest: a place that is equal passes the carry on, a greater one
// makes one, a lesser one stops it. A place is two functions of 2 * GROUP bits, or where b comes out of a small ROM of
// its address and GROUP bits of a, so that LUTs hold the ROM too; a single bit is one function, a itself is the other.
// b may be wider than a: the highest place then holds the bits above.
module headrace_at_least #(
  parameter int unsigned A_BITS = 8,  // width of the number
  parameter int unsigned B_BITS = 8,  // width of the bound, at least A_BITS
  parameter int unsigned GROUP  = 3   // bits per place
) (
  input  logic signed [A_BITS-1:0] a,       // number
  input  logic signed [B_BITS-1:0] b,       // bound
  output logic                     reached  // a >= b
);

  localparam int unsigned PLACES = (A_BITS + GROUP - 1) / GROUP;

  logic [PLACES-1:0] not_less, not_greater;
  logic [PLACES:0]   difference;  // its highest bit is the carry out
  logic              unused_places;

  for (genvar g = 0; g < PLACES; g++) begin : gen_place
    localparam int unsigned LOW  = g * GROUP;
    localparam int unsigned HIGH = (g + 1) * GROUP < A_BITS ? (g + 1) * GROUP - 1 : A_BITS - 1;
    if (g == PLACES - 1) begin : gen_highest
      logic signed [B_BITS-LOW-1:0] a_high, b_high;
      assign a_high         = (B_BITS-LOW)'(signed'(a[A_BITS-1:LOW]));
      assign b_high         = signed'(b[B_BITS-1:LOW]);
      assign not_less[g]    = a_high >= b_high;
      assign not_greater[g] = a_high <= b_high;
    end else if (GROUP == 1) begin : gen_bit
      assign not_less[g]    = a[g];
      assign not_greater[g] = b[g];
    end else begin : gen_bits
      assign not_less[g]    = a[HIGH:LOW] >= b[HIGH:LOW];
      assign not_greater[g] = a[HIGH:LOW] <= b[HIGH:LOW];
    end
  end

  // not_less - not_greater, as a subtraction so that synthesis takes not_less for what makes a carry.
  assign difference    = {1'b1, not_less} - {1'b0, not_greater};
  assign reached       = difference[PLACES];
  assign unused_places = ^difference[PLACES-1:0];

  if (A_BITS < 1 || B_BITS < A_BITS || GROUP < 1) begin : gen_check
    $error("at_least: A_BITS=%0d and GROUP=%0d must be at least 1, and B_BITS=%0d at least A_BITS", A_BITS, GROUP,
           B_BITS);
  end

endmodule
