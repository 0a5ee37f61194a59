// Multi-threshold activation: y[p] = BASE + #{k : acc[p] >= T[p][k]}, thresholds ascending in k.
//
// A pipelined binary search: stage k knows the count so far, a multiple of 2^(STAGES-k), and compares with the
// threshold that decides the next bit of it. Threshold k of row group nf lies at word nf * 2^STAGES + k + 1, so that a
// stage adds a one behind the bits of the count; where N+1 is no power of two, the words beyond N hold a bound that is
// never reached. A stage of few words holds them in the LUTs of its comparator; one of many reads its bound one cycle
// ahead. So `group` runs one enabled cycle before the accumulators.
// TREES: where fixed bounds have many row groups, every stage would be a deep table per row. One ROM then gives all
// bounds of a row group, lanes [PE][N], which go along with the accumulators; a stage chooses among those it needs.
module headrace_thresholds import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,         // rows at a time
  parameter int unsigned NF       = 2,         // row groups
  parameter int unsigned N        = 3,         // thresholds per row
  parameter int unsigned ACC_BITS = 8,         // width of the thresholds, two's complement
  parameter int unsigned A_BITS   = ACC_BITS,  // width of the accumulators, two's complement
  parameter int unsigned O_BITS   = 2,         // width of an output code
  parameter int          BASE     = 0,         // output for a count of zero
  parameter string       FILE     = "",        // NF * 2^STAGES words [PE]; TREES: rows of a ROM of NF words [PE][N]
  parameter bit          WRITABLE = 0,         // the processor can write the words
  parameter int unsigned INDEX    = 0          // number of the memory on the bus `load`
) (
  input  logic                      ap_clk,     // clock
  input  logic                      ap_rst_n,   // synchronous reset, active low
  input  load_t                     load,       // new words where WRITABLE (headrace_memory_port.sv)
  input  logic                      en,         // moves the pipeline by one
  input  logic [index_bits(NF)-1:0] group,      // row group of the accumulators of the next enabled cycle
  input  logic signed [A_BITS-1:0]  acc [PE],   // accumulators
  input  logic                      acc_valid,  // accumulators are there
  output logic [PE*O_BITS-1:0]      y,          // codes, $clog2(N+1) - 1 enabled cycles after acc
  output logic                      y_valid     // codes are there
);

  localparam int unsigned STAGES     = $clog2(N + 1);
  localparam int unsigned GROUP_BITS = index_bits(NF);
  localparam int unsigned ADDR_BITS  = STAGES + (NF > 1 ? GROUP_BITS : 0);
  localparam int unsigned LUT_WORDS  = 64;  // what one LUT holds of a ROM
  // Beyond them a bound is looked up for both values of the bit that the stage before decides, which then chooses.
  localparam int unsigned LATE_WORDS = 512;
  localparam int unsigned LATE_STAGE = 4;    // among 2^LATE_STAGE bounds of a tree

  localparam int unsigned TREE_BITS  = N * ACC_BITS;
  localparam bit          TREES      = !WRITABLE && NF > LUT_WORDS;
  localparam int unsigned TREES_BITS = TREES ? PE * TREE_BITS : 1;
  // No accumulator reaches it: they keep one step below the largest bound.
  localparam logic [ACC_BITS-1:0] NEVER = {1'b0, {(ACC_BITS-1){1'b1}}};

  // Loaded words are LUT RAM, fixed ones logic: of the latter Yosys says registers, Vivado a distributed ROM.
  /* verilator lint_off UNUSEDPARAM */ // read by an attribute alone
  localparam string RAM_STYLE = WRITABLE ? "distributed" : "registers";
  /* verilator lint_on UNUSEDPARAM */

  logic [TREES_BITS-1:0] trees;  // TREES: of the accumulators
  if (TREES) begin : gen_trees
    headrace_rom #(.DEPTH(NF), .BITS(TREES_BITS), .FILE(FILE), .OUTPUT_REGISTER(0)) u_rom (
      .ap_clk, .en, .address(group), .data(trees)
    );
  end else begin : gen_no_trees
    logic unused_trees;
    assign trees        = 1'b0;
    assign unused_trees = ^trees;
  end

  if (!TREES) begin : gen_tables
    (* ram_style = RAM_STYLE, rom_style = "distributed" *)
    logic [PE*ACC_BITS-1:0] words [NF << STAGES];
    initial $readmemh(FILE, words);
    if (WRITABLE) begin : gen_writable
      logic                   write;
      logic [ADDR_BITS-1:0]   write_address;
      logic [PE*ACC_BITS-1:0] write_word;
      headrace_memory_port #(.INDEX(INDEX), .DEPTH(NF << STAGES), .BITS(PE * ACC_BITS)) u_port (
        .ap_clk, .ap_rst_n, .load, .write, .address(write_address), .word(write_word)
      );
      always_ff @(posedge ap_clk) if (write) words[write_address] <= write_word;
    end
  end
  if (!WRITABLE) begin : gen_fixed
    logic unused_load;
    assign unused_load = ^load;
  end

  for (genvar k = 0; k < STAGES; k++) begin : gen_stage
    localparam logic [STAGES-1:0] STEP = STAGES'(1) << (STAGES - 1 - k);
    // A comparator takes in what its LUTs have inputs for beside the address of its bound.
    localparam int unsigned INPUTS = (NF > 1 ? GROUP_BITS : 0) + k;
    localparam int unsigned PLACE  = INPUTS < 5 ? 6 - INPUTS : INPUTS == 5 ? 1 : 3;
    logic [GROUP_BITS-1:0]    group_next;  // of the accumulators of the next enabled cycle
    logic                     valid;
    logic signed [A_BITS-1:0] acc_now [PE];
    logic [STAGES-1:0]        count_now [PE], count_next [PE], count [PE];

    if (k == 0) begin : gen_first
      assign group_next = group;
      assign valid      = acc_valid;
      assign acc_now    = acc;
      assign count_now  = '{default: '0};
      assign count_next = '{default: '0};
    end else begin : gen_next
      logic                     valid_q;
      logic signed [A_BITS-1:0] acc_q [PE];
      logic [STAGES-1:0]        count_q [PE];
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n) valid_q <= 1'b0;
        else if (en) valid_q <= gen_stage[k-1].valid;
      end
      always_ff @(posedge ap_clk) begin
        if (en) begin
          acc_q   <= gen_stage[k-1].acc_now;
          count_q <= gen_stage[k-1].count;
        end
      end
      assign group_next = gen_stage[k-1].other_group_q ^ GROUP_BITS'(1);
      assign valid      = valid_q;
      assign acc_now    = acc_q;
      assign count_now  = count_q;
      assign count_next = gen_stage[k-1].count;
    end

    // Of the accumulators here. One bit is inverted, since synthesis would move the registers of an address behind
    // their ROM.
    logic [GROUP_BITS-1:0] other_group_q;
    always_ff @(posedge ap_clk) if (en) other_group_q <= group_next ^ GROUP_BITS'(1);

    logic [ACC_BITS-1:0] bound [PE];
    if (TREES) begin : gen_tree
      localparam bit LATE = k >= LATE_STAGE;
      logic [TREES_BITS-1:0] trees_now, trees_read;  // of the accumulators here, and where the bound is chosen
      logic                  unused_trees;  // later stages need fewer bounds
      if (k == 0) begin : gen_read
        assign trees_now = trees;
      end else begin : gen_along
        logic [TREES_BITS-1:0] trees_q;
        always_ff @(posedge ap_clk) if (en) trees_q <= gen_stage[k-1].gen_tree.trees_now;
        assign trees_now = trees_q;
      end
      if (LATE) begin : gen_before
        assign trees_read = gen_stage[k-1].gen_tree.trees_now;
      end else begin : gen_here
        assign trees_read = trees_now;
      end
      assign unused_trees = ^{trees_now, trees_read};
      for (genvar p = 0; p < PE; p++) begin : gen_choice
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
          assign bound[p] = bounds[0];
        end else if (LATE) begin : gen_late
          logic [ACC_BITS-1:0] bound_q;
          logic [k-2:0]        early;
          assign early = gen_stage[k-1].count_now[p][STAGES-1-:k-1];
          always_ff @(posedge ap_clk) begin
            if (en) bound_q <= gen_stage[k-1].gen_pe[p].reached ? bounds[{early, 1'b1}] : bounds[{early, 1'b0}];
          end
          assign bound[p] = bound_q;
        end else begin : gen_chosen
          assign bound[p] = bounds[count_now[p][STAGES-1-:k]];
        end
      end
    end else begin : gen_table
      logic [PE*ACC_BITS-1:0] word [PE];  // the lane p of word[p] is the bound of row p
      for (genvar p = 0; p < PE; p++) begin : gen_read
        if ((WRITABLE ? NF << STAGES : NF << k) <= LUT_WORDS) begin : gen_in_luts
          assign word[p] = gen_tables.words[ADDR_BITS'({other_group_q ^ GROUP_BITS'(1), count_now[p] | STEP})];
        end else if (!WRITABLE && NF << k > LATE_WORDS) begin : gen_late
          logic [PE*ACC_BITS-1:0] low_q, high_q;
          logic [STAGES-1:0]      early;
          assign early = gen_stage[k-1].count_now[p] | STEP;
          always_ff @(posedge ap_clk) begin
            if (en) begin
              low_q  <= gen_tables.words[ADDR_BITS'({group_next, early})];
              high_q <= gen_tables.words[ADDR_BITS'({group_next, early | STEP << 1})];
            end
          end
          assign word[p] = (count_now[p] & STEP << 1) != '0 ? high_q : low_q;
        end else begin : gen_ahead
          logic [PE*ACC_BITS-1:0] word_q;
          always_ff @(posedge ap_clk) begin
            if (en) word_q <= gen_tables.words[ADDR_BITS'({group_next, count_next[p] | STEP})];
          end
          assign word[p] = word_q;
        end
        logic unused_lanes;
        assign unused_lanes = ^word[p];
        assign bound[p]     = word[p][p*ACC_BITS+:ACC_BITS];
      end
    end

    for (genvar p = 0; p < PE; p++) begin : gen_pe
      logic reached;
      if (INPUTS > 5 && ACC_BITS <= A_BITS + 1) begin : gen_pairs
        headrace_pair_compare #(.A_BITS(A_BITS), .B_BITS(ACC_BITS)) u_compare (
          .a(acc_now[p]), .b(bound[p]), .reached
        );
      end else begin : gen_places
        headrace_at_least #(.A_BITS(A_BITS), .B_BITS(ACC_BITS), .GROUP(PLACE)) u_compare (
          .a(acc_now[p]), .b(bound[p]), .reached
        );
      end
      assign count[p] = count_now[p] | (reached ? STEP : '0);
    end
    logic unused_next;
    always_comb begin
      unused_next = ^{group_next, other_group_q};
      for (int unsigned p = 0; p < PE; p++) unused_next ^= ^count_next[p];
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

  if (N < 1 || PE < 1 || NF < 1 || A_BITS > ACC_BITS) begin : gen_check
    $error("thresholds: N=%0d, PE=%0d and NF=%0d must be at least 1, and A_BITS=%0d at most ACC_BITS=%0d", N, PE, NF,
           A_BITS, ACC_BITS);
  end

endmodule
