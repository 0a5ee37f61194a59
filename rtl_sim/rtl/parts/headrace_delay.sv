// A word as it was CYCLES enabled cycles ago.
module headrace_delay #(
  parameter int unsigned BITS   = 8,  // width of the word
  parameter int unsigned CYCLES = 2   // may be 0
) (
  input  logic            ap_clk,  // clock
  input  logic            en,      // moves the pipeline by one
  input  logic [BITS-1:0] d,       // the word
  output logic [BITS-1:0] q        // the word as it was
);

  if (CYCLES == 0) begin : gen_wire
    logic unused_clock;
    assign unused_clock = ap_clk ^ en;
    assign q = d;
  end else begin : gen_registers
    logic [BITS-1:0] words_q [CYCLES];
    always_ff @(posedge ap_clk) begin
      if (en) begin
        words_q[0] <= d;
        for (int unsigned k = 1; k < CYCLES; k++) words_q[k] <= words_q[k-1];
      end
    end
    assign q = words_q[CYCLES-1];
  end

  if (BITS < 1) begin : gen_check
    $error("delay: BITS=%0d must be at least 1", BITS);
  end

endmodule
