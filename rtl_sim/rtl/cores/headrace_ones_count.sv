// Number of ones in a word of BITS bits: counters of seven, registered, then a tree of adders whose carry inputs count
// what the counters leave over; two levels of adders to a register.
//
// Invariants: GROUPS counters and the GROUPS - 1 adders between them take 8 * GROUPS - 1 >= BITS bits. Level l holds
// ceil(GROUPS / 2^l) counts of 3 + l bits, and the left-over bits travel beside them up to their adders. Without
// HEADRACE_PRIMITIVES the count is made at once and delayed, which simulates faster.
module headrace_ones_count #(
  parameter int unsigned BITS     = 15,  // width of the word
  parameter int unsigned SUM_BITS = 4    // width of the count
) (
  input  logic                ap_clk,  // clock
  input  logic                en,      // moves the pipeline by one
  input  logic [BITS-1:0]     bits,    // the word
  output logic [SUM_BITS-1:0] count    // its ones, 1 + ceil(log2(GROUPS) / 2) enabled cycles later
);

  localparam int unsigned GROUPS  = (BITS + 8) / 8;
  localparam int unsigned LEVELS  = $clog2(GROUPS);
`ifdef HEADRACE_PRIMITIVES
  localparam int unsigned SPARES  = GROUPS > 1 ? GROUPS - 1 : 1;               // carry inputs of the tree
  localparam int unsigned OVER    = BITS - 7 * (GROUPS - 1) - 1;               // bits that the last counter can spare
  localparam int unsigned LEFT    = OVER < GROUPS - 1 ? OVER : GROUPS - 1;     // bits that they count
  localparam int unsigned COUNTED = BITS - LEFT;                               // bits that the counters count

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned NODES = (GROUPS + 2 ** l - 1) / 2 ** l;
    logic [3+l-1:0]    nodes_d [NODES], nodes [NODES];
    logic [SPARES-1:0] spares_d, spares;
    if (l == 0) begin : gen_counters
      for (genvar g = 0; g < GROUPS; g++) begin : gen_group
        localparam int unsigned SHARE = COUNTED - 7 * g < 7 ? COUNTED - 7 * g : 7;
        headrace_counter7 #(.BITS(SHARE)) u_counter (.bits(bits[7*g+:SHARE]), .count(nodes_d[g]));
      end
      assign spares_d = LEFT > 0 ? SPARES'(bits >> COUNTED) : '0;
    end else begin : gen_adders
      localparam int unsigned BELOW = (GROUPS + 2 ** (l - 1) - 1) / 2 ** (l - 1);
      for (genvar i = 0; i < NODES; i++) begin : gen_node
        if (2 * i + 1 < BELOW) begin : gen_sum
          headrace_carry_adder #(.BITS(3 + l)) u_adder (
            .a({1'b0, gen_level[l-1].nodes[2*i]}), .b({1'b0, gen_level[l-1].nodes[2*i+1]}),
            .carry_in(gen_level[l-1].spares[GROUPS-BELOW+i]), .sum(nodes_d[i])
          );
        end else begin : gen_pass
          assign nodes_d[i] = {1'b0, gen_level[l-1].nodes[2*i]};
        end
      end
      assign spares_d = gen_level[l-1].spares;
    end
    if (l % 2 == 0 || l == LEVELS) begin : gen_register
      always_ff @(posedge ap_clk) begin
        if (en) begin
          nodes  <= nodes_d;
          spares <= spares_d;
        end
      end
    end else begin : gen_wire
      assign nodes  = nodes_d;
      assign spares = spares_d;
    end
  end

  assign count = SUM_BITS'(gen_level[LEVELS].nodes[0]);

  logic unused_spares;
  assign unused_spares = ^gen_level[LEVELS].spares;
`else
  localparam int unsigned STAGES = 1 + (LEVELS + 1) / 2;
  logic [SUM_BITS-1:0] counts_q [STAGES];
  always_ff @(posedge ap_clk) begin
    if (en) begin
      counts_q[0] <= SUM_BITS'($countones(bits));
      for (int unsigned k = 1; k < STAGES; k++) counts_q[k] <= counts_q[k-1];
    end
  end
  assign count = counts_q[STAGES-1];
`endif

  if (BITS < 1 || SUM_BITS < $clog2(BITS + 1)) begin : gen_check
    $error("ones_count: BITS=%0d must be at least 1, and its ones fit into SUM_BITS=%0d", BITS, SUM_BITS);
  end

endmodule
