// Bounds of a binary search out of one table of words [PE] (headrace_thresholds.sv): threshold k of row group nf lies
// at word nf * 2^STAGES + k + 1, so that a stage adds a one behind the bits of the count. Where N+1 is no power of two,
// the words beyond N hold a bound that is never reached.
//
// A stage of few words holds them in the LUTs of its comparator; one of many reads its bound in a cycle of its own.
// Where block RAM costs less, it holds the bounds of the stages from ROOT on (block_stage() in headrace_pkg.sv), and the
// table every 2^(STAGES-ROOT)th word. Every row has a file of its own for them, whose name begins with letters a and b
// for the row: a line has all bounds of one group and of the same ROOT bits of a count.
module headrace_threshold_tables import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,   // rows at a time
  parameter int unsigned NF       = 2,   // row groups
  parameter int unsigned STAGES   = 2,   // bits of a count
  parameter int unsigned ACC_BITS = 8,   // width of a bound, two's complement
  parameter int unsigned A_BITS   = 8,   // width of an accumulator
  parameter string       FILE     = "",  // NF * 2^ROOT words [PE]
  parameter bit          WRITABLE = 0,   // the processor can write the words
  parameter int unsigned INDEX    = 0    // number of the memory on the bus `load`
) (
  input  logic                      ap_clk,              // clock
  input  logic                      ap_rst_n,            // synchronous reset, active low
  input  load_t                     load,                // new words where WRITABLE (headrace_memory_port.sv)
  input  logic [PE-1:0]             en,                  // moves the pipeline by one: each row's copy
  input  logic [index_bits(NF)-1:0] group,               // row group in stage 0 after the next enabled cycle
  input  logic [STAGES-1:0]         known [STAGES][PE],  // decided bits of the counts in every stage
  input  logic [STAGES-1:0]         early [STAGES][PE],  // those after the next enabled cycle; in ROOT two cycles later
  input  logic [STAGES-1:0]         count [STAGES][PE],  // with the bit of the stage
  output logic [ACC_BITS-1:0]       bound [STAGES][PE]   // thresholds that decide it
);

  localparam int unsigned GROUP_BITS = index_bits(NF);
  localparam int unsigned ROOT       = block_stage(NF, STAGES, ACC_BITS, WRITABLE);
  localparam int unsigned DEEP       = STAGES - ROOT;  // stages whose bounds are in blocks
  localparam int unsigned ADDR_BITS  = ROOT + (NF > 1 ? GROUP_BITS : 0);

  if (WRITABLE) begin : gen_writable
    logic                   write;
    logic [ADDR_BITS-1:0]   write_address;
    logic [PE*ACC_BITS-1:0] write_word;
    headrace_memory_port #(.INDEX(INDEX), .DEPTH(NF << STAGES), .BITS(PE * ACC_BITS)) u_port (
      .ap_clk, .ap_rst_n, .load, .write, .address(write_address), .word(write_word)
    );
  end else begin : gen_fixed
    // Logic: Yosys calls it registers, Vivado a distributed ROM.
    (* ram_style = "registers", rom_style = "distributed" *) logic [PE*ACC_BITS-1:0] words [NF << ROOT];
    initial $readmemh(FILE, words);
    logic unused_load;
    assign unused_load = ^load ^ ap_rst_n;
  end

  for (genvar k = 0; k < ROOT; k++) begin : gen_stage
    localparam logic [ROOT-1:0] STEP = ROOT'(1) << (ROOT - 1 - k);
    localparam bit              READ = bound_cycles(NF, STAGES, k, ACC_BITS, A_BITS, WRITABLE) > 0;
    localparam bit              FEW  = WRITABLE ? NF << STAGES <= LUT_WORDS : NF << k <= bound_words(A_BITS);

    // Row group of the accumulators here, and of those after the next enabled cycle. One bit is inverted, since
    // synthesis would move the registers of an address behind their ROM.
    logic [GROUP_BITS-1:0] other_group_q, group_next;
    always_ff @(posedge ap_clk) if (en[0]) other_group_q <= group_next ^ GROUP_BITS'(1);
    if (k == 0) begin : gen_first
      assign group_next = group;
    end else if (READ) begin : gen_read
      logic [GROUP_BITS-1:0] read_group_q;
      always_ff @(posedge ap_clk) if (en[0]) read_group_q <= gen_stage[k-1].other_group_q ^ GROUP_BITS'(1);
      assign group_next = read_group_q;
    end else begin : gen_next
      assign group_next = gen_stage[k-1].other_group_q ^ GROUP_BITS'(1);
    end

    for (genvar p = 0; p < PE; p++) begin : gen_row
      logic [ADDR_BITS-1:0]   place;
      logic [PE*ACC_BITS-1:0] stored, word;  // lane p of the word is the bound of row p
      logic                   unused_lanes;
      if (WRITABLE) begin : gen_own
        // A memory that is read at dozens of places may become registers; so each has one of its own.
        (* ram_style = "distributed" *) logic [PE*ACC_BITS-1:0] words [NF << STAGES];
        initial $readmemh(FILE, words);
        always_ff @(posedge ap_clk) if (gen_writable.write) words[gen_writable.write_address] <= gen_writable.write_word;
        assign stored = words[place];
      end else begin : gen_shared
        assign stored = gen_fixed.words[place];
      end
      if (FEW) begin : gen_in_luts
        assign place = ADDR_BITS'({other_group_q ^ GROUP_BITS'(1), known[k][p][STAGES-1-:ROOT] | STEP});
        assign word  = stored;
      end else begin : gen_ahead
        logic [PE*ACC_BITS-1:0] word_q;
        always_ff @(posedge ap_clk) if (en[p]) word_q <= stored;
        assign place = ADDR_BITS'({group_next, early[k][p][STAGES-1-:ROOT] | STEP});
        assign word  = word_q;
      end
      assign unused_lanes = ^word;
      assign bound[k][p]  = word[p*ACC_BITS+:ACC_BITS];
    end
  end

  if (DEEP > 0) begin : gen_blocks
    localparam int unsigned LINE_BITS = ((1 << DEEP) - 1) * ACC_BITS;
    logic [GROUP_BITS-1:0] group_q;  // of early[ROOT]
    always_ff @(posedge ap_clk) if (en[0]) group_q <= gen_stage[ROOT-1].other_group_q ^ GROUP_BITS'(1);

    for (genvar p = 0; p < PE; p++) begin : gen_row
      (* rom_style = "block" *) logic [LINE_BITS-1:0] lines [NF << ROOT];
      initial $readmemh({{(p / 16 + 1){"a"}}, {(p % 16 + 1){"b"}}, "_", FILE}, lines);
      logic [LINE_BITS-1:0] line_q, tree_q;  // of the block, and of its output register
      logic [DEEP-1:0]      tree_known [DEEP][1];
      logic [DEEP-1:0]      tree_count [DEEP][1];
      logic [ACC_BITS-1:0]  tree_bound [DEEP][1];
      always_ff @(posedge ap_clk) begin
        if (en[p]) begin
          line_q <= lines[ADDR_BITS'({group_q, early[ROOT][p][STAGES-1-:ROOT]})];
          tree_q <= line_q;
        end
      end
      for (genvar k = 0; k < DEEP; k++) begin : gen_deep
        assign tree_known[k][0] = known[ROOT+k][p][DEEP-1:0];
        assign tree_count[k][0] = count[ROOT+k][p][DEEP-1:0];
        assign bound[ROOT+k][p] = tree_bound[k][0];
      end
      headrace_threshold_trees #(.PE(1), .N((1 << DEEP) - 1), .STAGES(DEEP), .ACC_BITS(ACC_BITS)) u_tree (
        .ap_clk, .en(en[p]), .first(tree_q), .known(tree_known), .count(tree_count), .bound(tree_bound)
      );
    end
  end

  logic unused_stages;  // not every stage needs all of them
  always_comb begin
    unused_stages = ^gen_stage[ROOT-1].other_group_q ^ ^en;
    for (int unsigned k = 0; k < STAGES; k++) begin
      for (int unsigned p = 0; p < PE; p++) unused_stages ^= ^known[k][p] ^ ^early[k][p] ^ ^count[k][p];
    end
  end

endmodule
