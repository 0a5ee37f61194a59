// Accumulators of rows whose columns stand in groups with a scale each: totals[p] = sum over g of scale[p][g] *
// part[p][g], where part[p][g] is the sum of sums[p] over the SG words of group g.
//
// One multiplier per row, used once per group: it works while the next group adds up, so no word waits. Scale word
// nf*GROUPS + g holds PE lanes; where all rows share their scales (ROWS = 1) it is word g with one lane.
// SIZE > 0: the sums count matches out of so many per group, and part = 2 * matches - SIZE.
// Totals are there five enabled cycles after the last sums of their rows; `next` announces them one cycle ahead.
module headrace_scaled_accumulate import headrace_pkg::*; #(
  parameter int unsigned PE         = 2,  // rows at a time
  parameter int unsigned NF         = 2,  // row groups
  parameter int unsigned GROUPS     = 3,  // groups of a row
  parameter int unsigned SG         = 2,  // words of a group
  parameter int unsigned ROWS       = 1,  // rows with scales of their own: PE*NF, or 1 for all alike
  parameter int unsigned SIZE       = 0,  // summands of a group that are matches; 0: ordinary sums
  parameter int unsigned PART_BITS  = 6,  // width of sums and of a group's part, two's complement
  parameter int unsigned SCALE_BITS = 4,  // width of a scale, unsigned
  parameter int unsigned ACC_BITS   = 8,  // width of a total, two's complement
  parameter string       FILE       = ""  // scale memory
) (
  input  logic                        ap_clk,       // clock
  input  logic                        ap_rst_n,     // synchronous reset, active low
  input  logic [PE-1:0]               en,           // moves the pipeline by one: each row's copy
  input  logic signed [PART_BITS-1:0] sums [PE],    // sums of a word
  input  logic                        sum_valid,    // sums are there
  output logic signed [ACC_BITS-1:0]  totals [PE],  // scaled sums of the rows
  output logic                        next,         // totals are there after the next enabled cycle
  output logic                        valid         // totals are there
);

  localparam int unsigned LANES      = ROWS == 1 ? 1 : PE;
  localparam int unsigned DEPTH      = ROWS == 1 ? GROUPS : NF * GROUPS;
  localparam int unsigned WORD_BITS  = index_bits(SG);
  localparam int unsigned GROUP_BITS = index_bits(GROUPS);
  localparam int unsigned ADDR_BITS  = index_bits(DEPTH);
  localparam bit          BLOCK      = in_block(SCALE_BITS, UNSIGNED, PART_BITS, SIGNED);

  // Where in its group and row a word stands.
  logic [WORD_BITS-1:0]  word_q;
  logic [GROUP_BITS-1:0] group_q;
  logic [ADDR_BITS-1:0]  addr_q;
  logic                  word_first, word_last, group_first, group_last;

  assign word_first  = word_q == '0;
  assign word_last   = word_q == WORD_BITS'(SG - 1);
  assign group_first = group_q == '0;
  assign group_last  = group_q == GROUP_BITS'(GROUPS - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      word_q  <= '0;
      group_q <= '0;
      addr_q  <= '0;
    end else if (en[0] && sum_valid) begin
      word_q <= word_last ? '0 : word_q + 1'b1;
      if (word_last) begin
        group_q <= group_last ? '0 : group_q + 1'b1;
        addr_q  <= addr_q == ADDR_BITS'(DEPTH - 1) ? '0 : addr_q + 1'b1;
      end
    end
  end

  // The part adds up; the multiplier has a register of its copy and its scale, of their product and of what it gives.
  logic [LANES*SCALE_BITS-1:0] scales;
  logic signed [PART_BITS-1:0] part_q [PE];
  logic signed [ACC_BITS-1:0]  product [PE];
  logic [3:0]                  valid_q, first_q, last_q;

  headrace_rom #(.DEPTH(DEPTH), .BITS(LANES * SCALE_BITS), .FILE(FILE), .OUTPUT_REGISTER(0)) u_scales (
    .ap_clk, .ap_rst_n(1'b1), .en(en[0]), .step(1'b0), .address(addr_q), .data(scales)
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      valid_q <= '0;
      valid   <= 1'b0;
    end else if (en[0]) begin
      valid_q <= {valid_q[2:0], sum_valid && word_last};
      valid   <= next;
    end
  end
  assign next = valid_q[3] && last_q[3];

  always_ff @(posedge ap_clk) begin
    if (en[0]) begin
      first_q <= {first_q[2:0], group_first};
      last_q  <= {last_q[2:0], group_last};
    end
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic signed [PART_BITS-1:0] addend;
    logic signed [SCALE_BITS:0]  scale;
    assign addend = SIZE > 0 ? sums[p] <<< 1 : sums[p];
    assign scale  = {1'b0, scales[(ROWS == 1 ? 0 : p)*SCALE_BITS+:SCALE_BITS]};
    headrace_multiplier #(
      .A_BITS(PART_BITS), .B_BITS(SCALE_BITS + 1), .P_BITS(ACC_BITS), .BLOCK(BLOCK)
    ) u_product (.ap_clk, .en(en[p]), .a(part_q[p]), .b(scale), .c('0), .product(product[p]));
    always_ff @(posedge ap_clk) begin
      if (en[p]) begin
        if (sum_valid) part_q[p] <= (word_first ? -PART_BITS'(SIZE) : part_q[p]) + addend;
        if (valid_q[3]) totals[p] <= (first_q[3] ? '0 : totals[p]) + product[p];
      end
    end
  end

  if (PE < 1 || NF < 1 || GROUPS < 1 || SG < 1 || (ROWS != 1 && ROWS != PE * NF)) begin : gen_check
    $error("scaled_accumulate: PE=%0d, NF=%0d, GROUPS=%0d and SG=%0d must be at least 1 and ROWS=%0d 1 or PE*NF", PE,
           NF, GROUPS, SG, ROWS);
  end

endmodule
