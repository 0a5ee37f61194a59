// Comparison of the elements of two words, lane by lane: not_less[p] = a[p] >= b[p]. Combinational.
//
// Elements of more than three bits have a carry chain, with a LUT for every two bits; narrower ones are a LUT.
module headrace_lanes_compare #(
  parameter int unsigned PE        = 2,  // lanes
  parameter int unsigned E_BITS    = 4,  // width of an element
  parameter bit          IS_SIGNED = 0   // elements are two's complement
) (
  input  logic [PE*E_BITS-1:0] a,        // elements
  input  logic [PE*E_BITS-1:0] b,        // those that they are compared with
  output logic [PE-1:0]        not_less  // a >= b
);

  localparam int unsigned VALUE_BITS = IS_SIGNED ? E_BITS : E_BITS + 1;

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic signed [VALUE_BITS-1:0] left, right;
    assign left  = IS_SIGNED ? VALUE_BITS'(signed'(a[p*E_BITS+:E_BITS])) : VALUE_BITS'(a[p*E_BITS+:E_BITS]);
    assign right = IS_SIGNED ? VALUE_BITS'(signed'(b[p*E_BITS+:E_BITS])) : VALUE_BITS'(b[p*E_BITS+:E_BITS]);
    if (E_BITS > 3) begin : gen_chain
      headrace_pair_compare #(.A_BITS(VALUE_BITS), .B_BITS(VALUE_BITS)) u_compare (
        .a(left), .b(right), .reached(not_less[p])
      );
    end else begin : gen_lut
      assign not_less[p] = left >= right;
    end
  end

  if (PE < 1 || E_BITS < 1) begin : gen_check
    $error("lanes_compare: PE=%0d and E_BITS=%0d must be at least 1", PE, E_BITS);
  end

endmodule
