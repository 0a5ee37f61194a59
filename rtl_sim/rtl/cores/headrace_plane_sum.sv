// Sum of bit planes with their powers of two, the sign's negative; for bipolar weights 2 * plane - total_x. Registered,
// unless there is one plane without a sign; three of four planes add up in a cycle of their own.
//
// SPLIT leaves the last addition to the accumulator, where it costs no LUT: the sum of two or four terms is then
// sum + more, and one more where the last term is negative, as `more` is its complement.
module headrace_plane_sum import headrace_pkg::*; #(
  parameter int unsigned BIT_PLANES    = 2,  // bit planes, at most 4
  parameter int unsigned BITS      = 5,      // width of a plane's sum
  parameter bit          IS_SIGNED = 0,      // it is two's complement
  parameter int unsigned W_KIND    = SIGNED, // kind of the weights
  parameter int unsigned DOT_BITS  = 8,      // width that holds every sum, two's complement
  parameter int unsigned SUM_BITS  = 8,      // width of the sum, two's complement
  parameter bit          SPLIT     = 0       // the sum comes as two addends; for an even number of terms
) (
  input  logic                       ap_clk,           // clock
  input  logic                       en,               // moves the pipeline by one
  input  logic [BITS-1:0]            planes [BIT_PLANES],  // sums of x over the columns with this bit of the weight
  input  logic [BITS-1:0]            total_x,          // sum of all x
  output logic signed [SUM_BITS-1:0] sum,              // plane_sum_stages() enabled cycles later
  output logic signed [SUM_BITS-1:0] more              // SPLIT: the other addend, else 0
);

  localparam int unsigned TERMS    = W_KIND == BIPOLAR ? 2 : BIT_PLANES;
  localparam bit          NEGATIVE = W_KIND != UNSIGNED;

  // Terms as wide as the sum; a negative one is complemented, and one more is added for it.
  logic signed [DOT_BITS-1:0] terms [TERMS];
  for (genvar j = 0; j < TERMS; j++) begin : gen_term
    logic signed [DOT_BITS-1:0] wide;
    if (W_KIND == BIPOLAR && j == 1) begin : gen_total
      assign wide = DOT_BITS'(signed'({IS_SIGNED && total_x[BITS-1], total_x}));
    end else begin : gen_plane
      assign wide = DOT_BITS'(signed'({IS_SIGNED && planes[j][BITS-1], planes[j]})) <<< (W_KIND == BIPOLAR ? 1 : j);
    end
    assign terms[j] = NEGATIVE && j == TERMS - 1 ? ~wide : wide;
  end

  // All terms but the last of an even number, then that one.
  logic [DOT_BITS-1:0] most, total;
  logic [DOT_BITS+1:0] three;
  if (TERMS > 2) begin : gen_three
    headrace_ternary_adder #(.BITS(DOT_BITS), .IS_SIGNED(1), .SINGLES(0)) u_adder (
      .a(terms[0]), .b(terms[1]), .c(terms[2]), .one(NEGATIVE && TERMS == 3), .other(1'b0),
      .sum(three)
    );
    assign most = three[DOT_BITS-1:0];
  end else begin : gen_first
    assign three = '0;
    assign most  = terms[0] + DOT_BITS'(NEGATIVE && TERMS == 1);
  end
  if (TERMS == 4 && !SPLIT) begin : gen_fourth
    logic [DOT_BITS-1:0] most_q, fourth_q;
    always_ff @(posedge ap_clk) begin
      if (en) begin
        most_q   <= most;
        fourth_q <= terms[TERMS-1] ^ {DOT_BITS{NEGATIVE}};  // inverters in front of registers would take LUTs
      end
    end
    headrace_carry_adder #(.BITS(DOT_BITS)) u_adder (
      .a(most_q), .b(fourth_q ^ {DOT_BITS{NEGATIVE}}), .carry_in(NEGATIVE), .sum(total)
    );
  end else if (TERMS == 2 && !SPLIT) begin : gen_second
    headrace_carry_adder #(.BITS(DOT_BITS)) u_adder (.a(most), .b(terms[TERMS-1]), .carry_in(NEGATIVE), .sum(total));
  end else begin : gen_complete
    assign total = most;
  end

  if (TERMS == 1 && !NEGATIVE) begin : gen_wire
    assign sum = SUM_BITS'(signed'(total));
    logic unused_clock;
    assign unused_clock = ap_clk ^ en;
  end else begin : gen_register
    logic signed [DOT_BITS-1:0] total_q;
    always_ff @(posedge ap_clk) if (en) total_q <= total;
    assign sum = SUM_BITS'(total_q);
  end
  if (SPLIT) begin : gen_more
    logic signed [DOT_BITS-1:0] more_q;
    always_ff @(posedge ap_clk) if (en) more_q <= terms[TERMS-1];
    assign more = SUM_BITS'(more_q);
  end else begin : gen_no_more
    assign more = '0;
  end

  logic unused;
  assign unused = ^total_x ^ ^three;

  if (BIT_PLANES > 4 || (W_KIND == BIPOLAR && BIT_PLANES != 1) || (SPLIT && TERMS % 2 != 0)) begin : gen_check
    $error("plane_sum: BIT_PLANES=%0d must be at most 4, 1 for bipolar weights, and for SPLIT 2 or 4", BIT_PLANES);
  end

endmodule
