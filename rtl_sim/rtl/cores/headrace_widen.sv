// The value of a code in two's complement (or, for unsigned codes, with zeros in front) of TO_BITS bits.
//
// TO_BITS must hold every value.
module headrace_widen import headrace_pkg::*; #(
  parameter int unsigned FROM_BITS = 2,      // width of a code
  parameter int          KIND      = SIGNED, // kind of the code
  parameter int unsigned TO_BITS   = 4       // width of a value
) (
  input  logic [FROM_BITS-1:0] code,  // element of a stream
  output logic [TO_BITS-1:0]   value  // number
);

  if (KIND == BIPOLAR) begin : gen_bipolar
    assign value = code[0] ? TO_BITS'(1) : '1;
  end else if (KIND == SIGNED) begin : gen_signed
    assign value = TO_BITS'(signed'(code));
  end else begin : gen_unsigned
    assign value = TO_BITS'(code);
  end

  if (KIND < UNSIGNED || KIND > BIPOLAR || TO_BITS < FROM_BITS) begin : gen_check
    $error("widen: KIND=%0d must be 0, 1 or 2, and TO_BITS=%0d at least FROM_BITS=%0d", KIND, TO_BITS, FROM_BITS);
  end

endmodule
