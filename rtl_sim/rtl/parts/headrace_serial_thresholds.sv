// Multi-threshold activation on one comparator: y[p] = BASE + #{k : acc[p] >= T[p][k]}, thresholds ascending in k.
//
// A binary search as in headrace_thresholds.sv, but one bit of one count after the other, row by row. A bit takes two
// enabled cycles: in the first, its bound goes from the block RAM to its output register. So results may follow each
// other every 2*PE*STAGES cycles. The accumulators are kept meanwhile. The bounds are one memory of block RAM: threshold
// k of row p in row group nf stands at word ((nf * PE + p) << STAGES) + k + 1, and the next address is formed from the
// count in the cycle of its comparison.
module headrace_serial_thresholds import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,  // rows at a time
  parameter int unsigned NF       = 2,  // row groups
  parameter int unsigned N        = 3,  // thresholds per row, at least 2
  parameter int unsigned ACC_BITS = 8,  // width of accumulators and thresholds, two's complement
  parameter int unsigned O_BITS   = 2,  // width of an output code
  parameter int          BASE     = 0,  // output for a count of zero
  parameter string       FILE     = ""  // NF * PE * 2^STAGES words
) (
  input  logic                       ap_clk,     // clock
  input  logic                       ap_rst_n,   // synchronous reset, active low
  input  logic                       en,         // moves the search by one
  input  logic signed [ACC_BITS-1:0] acc [PE],   // accumulators
  input  logic                       acc_valid,  // accumulators are there
  output logic [PE*O_BITS-1:0]       y,          // codes, that many enabled cycles after acc
  output logic                       y_valid,    // codes are there
  output logic                       y_next      // codes are there after the next enabled cycle
);

  localparam int unsigned       STAGES    = $clog2(N + 1);
  localparam int unsigned       TREES     = NF * PE;
  localparam int unsigned       TREE_BITS = index_bits(TREES);
  localparam int unsigned       ADDR_BITS = STAGES + (TREES > 1 ? TREE_BITS : 0);
  localparam int unsigned       ROW_BITS  = index_bits(PE);
  localparam logic [STAGES-1:0] HIGHEST   = STAGES'(1) << (STAGES - 1);

  logic [STAGES-1:0]    step_q;          // value of the bit that is searched; 0: none
  logic [ROW_BITS-1:0]  row_q;           // the row that is searched
  logic [TREE_BITS-1:0] tree_q, tree_d;  // its thresholds
  logic                 compares_q;      // the bit is decided in this cycle
  logic                 row_ends, ends, begins;

  assign row_ends = step_q[0] && compares_q;
  assign ends     = row_ends && row_q == ROW_BITS'(PE - 1);
  assign begins   = acc_valid || (row_ends && !ends);
  assign tree_d   = !row_ends ? tree_q : tree_q == TREE_BITS'(TREES - 1) ? '0 : tree_q + 1'b1;
  assign y_valid  = ends;
  assign y_next   = step_q[0] && !compares_q && row_q == ROW_BITS'(PE - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      step_q <= '0;
      row_q  <= '0;
      tree_q <= '0;
    end else if (en) begin
      step_q <= begins ? HIGHEST : compares_q ? step_q >> 1 : step_q;
      if (row_ends) row_q <= ends ? '0 : row_q + 1'b1;
      tree_q <= tree_d;
    end
  end

  logic signed [ACC_BITS-1:0] now_q;     // the accumulator that is compared
  logic signed [ACC_BITS-1:0] next_row;  // the one behind it
  logic [ACC_BITS-1:0]        bound_q;
  logic [STAGES-1:0]          count_q, count;
  logic                       reached;

  headrace_pair_compare #(.A_BITS(ACC_BITS), .B_BITS(ACC_BITS)) u_compare (.a(now_q), .b(bound_q), .reached);
  assign count = count_q | (reached ? step_q : '0);
  always_ff @(posedge ap_clk) begin
    if (en) begin
      compares_q <= !begins && !compares_q;
      if (begins) count_q <= '0;
      else if (compares_q) count_q <= count;
      if (begins) now_q <= acc_valid ? acc[0] : next_row;
    end
  end

  // Where none is searched, the first bound of the next row is read.
  (* rom_style = "block" *)
  logic [ACC_BITS-1:0] words [TREES<<STAGES];
  logic [STAGES-1:0]   place;
  logic [ACC_BITS-1:0] word_q;
  initial $readmemh(FILE, words);
  assign place = row_ends || step_q == '0 ? HIGHEST : count | step_q >> 1;
  always_ff @(posedge ap_clk) begin
    if (en) begin
      word_q  <= words[ADDR_BITS'({tree_d, place})];
      bound_q <= word_q;
    end
  end

  if (PE > 1) begin : gen_rows
    logic signed [ACC_BITS-1:0] waiting_q [PE-1];
    logic [O_BITS-1:0]          code_q [PE-1];
    always_ff @(posedge ap_clk) begin
      if (en && acc_valid) for (int unsigned p = 1; p < PE; p++) waiting_q[p-1] <= acc[p];
    end
    for (genvar p = 0; p < PE - 1; p++) begin : gen_code
      always_ff @(posedge ap_clk) begin
        if (en && row_ends && row_q == ROW_BITS'(p)) code_q[p] <= O_BITS'(BASE + 32'(count));
      end
      assign y[p*O_BITS+:O_BITS] = code_q[p];
    end
    assign next_row = waiting_q[row_q];
  end else begin : gen_single
    assign next_row = acc[0];
  end
  assign y[(PE-1)*O_BITS+:O_BITS] = O_BITS'(BASE + 32'(count));

  if (N < 2 || NF < 1 || PE < 1) begin : gen_check
    $error("serial_thresholds: N=%0d must be at least 2, NF=%0d and PE=%0d at least 1", N, NF, PE);
  end

endmodule
