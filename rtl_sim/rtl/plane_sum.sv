// Sum of bit planes with their powers of two, the sign's negative; for bipolar weights 2 * plane - total_x. Registered,
// unless there is one unsigned plane.
module plane_sum #(
  parameter int unsigned PLANES    = 2,  // bit planes, at most 4
  parameter int unsigned BITS      = 5,  // width of a plane's sum
  parameter bit          IS_SIGNED = 0,  // it is two's complement
  parameter int unsigned W_KIND    = 1,  // kind of the weights: 0 unsigned, 1 two's complement, 2 bipolar
  parameter int unsigned DOT_BITS  = 8,  // width that holds every sum, two's complement
  parameter int unsigned SUM_BITS  = 8   // width of the sum, two's complement
) (
  input  logic                       ap_clk,           // clock
  input  logic                       en,               // moves the pipeline by one
  input  logic [BITS-1:0]            planes [PLANES],  // sums of x over the columns with this bit of the weight
  input  logic [BITS-1:0]            total_x,          // sum of all x
  output logic signed [SUM_BITS-1:0] sum               // one enabled cycle later, or at once
);

  localparam int unsigned TERMS = W_KIND == 2 ? 2 : PLANES;

  // Terms as wide as the sum; a negative one is complemented, and one more is added for it.
  logic signed [DOT_BITS-1:0] terms [TERMS];
  logic signed [DOT_BITS-1:0] dot;
  localparam bit NEGATIVE = W_KIND != 0;
  for (genvar j = 0; j < TERMS; j++) begin : gen_term
    logic signed [DOT_BITS-1:0] wide;
    if (W_KIND == 2) begin : gen_bipolar
      if (j == 0) begin : gen_plane
        assign wide = DOT_BITS'(signed'({IS_SIGNED && planes[0][BITS-1], planes[0], 1'b0}));
      end else begin : gen_total
        assign wide = DOT_BITS'(signed'({IS_SIGNED && total_x[BITS-1], total_x}));
      end
    end else begin : gen_number
      assign wide = DOT_BITS'(signed'({IS_SIGNED && planes[j][BITS-1], planes[j]})) <<< j;
    end
    assign terms[j] = NEGATIVE && j == TERMS - 1 ? ~wide : wide;
  end

  if (TERMS == 1 && !NEGATIVE) begin : gen_one
    assign dot = terms[0];
    logic unused;
    assign unused = ^total_x ^ ap_clk ^ en;
  end else begin : gen_sum
    logic [DOT_BITS-1:0] total;
    logic [DOT_BITS+1:0] three;
    logic signed [DOT_BITS-1:0] total_q;
    if (TERMS == 1) begin : gen_negated
      assign three = '0;
      carry_adder #(.BITS(DOT_BITS)) u_adder (.a('0), .b(terms[0]), .carry_in(1'b1), .sum(total));
    end else if (TERMS == 2) begin : gen_two
      assign three = '0;
      carry_adder #(.BITS(DOT_BITS)) u_adder (.a(terms[0]), .b(terms[1]), .carry_in(NEGATIVE), .sum(total));
    end else begin : gen_three
      ternary_adder #(.BITS(DOT_BITS), .IS_SIGNED(1)) u_adder (
        .a(terms[0]), .b(terms[1]), .c(terms[2]), .carry_in(NEGATIVE && TERMS == 3), .sum(three)
      );
      if (TERMS == 3) begin : gen_done
        assign total = three[DOT_BITS-1:0];
      end else begin : gen_fourth
        carry_adder #(.BITS(DOT_BITS)) u_adder (
          .a(three[DOT_BITS-1:0]), .b(terms[3]), .carry_in(NEGATIVE), .sum(total)
        );
      end
    end
    always_ff @(posedge ap_clk) if (en) total_q <= total;
    assign dot = total_q;
    logic unused;
    assign unused = ^total_x ^ ^three;
  end

  assign sum = SUM_BITS'(dot);

  if (PLANES > 4 || (W_KIND == 2 && PLANES != 1)) begin : gen_check
    $error("plane_sum: PLANES=%0d must be at most 4, and 1 for bipolar weights", PLANES);
  end

endmodule
