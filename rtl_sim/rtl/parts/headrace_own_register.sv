// A register that synthesis keeps beside equal ones, so that it serves its own neighbours: q is d one enabled cycle
// later, or 0 one cycle after `clear`.
//
// The attributes, for Yosys on the cells of HEADRACE_PRIMITIVES, keep it: equal registers become one.
module headrace_own_register #(
  parameter int unsigned BITS = 4  // width
) (
  input  logic            ap_clk,  // clock
  input  logic            clear,   // q becomes 0, enabled or not
  input  logic            en,      // moves the pipeline by one
  input  logic [BITS-1:0] d,       // word in
  output logic [BITS-1:0] q        // word out
);

`ifdef HEADRACE_PRIMITIVES
  for (genvar b = 0; b < BITS; b++) begin : gen_bit
    (* keep = "true", dont_touch = "true" *)
    FDRE #(.INIT(1'b0)) u_bit (.C(ap_clk), .CE(en), .R(clear), .D(d[b]), .Q(q[b]));
  end
`else
  (* keep = "true", dont_touch = "true" *) logic [BITS-1:0] word_q;
  always_ff @(posedge ap_clk) begin
    if (clear) word_q <= '0;
    else if (en) word_q <= d;
  end
  assign q = word_q;
`endif

  if (BITS < 1) begin : gen_check
    $error("own_register: BITS=%0d must be at least 1", BITS);
  end

endmodule
