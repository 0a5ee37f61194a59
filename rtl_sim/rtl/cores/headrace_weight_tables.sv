// The tables of a row of core TABLES (headrace_dot_tables.sv): for GROUP columns of a bit plane each, the sum of the
// magnitudes of the weights whose signs differ from the bits. Combinational.
//
// HEADRACE_PRIMITIVES adds with gates: of sums synthesis would make carry chains, which no LUT takes in. The plain form
// is a loop, which a simulator keeps as one.
module headrace_weight_tables #(
  parameter int unsigned PLANES    = 2,  // bit planes
  parameter int unsigned COUNT     = 2,  // tables of a plane
  parameter int unsigned GROUP     = 4,  // columns of a table
  parameter int unsigned MAGNITUDE = 2,  // bits of a weight without its sign
  parameter int unsigned BITS      = 4   // width of a sum
) (
  input  logic [COUNT*GROUP-1:0] planes [PLANES],        // bits of the columns
  input  logic [COUNT*GROUP-1:0] sign,                   // of the weights
  input  logic [COUNT*GROUP-1:0] magnitude [MAGNITUDE],  // their bits without the sign
  output logic [BITS-1:0]        sums [PLANES*COUNT]     // plane by plane
);

`ifdef HEADRACE_PRIMITIVES
  // number + one * 2^place
  function automatic logic [BITS-1:0] plus(input logic [BITS-1:0] number, input logic one, input int unsigned place);
    logic carry;
    carry = one;
    for (int unsigned k = 0; k < BITS; k++) begin
      plus[k] = k < place ? number[k] : number[k] ^ carry;
      carry   = carry && (k < place || number[k]);
    end
  endfunction

  for (genvar j = 0; j < PLANES; j++) begin : gen_plane
    for (genvar t = 0; t < COUNT; t++) begin : gen_table
      always_comb begin
        sums[j*COUNT+t] = '0;
        for (int unsigned s = t * GROUP; s < (t + 1) * GROUP; s++) begin
          for (int unsigned m = 0; m < MAGNITUDE; m++) begin
            sums[j*COUNT+t] = plus(sums[j*COUNT+t], (planes[j][s] ^ sign[s]) & magnitude[m][s], m);
          end
        end
      end
    end
  end
`else
  always_comb begin
    for (int unsigned j = 0; j < PLANES; j++) begin
      for (int unsigned t = 0; t < COUNT; t++) begin
        sums[j*COUNT+t] = '0;
        for (int unsigned m = 0; m < MAGNITUDE; m++) begin
          sums[j*COUNT+t] += BITS'($countones((planes[j][t*GROUP+:GROUP] ^ sign[t*GROUP+:GROUP])
                                              & magnitude[m][t*GROUP+:GROUP])) << m;
        end
      end
    end
  end
`endif

  if (PLANES < 1 || COUNT < 1 || GROUP < 1 || MAGNITUDE < 1 || BITS < 1) begin : gen_check
    $error("weight_tables: PLANES=%0d, COUNT=%0d, GROUP=%0d, MAGNITUDE=%0d and BITS=%0d must be at least 1", PLANES,
           COUNT, GROUP, MAGNITUDE, BITS);
  end

endmodule
