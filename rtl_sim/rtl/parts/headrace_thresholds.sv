// Multi-threshold activation: y[p] = BASE + #{k : acc[p] >= T[p][k]}, thresholds ascending in k.
//
// A pipelined binary search: stage k knows the count so far, a multiple of 2^(STAGES-k), and compares with the
// threshold that decides the next bit of it. Tables or, for fixed thresholds of many row groups, a ROM of all bounds of
// a group give the bounds of all stages; they are read early, so `group` runs one enabled cycle before the accumulators.
module headrace_thresholds import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,         // rows at a time
  parameter int unsigned NF       = 2,         // row groups
  parameter int unsigned N        = 3,         // thresholds per row
  parameter int unsigned ACC_BITS = 8,         // width of the thresholds, two's complement
  parameter int unsigned A_BITS   = ACC_BITS,  // width of the accumulators, two's complement
  parameter int unsigned O_BITS   = 2,         // width of an output code
  parameter int          BASE     = 0,         // output for a count of zero
  parameter string       FILE     = "",        // tables' lines; TREES: rows of a ROM of NF words [PE][N]
  parameter bit          WRITABLE = 0,         // the processor can write the words
  parameter int unsigned INDEX    = 0          // number of the memory on the bus `load`
) (
  input  logic                      ap_clk,     // clock
  input  logic                      ap_rst_n,   // synchronous reset, active low
  input  load_t                     load,       // new words where WRITABLE (headrace_memory_port.sv)
  input  logic [PE-1:0]             en,         // moves the pipeline by one: each row's copy
  input  logic [index_bits(NF)-1:0] group,      // row group of the accumulators of the next enabled cycle
  input  logic signed [A_BITS-1:0]  acc [PE],   // accumulators
  input  logic                      acc_valid,  // accumulators are there
  output logic [PE*O_BITS-1:0]      y,          // codes, search_cycles() enabled cycles after acc
  output logic                      y_valid     // codes are there
);

  localparam int unsigned STAGES     = $clog2(N + 1);
  localparam int unsigned GROUP_BITS = NF > 1 ? index_bits(NF) : 0;
  localparam bit          TREES      = !WRITABLE && NF > LUT_WORDS;

  // In every stage: accumulators, the bits of their counts that are decided, also one cycle before, the bound that
  // decides one more, and the counts with that.
  logic signed [A_BITS-1:0] accs  [STAGES][PE];
  logic [STAGES-1:0]        known [STAGES][PE];
  logic [STAGES-1:0]        early [STAGES][PE];
  logic [ACC_BITS-1:0]      bound [STAGES][PE];
  logic [STAGES-1:0]        count [STAGES][PE];
  logic [STAGES-1:0]        valid;

  if (TREES) begin : gen_trees
    logic unused_early;
    always_comb begin
      unused_early = ^load;
      for (int unsigned k = 0; k < STAGES; k++) begin
        for (int unsigned p = 0; p < PE; p++) unused_early ^= ^early[k][p];
      end
    end
    logic [PE*N*ACC_BITS-1:0] first;
    headrace_rom #(.DEPTH(NF), .BITS(PE * N * ACC_BITS), .FILE(FILE)) u_rom (
      .ap_clk, .ap_rst_n(1'b1), .en(en[0]), .step(1'b0), .address(group), .data(first)
    );
    headrace_threshold_trees #(.PE(PE), .N(N), .STAGES(STAGES), .ACC_BITS(ACC_BITS)) u_bounds (
      .ap_clk, .en, .first, .known, .count, .bound
    );
  end else begin : gen_tables
    headrace_threshold_tables #(
      .PE(PE), .NF(NF), .STAGES(STAGES), .ACC_BITS(ACC_BITS), .A_BITS(A_BITS), .FILE(FILE), .WRITABLE(WRITABLE),
      .INDEX(INDEX)
    ) u_bounds (.ap_clk, .ap_rst_n, .load, .en, .group, .known, .early, .count, .bound);
  end

  for (genvar k = 0; k < STAGES; k++) begin : gen_stage
    logic signed [A_BITS-1:0] acc_in [PE];
    logic [STAGES-1:0]        count_in [PE];
    logic                     valid_in;
    if (k == 0) begin : gen_first
      assign acc_in   = acc;
      assign count_in = '{default: '0};
      assign valid_in = acc_valid;
    end else begin : gen_next
      assign acc_in   = accs[k-1];
      assign count_in = count[k-1];
      assign valid_in = valid[k-1];
    end
    headrace_threshold_stage #(
      .PE(PE), .STAGES(STAGES), .STAGE(k), .ACC_BITS(ACC_BITS), .A_BITS(A_BITS),
      .ADDRESS_BITS(WRITABLE ? 6 : GROUP_BITS + k),
      .READ(bound_cycles(NF, STAGES, k, ACC_BITS, A_BITS, WRITABLE))
    ) u_stage (
      .ap_clk, .ap_rst_n, .en, .acc_in, .valid_in, .count_in, .bound(bound[k]),
      .early(early[k]), .acc(accs[k]), .valid(valid[k]), .known(known[k]), .count(count[k])
    );
  end

  for (genvar p = 0; p < PE; p++) begin : gen_code
    logic unused_acc;
    assign unused_acc = ^accs[STAGES-1][p];
    assign y[p*O_BITS+:O_BITS] = O_BITS'(BASE + 32'(count[STAGES-1][p]));
  end
  assign y_valid = valid[STAGES-1];

  if (N < 1 || PE < 1 || NF < 1 || A_BITS > ACC_BITS) begin : gen_check
    $error("thresholds: N=%0d, PE=%0d and NF=%0d must be at least 1, and A_BITS=%0d at most ACC_BITS=%0d", N, PE, NF,
           A_BITS, ACC_BITS);
  end

endmodule
