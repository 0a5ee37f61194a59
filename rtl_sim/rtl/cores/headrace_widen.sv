// The value of a code in two's complement (or, for unsigned codes, with zeros in front) of TO_BITS bits.
//
// Kinds: 0 unsigned, 1 two's complement, 2 bipolar (code 1 is +1, code 0 is -1). TO_BITS must hold every value.
module headrace_widen #(
  parameter int unsigned FROM_BITS = 2, // width of a code
  parameter int          KIND      = 1, // kind of the code
  parameter int unsigned TO_BITS   = 4  // width of a value
) (
  input  logic [FROM_BITS-1:0] code,  // element of a stream
  output logic [TO_BITS-1:0]   value  // number
);

  if (KIND == 2) begin : gen_bipolar
    assign value = code[0] ? TO_BITS'(1) : '1;
  end else if (KIND == 1) begin : gen_signed
    assign value = TO_BITS'(signed'(code));
  end else begin : gen_unsigned
    assign value = TO_BITS'(code);
  end

  if (KIND < 0 || KIND > 2 || TO_BITS < FROM_BITS) begin : gen_check
    $error("widen: KIND=%0d must be 0, 1 or 2, and TO_BITS=%0d at least FROM_BITS=%0d", KIND, TO_BITS, FROM_BITS);
  end

endmodule
