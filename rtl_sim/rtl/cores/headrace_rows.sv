// What a matrix unit does behind its operands: multiply, accumulate, activate, put out.
//
// y = BASE + #{k : acc >= T[k]}, or acc itself where N is 0, with acc = sum over SF words of weights * activations for
// PE rows at a time, NF row groups in turn. Two bipolar operands count XNOR matches: acc = 2 * matches - COLUMNS; their
// thresholds stand on the matches. CORE is the arithmetic (headrace_dot_product.sv). PARITY folds a single threshold
// into the accumulator; PLANES has thresholds of its own.
// GROUPS > 0: the columns stand in groups with a scale each (headrace_scaled_accumulate.sv); two bipolar operands then
// compare real sums, not matches.
//
// One enable from a flip-flop of the output slice moves the whole pipeline; of a large one, copies of that flip-flop
// move its rows, one for so many rows (COPY_ROWS).
module headrace_rows import headrace_pkg::*; #(
  parameter int    PE              = 2,        // rows at a time
  parameter int    SIMD            = 4,        // columns at a time
  parameter int    NF              = 2,        // row groups
  parameter int    COLUMNS         = 8,        // of a row
  parameter int    W_BITS          = 2,        // width of a weight
  parameter int    W_KIND          = SIGNED,   // kind of the weights
  parameter int    A_BITS          = 2,        // width of an activation
  parameter int    A_KIND          = UNSIGNED, // kind of the activations
  parameter int    A_ROWS          = 1,        // rows of activations: one for all, or PE
  parameter int    ACC_BITS        = 8,        // width of accumulators and thresholds, two's complement
  parameter int    N               = 3,        // thresholds per row; 0: raw accumulators
  parameter int    O_BITS          = 2,        // width of an output code
  parameter int    BASE            = 0,        // output for a count of zero
  parameter int    SERIAL          = 0,        // one comparator searches all thresholds in turn; 0: a pipeline
  parameter int    CORE            = PLAIN,    // arithmetic
  parameter int    GROUPS          = 0,        // groups of columns with a scale each; 0: no scales
  parameter int    SCALE_ROWS      = 1,        // rows with scales of their own: PE*NF, or 1 for all alike
  parameter int    SCALE_BITS      = 1,        // width of a scale, unsigned
  parameter int    SUM_BITS        = ACC_BITS, // width of a group's sum, two's complement
  parameter string SCALES_FILE     = "",       // scale memory
  parameter int    W_LARGEST       = 1,        // TABLES: largest weight without its sign
  parameter string WEIGHTS_FILE    = "",       // TABLES: weights
  parameter string THRESHOLDS_FILE = "",       // threshold memory
  parameter bit    WRITABLE        = 0,        // the processor can write the thresholds
  parameter int    INDEX           = 0,        // number of their memory on the bus `load`
  parameter int    DSP_ROWS        = 1         // MIXED: rows of a word in DSP blocks
) (
  input  logic                             ap_clk,         // clock
  input  logic                             ap_rst_n,       // synchronous reset, active low
  input  load_t                            load,           // new words where WRITABLE (headrace_memory_port.sv)
  output logic                             en,             // moves the pipeline by one
  input  logic                             issue,          // operands enter it
  input  logic                             first,          // the first ones of their rows
  input  logic                             last,           // the last ones
  input  logic [weight_port_bits(CORE, PE*SIMD*W_BITS, NF*(COLUMNS/SIMD))-1:0] weights,  // two enabled cycles
                                                           // later, lanes [PE][SIMD]; TABLES: the word's number after one
  input  logic [A_ROWS*SIMD*A_BITS-1:0]    acts,           // likewise, lanes [A_ROWS][SIMD]
  output logic [(PE*O_BITS+7)/8*8-1:0]     m_axis_TDATA,   // PE results
  output logic                             m_axis_TVALID,  // results are there
  input  logic                             m_axis_TREADY   // results are taken
);

  localparam int unsigned SF     = COLUMNS / SIMD;
  localparam int unsigned SEARCH = 2 * PE * $clog2(N + 1);  // cycles for all bits of the counts of a result
  localparam int unsigned M_BITS = PE * O_BITS;
  localparam bit          XNOR   = W_KIND == BIPOLAR && A_KIND == BIPOLAR;
  localparam bit          SPLIT  = core_adds_two(CORE, W_KIND, W_BITS, GROUPS > 0);

  // Rows that share a copy of the enable: their products are of 512 bits of weights times bits of activations at most.
  localparam int unsigned PRODUCT_BITS = SIMD * W_BITS * A_BITS;
  localparam int unsigned COPY_ROWS    = PRODUCT_BITS < 512 ? 512 / PRODUCT_BITS : 1;

  // The first row that adds one more.
  localparam int unsigned ONE_FROM = !core_adds_one(CORE, W_KIND, W_BITS) ? PE : CORE == MIXED ? DSP_ROWS : 0;

  logic [PE-1:0] en_rows;
  logic          en_next;
  if (PE > COPY_ROWS) begin : gen_copies
    localparam int unsigned COPIES = (PE + COPY_ROWS - 1) / COPY_ROWS;
    logic [COPIES-1:0] copies;
    headrace_own_register #(.BITS(COPIES)) u_copies (
      .ap_clk, .clear(!ap_rst_n), .en(1'b1), .d({COPIES{en_next}}), .q(copies)
    );
    for (genvar p = 0; p < PE; p++) begin : gen_row
      assign en_rows[p] = copies[p/COPY_ROWS];
    end
  end else begin : gen_one_enable
    logic unused_next;
    assign unused_next = en_next;
    assign en_rows     = {PE{en}};
  end

  // The operands are two registers behind their issue.
  logic [1:0] valid_q, first_q, last_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= '0;
    else if (en) valid_q <= {valid_q[0], issue};
  end
  always_ff @(posedge ap_clk) begin
    if (en) begin
      first_q <= {first_q[0], first};
      last_q  <= {last_q[0], last};
    end
  end

  logic [M_BITS-1:0] y;
  logic              y_valid, y_next;
  if (CORE == PARITY && N == 1 && GROUPS == 0) begin : gen_folded_threshold
    logic unused_load;
    assign unused_load = ^load;
    headrace_parity_rows #(
      .PE(PE), .SIMD(SIMD), .NF(NF), .ACC_BITS(ACC_BITS), .O_BITS(O_BITS), .BASE(BASE), .FILE(THRESHOLDS_FILE)
    ) u_rows (
      .ap_clk, .ap_rst_n, .en(en_rows), .weights, .acts,
      .valid(valid_q[1]), .first(first_q[1]), .last(last_q[1]), .y, .y_valid, .y_next
    );
  end else begin : gen_sums
    logic signed [SUM_BITS-1:0] sums [PE], more [PE];
    logic                       sum_valid, sum_first, sum_last;

    headrace_dot_product #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .A_ROWS(A_ROWS),
      .SUM_BITS(SUM_BITS), .TAG_BITS(3), .CORE(CORE), .SPLIT(SPLIT), .WORDS(NF * SF), .W_LARGEST(W_LARGEST),
      .WEIGHTS_FILE(WEIGHTS_FILE), .DSP_ROWS(DSP_ROWS)
    ) u_dot (
      .ap_clk, .ap_rst_n, .en(en_rows), .weights, .acts, .sums, .more,
      .tag_in({valid_q[1], first_q[1], last_q[1]}), .tag_out({sum_valid, sum_first, sum_last})
    );

    headrace_accumulate #(
      .PE(PE), .NF(NF), .MATCHES(XNOR ? COLUMNS : 0), .ACC_BITS(ACC_BITS), .N(N), .O_BITS(O_BITS), .BASE(BASE),
      .FILE(THRESHOLDS_FILE), .GROUPS(GROUPS), .SG(GROUPS > 0 ? SF / GROUPS : 1), .SCALE_ROWS(SCALE_ROWS),
      .SCALE_BITS(SCALE_BITS), .SUM_BITS(SUM_BITS), .SCALES_FILE(SCALES_FILE), .SERIAL(SERIAL != 0),
      .TWO(SPLIT), .ONE_FROM(ONE_FROM), .WRITABLE(WRITABLE), .INDEX(INDEX)
    ) u_accumulate (
      .ap_clk, .ap_rst_n, .load, .en(en_rows), .sums, .more, .sum_valid, .sum_first, .sum_last, .y, .y_valid, .y_next
    );
  end

  headrace_result_slice #(.BITS(M_BITS), .SPACED(SF > 1)) u_out (
    .ap_clk, .ap_rst_n, .y, .y_valid, .y_next, .en, .en_next, .m_axis_TDATA, .m_axis_TVALID, .m_axis_TREADY
  );

  if (COLUMNS % SIMD != 0) begin : gen_check_simd
    $error("rows: SIMD=%0d must divide COLUMNS=%0d", SIMD, COLUMNS);
  end
  if (GROUPS > 0 && SF % (GROUPS > 0 ? GROUPS : 1) != 0) begin : gen_check_groups
    $error("rows: SIMD=%0d must divide the columns of a group, COLUMNS=%0d / GROUPS=%0d", SIMD, COLUMNS, GROUPS);
  end
  if ((CORE == PARITY && !XNOR) || (CORE >= DSP && GROUPS > 0) || ((CORE == PLANES || CORE == TABLES) && N == 0))
  begin : gen_check_core
    $error("rows: CORE=%0d: 1 needs bipolar operands, 3 to 7 no GROUPS=%0d, 4 and 6 thresholds", CORE, GROUPS);
  end
  if (WRITABLE && ((CORE != PLAIN && CORE != PAIRS) || GROUPS > 0 || SERIAL != 0)) begin : gen_check_writable
    $error("rows: WRITABLE needs GROUPS=%0d and SERIAL=%0d to be 0, and CORE=%0d to be plain or pairs", GROUPS, SERIAL,
           CORE);
  end
  if (SERIAL != 0 && SF < SEARCH) begin : gen_check_search
    $error("rows: the SERIAL=%0d search for PE=%0d rows takes longer than the SF=%0d words of a result", SERIAL, PE,
           SF);
  end
  if (N < 0 || (N > 0 && (ACC_BITS < 1 || O_BITS < $clog2(N + 1)))) begin : gen_check_output
    $error("rows: N=%0d thresholds do not fit into O_BITS=%0d", N, O_BITS);
  end

endmodule
