// Matrix-vector-threshold unit: y_i = BASE + #{k : acc_i >= T_ik}, or acc_i itself where N is 0, with acc = W x.
//
// PE rows and SIMD columns per cycle: SF = MW/SIMD words make a vector, NF = MH/PE row groups make its result. The
// words are taken in the first row group and replayed from a buffer in the others, so a vector takes exactly NF*SF
// cycles and the next one follows without a bubble. A buffer in block RAM has an output register, so that everything
// behind the issue of a word then is an enabled cycle later. Two bipolar operands count XNOR matches:
// acc = 2 * matches - MW; their thresholds stand on the matches. Weight word nf*SF + sf holds lanes [PE][SIMD],
// threshold word nf lanes [PE][N].
//
// GROUPS > 0: the columns stand in groups of MW/GROUPS and acc = sum over g of scale_ig * (sum over group g of W x), at
// the same cycles. CORE is the arithmetic (headrace_pkg.sv), the same integers in all of them. What follows the
// operands is headrace_rows.sv.
//
// EXTERNAL: the weight words come as a stream instead, for every vector all NF*SF words in the order of the memory.
// Each of them waits for its activations and they for it, so that neither side may lag without harm.
module headrace_mvtu import headrace_pkg::*; #(
  parameter int    MW              = 8,        // matrix columns
  parameter int    MH              = 4,        // matrix rows
  parameter int    PE              = 2,        // rows per cycle
  parameter int    SIMD            = 4,        // columns per cycle
  parameter int    VECTORS         = 1,        // vectors per frame
  parameter int    W_BITS          = 2,        // width of a weight
  parameter int    W_KIND          = SIGNED,   // kind of the weights
  parameter int    A_BITS          = 2,        // width of an activation
  parameter int    A_KIND          = UNSIGNED, // kind of the activations
  parameter int    ACC_BITS        = 8,        // width of accumulators and thresholds, two's complement
  parameter int    N               = 3,        // thresholds per row; 0: raw accumulators
  parameter int    O_BITS          = 2,        // width of an output code
  // Options, left out where they are not used:
  parameter int    BASE            = 0,        // output for a count of zero
  parameter int    SERIAL          = 0,        // one comparator searches all thresholds in turn; 0: a pipeline
  parameter int    CORE            = PLAIN,    // arithmetic
  parameter int    GROUPS          = 0,        // groups of columns with a scale each; 0: no scales
  parameter int    SCALE_ROWS      = 1,        // rows with scales of their own: MH, or 1 for all alike
  parameter int    SCALE_BITS      = 1,        // width of a scale, unsigned
  parameter int    SUM_BITS        = ACC_BITS, // width of a group's sum, two's complement
  parameter string SCALES_FILE     = "",       // scale memory
  parameter shortint W_LARGEST     = 1,        // TABLES: largest weight without its sign
  parameter shortint DSP_ROWS      = 1,        // MIXED: rows of a word in DSP blocks
  parameter string WEIGHTS_FILE    = "",       // weight memory
  parameter string THRESHOLDS_FILE = "",       // threshold memory
  parameter bit    WRITABLE        = 0,        // the processor can write both memories
  parameter bit    URAM            = 0,        // weights in UltraRAM, where they are writable
  parameter shortint FIRST_MEMORY  = 0,        // number of the weight memory on the bus `load`; the thresholds follow
  parameter bit    EXTERNAL        = 0         // weights come on w_axis, from no memory
) (
  input  logic                           ap_clk,         // clock
  input  logic                           ap_rst_n,       // synchronous reset, active low
  input  load_t                          load,           // new words where WRITABLE (headrace_memory_port.sv)
  input  logic [(SIMD*A_BITS+7)/8*8-1:0] s_axis_TDATA,   // SIMD activations
  input  logic                           s_axis_TVALID,  // activations are there
  output logic                           s_axis_TREADY,  // activations are taken
  input  logic [(EXTERNAL ? (PE*SIMD*W_BITS+7)/8*8 : 8)-1:0] w_axis_TDATA,  // PE * SIMD weights where EXTERNAL
  input  logic                           w_axis_TVALID,  // weights are there
  output logic                           w_axis_TREADY,  // weights are taken
  output logic [(PE*O_BITS+7)/8*8-1:0]   m_axis_TDATA,   // PE results
  output logic                           m_axis_TVALID,  // results are there
  input  logic                           m_axis_TREADY   // results are taken
);

  localparam int unsigned SF        = MW / SIMD;
  localparam int unsigned NF        = MH / PE;
  localparam int unsigned SF_BITS   = index_bits(SF);
  localparam int unsigned NF_BITS   = index_bits(NF);
  localparam int unsigned ADDR_BITS = index_bits(SF * NF);
  localparam int unsigned S_BITS    = SIMD * A_BITS;
  localparam int unsigned W_WORD    = PE * SIMD * W_BITS;
  localparam int unsigned W_PORT    = weight_port_bits(CORE, W_WORD, SF * NF);
  localparam bit          REPLAYS   = NF > 1 && SF > 1;  // one word is a register
  localparam bit          LATE      = REPLAYS && ram_in_block(SF, S_BITS);

  logic              en;  // the pipeline moves
  logic [S_BITS-1:0] word;
  logic              word_valid, word_ready;
  logic              unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(S_BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[S_BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
  );

  // Issue: one weight word and one activation word per cycle.
  logic [SF_BITS-1:0]   sf_q;
  logic [NF_BITS-1:0]   nf_q;
  logic [ADDR_BITS-1:0] addr_q;
  logic                 fills, wanted, issue, weight_valid, sf_first, sf_last, nf_last;
  logic                 reads, first, last, ends;  // what follows it

  assign fills      = nf_q == '0;
  assign wanted     = word_valid || !fills;
  assign issue      = en && (word_valid || !fills) && weight_valid;
  assign word_ready = en && fills && weight_valid;
  assign sf_first   = sf_q == '0;
  assign sf_last    = sf_q == SF_BITS'(SF - 1);
  assign nf_last    = nf_q == NF_BITS'(NF - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      sf_q <= '0;
      nf_q <= '0;
    end else if (issue) begin
      sf_q <= sf_last ? '0 : sf_q + 1'b1;
      if (sf_last) nf_q <= nf_last ? '0 : nf_q + 1'b1;
    end
  end

  if (LATE) begin : gen_late
    logic reads_q;
    headrace_tags #(.BITS(4), .CYCLES(1)) u_late (
      .ap_clk, .ap_rst_n, .en, .tag_in({issue, sf_first, sf_last, nf_last}), .tag_out({reads_q, first, last, ends})
    );
    assign reads = en && reads_q;
  end else begin : gen_at_once
    assign reads = issue;
    assign first = sf_first;
    assign last  = sf_last;
    assign ends  = nf_last;
  end

  // Read: weights, or the number of their word, and replayed activations, two registers each, of which those of
  // block RAM have one more in front, for their address: a word is written in front of its first reading.
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) addr_q <= '0;
    else if (reads) addr_q <= last && ends ? '0 : addr_q + 1'b1;
  end

  logic [W_PORT-1:0] weights;
  logic [S_BITS-1:0] code, acts;

  if (EXTERNAL) begin : gen_external
    logic unused_load;
    assign unused_load = ^load;
    headrace_weight_stream #(.BITS(W_WORD), .LATE(LATE)) u_weights (
      .ap_clk, .ap_rst_n, .w_axis_TDATA, .w_axis_TVALID, .w_axis_TREADY, .en, .wanted, .valid(weight_valid),
      .data(weights)
    );
  end else begin : gen_inside
    logic unused_stream;
    assign unused_stream = w_axis_TVALID ^ ^w_axis_TDATA ^ wanted;
    assign weight_valid  = 1'b1;
    assign w_axis_TREADY = 1'b0;
    if (CORE == TABLES) begin : gen_number
      always_ff @(posedge ap_clk) if (en) weights <= addr_q;
    end else begin : gen_memory
      headrace_weights #(
        .DEPTH(SF * NF), .BITS(W_WORD), .FILE(WEIGHTS_FILE), .WRITABLE(WRITABLE), .URAM(URAM), .INDEX(32'(FIRST_MEMORY))
      ) u_weights (
        .ap_clk, .ap_rst_n, .load, .en, .step(reads), .address(addr_q), .data(weights)
      );
    end
  end

  if (core_recodes(CORE)) begin : gen_encode
    for (genvar j = 0; j < A_BITS; j++) begin : gen_plane
      logic [SIMD-1:0] plane;
      for (genvar s = 0; s < SIMD; s++) begin : gen_column
        assign plane[s] = word[s*A_BITS+j];
      end
      headrace_parity_encode #(.SIMD(SIMD)) u_encode (.bits(plane), .code(code[j*SIMD+:SIMD]));
    end
  end else begin : gen_raw
    assign code = word;
  end

  if (REPLAYS) begin : gen_replay
    logic [SF_BITS-1:0] sf_read_q;
    logic [S_BITS-1:0]  replayed;
    always_ff @(posedge ap_clk) if (en) sf_read_q <= sf_q;
    headrace_ram #(.DEPTH(SF), .BITS(S_BITS)) u_replay (
      .ap_clk, .write(en && fills && word_valid), .write_address(sf_q), .write_data(code),
      .read(en), .read_address(sf_read_q), .clear(1'b0), .read_data(replayed)
    );
    if (LATE) begin : gen_output
      always_ff @(posedge ap_clk) if (en) acts <= replayed;
    end else begin : gen_replayed
      assign acts = replayed;
    end
  end else begin : gen_direct
    logic [S_BITS-1:0] fresh_q;
    always_ff @(posedge ap_clk) begin
      if (en) begin
        if (fills) fresh_q <= code;
        acts <= fresh_q;
      end
    end
  end

  headrace_rows #(
    .PE(PE), .SIMD(SIMD), .NF(NF), .COLUMNS(MW), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND),
    .ACC_BITS(ACC_BITS), .N(N), .O_BITS(O_BITS), .BASE(BASE), .SERIAL(SERIAL), .CORE(CORE), .GROUPS(GROUPS),
    .SCALE_ROWS(SCALE_ROWS), .SCALE_BITS(SCALE_BITS), .SUM_BITS(SUM_BITS), .SCALES_FILE(SCALES_FILE),
    .W_LARGEST(32'(W_LARGEST)), .WEIGHTS_FILE(WEIGHTS_FILE), .THRESHOLDS_FILE(THRESHOLDS_FILE), .WRITABLE(WRITABLE),
    .INDEX(32'(FIRST_MEMORY) + 1), .DSP_ROWS(32'(DSP_ROWS))
  ) u_rows (
    .ap_clk, .ap_rst_n, .load, .en, .issue(reads), .first, .last, .weights, .acts,
    .m_axis_TDATA, .m_axis_TVALID, .m_axis_TREADY
  );

  if (MW % SIMD != 0) begin : gen_check_simd
    $error("mvtu: SIMD=%0d must divide MW=%0d", SIMD, MW);
  end
  if (MH % PE != 0) begin : gen_check_pe
    $error("mvtu: PE=%0d must divide MH=%0d", PE, MH);
  end
  if (EXTERNAL && (WRITABLE || (CORE != PLAIN && CORE != PAIRS) || GROUPS > 0)) begin : gen_check_external
    $error("mvtu: EXTERNAL needs WRITABLE=%0d and GROUPS=%0d to be 0, and CORE=%0d to be plain or pairs", WRITABLE, GROUPS,
           CORE);
  end
  if (VECTORS < 1) begin : gen_check_vectors
    $error("mvtu: VECTORS=%0d must be at least 1", VECTORS);
  end

endmodule
