// Multi-threshold activation: y[p] = BASE + #{k : acc[p] >= T[p][k]}, thresholds ascending in k.
//
// A pipelined binary search: stage k knows the count so far, a multiple of 2^(STAGES-k), and compares with the threshold
// that decides the next bit of it. The thresholds that a stage compares with are read one cycle ahead, so `group` runs
// one enabled cycle before the accumulators. Where N+1 is no power of two, thresholds beyond N are never reached.
module thresholds #(
  parameter int unsigned PE       = 2,  // rows at a time
  parameter int unsigned NF       = 2,  // row groups
  parameter int unsigned N        = 3,  // thresholds per row
  parameter int unsigned ACC_BITS = 8,  // width of accumulators and thresholds, two's complement
  parameter int unsigned O_BITS   = 2,  // width of an output code
  parameter int          BASE     = 0,  // output for a count of zero
  parameter string       FILE     = ""  // one word [PE][N] per row group
) (
  input  logic                                   ap_clk,     // clock
  input  logic                                   ap_rst_n,   // synchronous reset, active low
  input  logic                                   en,         // moves the pipeline by one
  input  logic [(NF > 1 ? $clog2(NF) : 1) - 1:0] group,      // row group of the accumulators of the next enabled cycle
  input  logic signed [ACC_BITS-1:0]             acc [PE],   // accumulators
  input  logic                                   acc_valid,  // accumulators are there
  output logic [PE*O_BITS-1:0]                   y,          // codes, $clog2(N+1) - 1 enabled cycles after acc
  output logic                                   y_valid     // codes are there
);

  localparam int unsigned STAGES     = $clog2(N + 1);
  localparam int unsigned GROUP_BITS = NF > 1 ? $clog2(NF) : 1;

  logic [PE*N*ACC_BITS-1:0] words [NF];
  initial $readmemh(FILE, words);

  for (genvar k = 0; k < STAGES; k++) begin : gen_stage
    localparam int unsigned STEP = 2 ** (STAGES - 1 - k);
    logic [GROUP_BITS-1:0]  group_now;  // of the thresholds that this stage reads
    logic                   valid;
    logic signed [ACC_BITS-1:0] acc_now [PE];
    logic [STAGES-1:0]          count_now [PE], count_before [PE], count [PE];

    if (k == 0) begin : gen_first
      assign group_now    = group;
      assign valid        = acc_valid;
      assign acc_now      = acc;
      assign count_now    = '{default: '0};
      assign count_before = '{default: '0};
    end else begin : gen_next
      logic                   valid_q;
      logic [GROUP_BITS-1:0]  group_q;
      logic signed [ACC_BITS-1:0] acc_q [PE];
      logic [STAGES-1:0]          count_q [PE];
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n) valid_q <= 1'b0;
        else if (en) valid_q <= gen_stage[k-1].valid;
      end
      always_ff @(posedge ap_clk) begin
        if (en) begin
          group_q <= gen_stage[k-1].group_now;
          acc_q   <= gen_stage[k-1].acc_now;
          count_q <= gen_stage[k-1].count;
        end
      end
      assign group_now    = group_q;
      assign valid        = valid_q;
      assign acc_now      = acc_q;
      assign count_now    = count_q;
      assign count_before = gen_stage[k-1].count;
    end

    for (genvar p = 0; p < PE; p++) begin : gen_pe
      logic signed [ACC_BITS-1:0] bound_q;
      logic [STAGES-1:0]          index;
      logic                       reached;
      assign index = count_before[p] + STAGES'(STEP - 1);
      always_ff @(posedge ap_clk) begin
        if (en) bound_q <= words[group_now][(p*N+32'(index))*ACC_BITS+:ACC_BITS];
      end
      assign reached  = 32'(count_now[p]) + STEP <= N && acc_now[p] >= bound_q;
      assign count[p] = reached ? count_now[p] + STAGES'(STEP) : count_now[p];
    end
  end

  for (genvar p = 0; p < PE; p++) begin : gen_code
    assign y[p*O_BITS+:O_BITS] = O_BITS'(BASE + 32'(gen_stage[STAGES-1].count[p]));
  end
  assign y_valid = gen_stage[STAGES-1].valid;

  if (STAGES == 1) begin : gen_combinational
    logic unused_reset;
    assign unused_reset = ap_rst_n;
  end

  if (N < 1) begin : gen_check
    $error("thresholds: N=%0d must be at least 1", N);
  end

endmodule
