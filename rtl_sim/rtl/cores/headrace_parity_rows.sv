// Binary rows with one threshold each: y[p] = BASE + (matches[p] >= T[p]), matches counted by free parity.
//
// Over the words of a row the popcount is 2 * (sum of carries) + parity, and the root's leaf of a word is the parity of
// the words before, so that only carries are accumulated. With T mod 2 as the leaf of the first word and -ceil(T/2) as
// the start of the accumulator, matches >= T exactly where the sum ends at 0 or above: no comparator, no bit 0.
// The threshold memory holds -T: its low bit is T mod 2, its other bits are -ceil(T/2).
module headrace_parity_rows import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,  // rows at a time
  parameter int unsigned SIMD     = 8,  // columns at a time
  parameter int unsigned NF       = 2,  // row groups
  parameter int unsigned ACC_BITS = 8,  // width of -T, two's complement
  parameter int unsigned O_BITS   = 1,  // width of an output code
  parameter int          BASE     = 0,  // output for no threshold reached
  parameter string       FILE     = ""  // one word of -T [PE] per row group
) (
  input  logic                 ap_clk,    // clock
  input  logic                 ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]        en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD-1:0]   weights,   // recoded complements of the weights, lanes [PE][SIMD]
  input  logic [SIMD-1:0]      acts,      // recoded activations
  input  logic                 valid,     // weights and acts are there
  input  logic                 first,     // the first ones of their rows
  input  logic                 last,      // the last ones of their rows
  output logic [PE*O_BITS-1:0] y,         // codes
  output logic                 y_valid,   // codes are there
  output logic                 y_next     // codes are there after the next enabled cycle
);

  localparam int unsigned M          = (SIMD + 1) / 2;
  localparam int unsigned ROOT       = SIMD > 1 ? SIMD - 2 : 0;  // the root's first input in a word
  localparam int unsigned COUNTED    = M > 1 ? M - 1 : 1;  // carries to count; one goes into the accumulator's carry in
  localparam int unsigned COUNT_BITS = $clog2(COUNTED + 1);
  localparam int unsigned STAGES     = count_stages(COUNTED);
  localparam int unsigned SUM_BITS   = ACC_BITS - 1;
  localparam int unsigned GROUP_BITS = index_bits(NF);

  (* ram_style = "registers", rom_style = "distributed" *)  // Yosys' word for LUTs, then that of Vivado
  logic [PE*ACC_BITS-1:0] words [NF];
  initial $readmemh(FILE, words);

  // Row groups: the one whose words pass, the next, whose parities wait for its first word, and the one behind, whose
  // parities are read: two steps that are done before the first word comes.
  logic [1:0]            filled_q;
  logic                  load;
  logic [GROUP_BITS-1:0] group_q, next_q, behind_q, counted;
  assign load = !filled_q[1] || (valid && last);
  // The lowest bit is not in the carry chain: synthesis would take it from there, late, for the address of the ROM.
  assign counted = (((behind_q >> 1) + GROUP_BITS'(behind_q[0])) << 1) | GROUP_BITS'(!behind_q[0]);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      filled_q <= 2'b00;
      behind_q <= '0;
    end else if (en[0]) begin
      filled_q <= {filled_q[0], 1'b1};
      if (load) behind_q <= behind_q == GROUP_BITS'(NF - 1) ? '0 : counted;
    end
  end

  logic [PE-1:0]          parities_q;
  logic [PE*ACC_BITS-1:0] behind_word, start_word_q;
  assign behind_word = words[behind_q];
  always_ff @(posedge ap_clk) begin
    if (en[0] && load) begin
      next_q  <= behind_q;
      group_q <= next_q;
      for (int unsigned p = 0; p < PE; p++) parities_q[p] <= behind_word[p*ACC_BITS];
    end
  end

  // What belongs to the carries travels beside them.
  logic [STAGES-1:0]     valid_q, first_q, last_q;
  logic [GROUP_BITS-1:0] group_ahead;  // of the counts of the next enabled cycle
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= '0;
    else if (en[0]) valid_q <= STAGES'({valid_q, valid});
  end
  always_ff @(posedge ap_clk) begin
    if (en[0]) begin
      first_q <= STAGES'({first_q, first});
      last_q  <= STAGES'({last_q, last});
    end
  end
  if (STAGES > 1) begin : gen_group_pipeline
    logic [(STAGES-1)*GROUP_BITS-1:0] groups_q;
    always_ff @(posedge ap_clk) if (en[0]) groups_q <= ((STAGES-1)*GROUP_BITS)'({groups_q, group_q});
    assign group_ahead = groups_q[(STAGES-2)*GROUP_BITS+:GROUP_BITS];
  end else begin : gen_group
    assign group_ahead = group_q;
  end

  always_ff @(posedge ap_clk) if (en[0]) start_word_q <= words[group_ahead];

  logic sum_valid, done_q, root_s_q;
  assign sum_valid = valid_q[STAGES-1];
  assign y_next    = sum_valid && last_q[STAGES-1];
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) done_q <= 1'b0;
    else if (en[0]) done_q <= y_next;
  end
  always_ff @(posedge ap_clk) begin
    if (en[0] && (load || valid)) root_s_q <= !load && (root_s_q ^ ^acts[SIMD-1:ROOT]);
  end
  assign y_valid = done_q;

  logic unused_words;
  assign unused_words = ^{behind_word, start_word_q};

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    localparam int unsigned FIRST = p * SIMD;
    logic [M-1:0] carries;
    logic         root_n_q;
    headrace_parity_carries #(.SIMD(SIMD)) u_carries (
      .r(weights[FIRST+:SIMD]), .s(acts), .root_r(root_n_q), .root_s(root_s_q), .carries
    );
    always_ff @(posedge ap_clk) begin
      if (en[p] && (load || valid)) begin
        root_n_q <= load ? !parities_q[p] : root_n_q ^ ^weights[FIRST+ROOT+:SIMD-ROOT];
      end
    end

    // Count all carries but the root's, which waits for the accumulator.
    logic [COUNT_BITS-1:0] count;
    logic [STAGES-1:0]     root_q;
    headrace_ones_count #(.BITS(COUNTED), .SUM_BITS(COUNT_BITS)) u_count (
      .ap_clk, .en(en[p]), .bits(M > 1 ? COUNTED'(carries) : '0), .count
    );
    always_ff @(posedge ap_clk) if (en[p]) root_q <= STAGES'({root_q, carries[M-1]});

    logic [SUM_BITS-1:0] acc_d, acc_q;
    headrace_carry_adder #(.BITS(SUM_BITS)) u_add (
      .a(SUM_BITS'(count)), .b(first_q[STAGES-1] ? start_word_q[p*ACC_BITS+1+:SUM_BITS] : acc_q),
      .carry_in(root_q[STAGES-1]), .sum(acc_d)
    );
    always_ff @(posedge ap_clk) if (en[p] && sum_valid) acc_q <= acc_d;
    assign y[p*O_BITS+:O_BITS] = O_BITS'(BASE + 32'(!acc_q[SUM_BITS-1]));
  end

  if (PE < 1 || NF < 1 || ACC_BITS < 2 || O_BITS < 1) begin : gen_check
    $error("parity_rows: PE=%0d, NF=%0d, O_BITS=%0d must be at least 1 and ACC_BITS=%0d at least 2",
           PE, NF, O_BITS, ACC_BITS);
  end

endmodule
