// Multi-threshold activation on few comparators: y[p] = BASE + #{k : acc[p] >= T[p][k]}, thresholds ascending in k.
//
// A binary search as in thresholds.sv, but one bit of one count per enabled cycle: ROWS rows share a comparator, one after
// the other, so that results may follow each other every ROWS*STAGES cycles. The accumulators are kept meanwhile.
// The bounds of a comparator are one memory of block RAM: threshold k of a row in row group nf stands at word
// ((nf * ROWS + row) << STAGES) + k + 1, and the next address is formed from the count in the cycle of its comparison.
module serial_thresholds #(
  parameter int unsigned PE       = 2,   // rows at a time
  parameter int unsigned NF       = 2,   // row groups
  parameter int unsigned N        = 3,   // thresholds per row, at least 2
  parameter int unsigned ROWS     = 2,   // rows that share a comparator
  parameter int unsigned ACC_BITS = 8,   // width of accumulators and thresholds, two's complement
  parameter int unsigned O_BITS   = 2,   // width of an output code
  parameter int          BASE     = 0,   // output for a count of zero
  parameter string       FILE     = ""   // NF * ROWS * 2^STAGES words [PE/ROWS]
) (
  input  logic                       ap_clk,     // clock
  input  logic                       ap_rst_n,   // synchronous reset, active low
  input  logic                       en,         // moves the search by one
  input  logic signed [ACC_BITS-1:0] acc [PE],   // accumulators
  input  logic                       acc_valid,  // accumulators are there
  output logic [PE*O_BITS-1:0]       y,          // codes, ROWS*STAGES enabled cycles after acc
  output logic                       y_valid,    // codes are there
  output logic                       y_next      // codes are there after the next enabled cycle
);

  localparam int unsigned       STAGES      = $clog2(N + 1);
  localparam int unsigned       COMPARATORS = PE / ROWS;
  localparam int unsigned       TREES       = NF * ROWS;
  localparam int unsigned       TREE_BITS   = TREES > 1 ? $clog2(TREES) : 1;
  localparam int unsigned       ADDR_BITS   = STAGES + (TREES > 1 ? TREE_BITS : 0);
  localparam int unsigned       ROW_BITS    = ROWS > 1 ? $clog2(ROWS) : 1;
  localparam logic [STAGES-1:0] HIGHEST     = STAGES'(1) << (STAGES - 1);

  logic [STAGES-1:0]    step_q;          // value of the bit that is searched; 0: none
  logic [ROW_BITS-1:0]  row_q;           // which of its rows every comparator searches
  logic [TREE_BITS-1:0] tree_q, tree_d;  // the row's thresholds
  logic                 row_ends, ends, begins;

  assign row_ends = step_q[0];
  assign ends     = row_ends && row_q == ROW_BITS'(ROWS - 1);
  assign begins   = acc_valid || (row_ends && !ends);
  assign tree_d   = !row_ends ? tree_q : tree_q == TREE_BITS'(TREES - 1) ? '0 : tree_q + 1'b1;
  assign y_valid  = ends;
  assign y_next   = step_q[1] && row_q == ROW_BITS'(ROWS - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      step_q <= '0;
      row_q  <= '0;
      tree_q <= '0;
    end else if (en) begin
      step_q <= begins ? HIGHEST : step_q >> 1;
      if (row_ends) row_q <= ends ? '0 : row_q + 1'b1;
      tree_q <= tree_d;
    end
  end

  for (genvar c = 0; c < COMPARATORS; c++) begin : gen_comparator
    logic signed [ACC_BITS-1:0] now_q;     // the accumulator that is compared
    logic signed [ACC_BITS-1:0] next_row;  // the one behind it
    logic [ACC_BITS-1:0]        bound_q;
    logic [STAGES-1:0]          count_q, count;
    logic                       reached;

    pair_compare #(.A_BITS(ACC_BITS), .B_BITS(ACC_BITS)) u_compare (.a(now_q), .b(bound_q), .reached);
    assign count = count_q | (reached ? step_q : '0);
    always_ff @(posedge ap_clk) begin
      if (en) begin
        count_q <= begins ? '0 : count;
        if (begins) now_q <= acc_valid ? acc[c*ROWS] : next_row;
      end
    end

    // Where none is searched, the first bound of the next row is read.
    logic [STAGES-1:0] place;
    assign place = row_ends || step_q == '0 ? HIGHEST : count | step_q >> 1;
    (* rom_style = "block" *)
    logic [COMPARATORS*ACC_BITS-1:0] words [TREES<<STAGES];  // synthesis drops the lanes that are not read
    initial $readmemh(FILE, words);
    always_ff @(posedge ap_clk) begin
      if (en) bound_q <= words[ADDR_BITS'({tree_d, place})][c*ACC_BITS+:ACC_BITS];
    end

    if (ROWS > 1) begin : gen_rows
      logic signed [ACC_BITS-1:0] waiting_q [ROWS-1];
      logic [O_BITS-1:0]          code_q [ROWS-1];
      always_ff @(posedge ap_clk) begin
        if (en && acc_valid) for (int unsigned r = 1; r < ROWS; r++) waiting_q[r-1] <= acc[c*ROWS+r];
      end
      for (genvar r = 0; r < ROWS - 1; r++) begin : gen_code
        always_ff @(posedge ap_clk) begin
          if (en && row_ends && row_q == ROW_BITS'(r)) code_q[r] <= O_BITS'(BASE + 32'(count));
        end
        assign y[(c*ROWS+r)*O_BITS+:O_BITS] = code_q[r];
      end
      assign next_row = waiting_q[row_q];
    end else begin : gen_single
      assign next_row = acc[c];
    end
    assign y[(c*ROWS+ROWS-1)*O_BITS+:O_BITS] = O_BITS'(BASE + 32'(count));
  end

  if (N < 2 || NF < 1 || ROWS < 1 || PE % (ROWS > 0 ? ROWS : 1) != 0) begin : gen_check
    $error("serial_thresholds: N=%0d must be at least 2, NF=%0d and ROWS=%0d at least 1, and ROWS divide PE=%0d", N, NF,
           ROWS, PE);
  end

endmodule
