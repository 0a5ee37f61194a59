// Bounds of a binary search of fixed thresholds (headrace_thresholds.sv), where every stage would be a deep table per
// row: one memory gives all bounds that the stages may need, which go along with the accumulators. A stage chooses
// among its own.
module headrace_threshold_trees #(
  parameter int unsigned PE       = 2,  // rows at a time
  parameter int unsigned N        = 3,  // thresholds per row
  parameter int unsigned STAGES   = 2,  // bits of a count: $clog2(N+1)
  parameter int unsigned ACC_BITS = 8   // width of a bound, two's complement
) (
  input  logic                     ap_clk,              // clock
  input  logic [PE-1:0]            en,                  // moves the pipeline by one: each row's copy
  input  logic [PE*N*ACC_BITS-1:0] first,               // bounds [PE][N] of the accumulators in stage 0
  input  logic [STAGES-1:0]        known [STAGES][PE],  // decided bits of the counts in every stage
  input  logic [STAGES-1:0]        count [STAGES][PE],  // with the bit of the stage
  output logic [ACC_BITS-1:0]      bound [STAGES][PE]   // thresholds that decide it
);

  // From here the bit that the stage before decides chooses last.
  localparam int unsigned LATE_STAGE = ACC_BITS > 16 ? 3 : 4;
  localparam int unsigned TREE_BITS  = N * ACC_BITS;
  localparam int unsigned TREES_BITS = PE * TREE_BITS;
  // No accumulator reaches it: they keep one step below the largest bound.
  localparam logic [ACC_BITS-1:0] NEVER = {1'b0, {(ACC_BITS-1){1'b1}}};

  for (genvar k = 0; k < STAGES; k++) begin : gen_stage
    localparam bit LATE = k >= LATE_STAGE;
    logic [TREES_BITS-1:0] trees, trees_read;  // of the accumulators here, and where the bound is chosen
    logic                  unused_trees;  // later stages need fewer bounds
    assign unused_trees = ^{trees, trees_read};
    if (k == 0) begin : gen_first
      assign trees = first;
    end else begin : gen_along
      logic [TREES_BITS-1:0] trees_q;
      always_ff @(posedge ap_clk) begin
        for (int unsigned p = 0; p < PE; p++) begin
          if (en[p]) trees_q[p*TREE_BITS+:TREE_BITS] <= gen_stage[k-1].trees[p*TREE_BITS+:TREE_BITS];
        end
      end
      assign trees = trees_q;
    end
    if (LATE) begin : gen_before
      assign trees_read = gen_stage[k-1].trees;
    end else begin : gen_here
      assign trees_read = trees;
    end

    for (genvar p = 0; p < PE; p++) begin : gen_row
      logic [ACC_BITS-1:0] bounds [1 << k];  // by the bits of the count that are known
      for (genvar i = 0; i < 1 << k; i++) begin : gen_bound
        localparam int unsigned NUMBER = (i << (STAGES - k)) + (1 << (STAGES - 1 - k));  // counts from 1
        if (NUMBER <= N) begin : gen_reachable
          assign bounds[i] = trees_read[p*TREE_BITS+(NUMBER-1)*ACC_BITS+:ACC_BITS];
        end else begin : gen_never
          assign bounds[i] = NEVER;
        end
      end
      if (k == 0) begin : gen_only
        assign bound[k][p] = bounds[0];
      end else if (LATE) begin : gen_late
        logic [ACC_BITS-1:0] bound_q;
        logic [k-2:0]        early;
        assign early = known[k-1][p][STAGES-1-:k-1];
        always_ff @(posedge ap_clk) begin
          if (en[p]) bound_q <= count[k-1][p][STAGES-k] ? bounds[{early, 1'b1}] : bounds[{early, 1'b0}];
        end
        assign bound[k][p] = bound_q;
      end else begin : gen_chosen
        assign bound[k][p] = bounds[known[k][p][STAGES-1-:k]];
      end
    end
  end

  logic unused_stages;  // not every stage needs all of them
  always_comb begin
    unused_stages = ap_clk ^ ^en;
    for (int unsigned k = 0; k < STAGES; k++) begin
      for (int unsigned p = 0; p < PE; p++) unused_stages ^= ^known[k][p] ^ ^count[k][p];
    end
  end

endmodule
