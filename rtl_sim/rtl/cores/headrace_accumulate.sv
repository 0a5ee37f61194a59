// Accumulators and activation: acc[p] = sum of sums[p] from sum_first to sum_last, then
// y[p] = BASE + #{k : acc >= T[k]}, or acc[p] itself where N is 0.
//
// MATCHES > 0: the sums count matches out of so many, and the raw result is 2 * acc - MATCHES. Row groups follow in
// order.
// GROUPS > 0: the columns stand in so many groups with a scale each (headrace_scaled_accumulate.sv), of SG words.
module headrace_accumulate import headrace_pkg::*; #(
  parameter int unsigned PE          = 2,         // rows at a time
  parameter int unsigned NF          = 2,         // row groups
  parameter int unsigned MATCHES     = 0,         // summands of a row that are matches; 0: ordinary sums
  parameter int unsigned ACC_BITS    = 8,         // width of accumulators and thresholds, two's complement
  parameter int unsigned N           = 3,         // thresholds per row; 0: raw accumulators
  parameter int unsigned O_BITS      = 2,         // width of an output code
  parameter int          BASE        = 0,         // output for a count of zero
  parameter string       FILE        = "",        // one tree of thresholds [PE] per row group (headrace_thresholds.sv)
  parameter int unsigned GROUPS      = 0,         // groups of columns with a scale each; 0: no scales
  parameter int unsigned SG          = 1,         // words of a group
  parameter int unsigned SCALE_ROWS  = 1,         // rows with scales of their own: PE*NF, or 1 for all alike
  parameter int unsigned SCALE_BITS  = 1,         // width of a scale, unsigned
  parameter int unsigned SUM_BITS    = ACC_BITS,  // width of the sums, two's complement
  parameter string       SCALES_FILE = "",        // scale memory
  parameter bit          TWO         = 0,         // the parts are sums + more; without groups only
  parameter int unsigned ONE_FROM    = PE,        // TWO: and one more from this row on
  parameter bit          SERIAL      = 0,         // one comparator searches all thresholds in turn; 0: a pipeline
  parameter bit          WRITABLE    = 0,         // the processor can write the thresholds
  parameter int unsigned INDEX       = 0          // number of their memory on the bus `load`
) (
  input  logic                       ap_clk,     // clock
  input  logic                       ap_rst_n,   // synchronous reset, active low
  input  load_t                      load,       // new thresholds where WRITABLE (headrace_memory_port.sv)
  input  logic [PE-1:0]              en,         // moves the pipeline by one: each row's copy
  input  logic signed [SUM_BITS-1:0] sums [PE],  // parts of the rows
  input  logic signed [SUM_BITS-1:0] more [PE],  // TWO: what the parts have beside the sums
  input  logic                       sum_valid,  // parts are there
  input  logic                       sum_first,  // the first ones of their rows
  input  logic                       sum_last,   // the last ones
  output logic [PE*O_BITS-1:0]       y,          // codes
  output logic                       y_valid,    // codes are there
  output logic                       y_next      // codes are there after the next enabled cycle
);

  localparam bit          COUNTS     = MATCHES > 0 && GROUPS == 0;  // scaled sums are not counts any more
  localparam int unsigned GROUP_BITS = index_bits(NF);

  logic signed [ACC_BITS-1:0] acc_q [PE];
  logic                       acc_valid_q;
  logic                       acc_next;  // the accumulators are complete after the next enabled cycle

  if (GROUPS > 0) begin : gen_scaled
    logic unused_tags;
    assign unused_tags = sum_first ^ sum_last;
    headrace_scaled_accumulate #(
      .PE(PE), .NF(NF), .GROUPS(GROUPS), .SG(SG), .ROWS(SCALE_ROWS), .SIZE(MATCHES / GROUPS), .PART_BITS(SUM_BITS),
      .SCALE_BITS(SCALE_BITS), .ACC_BITS(ACC_BITS), .FILE(SCALES_FILE)
    ) u_scaled (
      .ap_clk, .ap_rst_n, .en, .sums, .sum_valid, .totals(acc_q), .next(acc_next), .valid(acc_valid_q)
    );
  end else begin : gen_plain
    assign acc_next = sum_valid && sum_last;
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) acc_valid_q <= 1'b0;
      else if (en[0]) acc_valid_q <= acc_next;
    end
    for (genvar p = 0; p < PE; p++) begin : gen_pe
      logic [ACC_BITS-1:0] acc_d;
      if (TWO) begin : gen_two
        headrace_accumulator #(.BITS(ACC_BITS)) u_sum (
          .acc(acc_q[p]), .clear(sum_first), .a(ACC_BITS'(sums[p])), .b(ACC_BITS'(more[p])),
          .carry_in(1'(p + 1 > ONE_FROM)), .sum(acc_d)
        );
      end else begin : gen_one
        assign acc_d = (sum_first ? '0 : acc_q[p]) + ACC_BITS'(sums[p]);
      end
      always_ff @(posedge ap_clk) if (en[p] && sum_valid) acc_q[p] <= acc_d;
    end
  end

  if (N > 0 && SERIAL) begin : gen_serial_thresholds
    logic unused_ahead;
    assign unused_ahead = ^{acc_next, load};
    headrace_serial_thresholds #(
      .PE(PE), .NF(NF), .N(N), .ACC_BITS(ACC_BITS), .O_BITS(O_BITS), .BASE(BASE), .FILE(FILE)
    ) u_thresholds (
      .ap_clk, .ap_rst_n, .en(en[0]), .acc(acc_q), .acc_valid(acc_valid_q), .y, .y_valid, .y_next
    );
  end else if (N > 0) begin : gen_thresholds
    logic [GROUP_BITS-1:0] group_q;
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) group_q <= '0;
      else if (en[0] && acc_next) group_q <= group_q == GROUP_BITS'(NF - 1) ? '0 : group_q + 1'b1;
    end
    localparam int unsigned DELAY = search_cycles(NF, $clog2(N + 1), ACC_BITS, ACC_BITS, WRITABLE);
    logic [DELAY:0] next;
    if (DELAY > 0) begin : gen_delay
      logic [DELAY-1:0] next_q;
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n) next_q <= '0;
        else if (en[0]) next_q <= next[DELAY-1:0];
      end
      assign next = {next_q, acc_next};
    end else begin : gen_at_once
      assign next = acc_next;
    end
    assign y_next = next[DELAY];
    headrace_thresholds #(
      .PE(PE), .NF(NF), .N(N), .ACC_BITS(ACC_BITS), .O_BITS(O_BITS), .BASE(BASE), .FILE(FILE),
      .WRITABLE(WRITABLE), .INDEX(INDEX)
    ) u_thresholds (
      .ap_clk, .ap_rst_n, .load, .en, .group(group_q), .acc(acc_q), .acc_valid(acc_valid_q), .y, .y_valid
    );
  end else begin : gen_raw
    logic unused_load;
    assign unused_load = ^load;
    assign y_next = acc_next;
    for (genvar p = 0; p < PE; p++) begin : gen_pe
      assign y[p*O_BITS+:O_BITS] = COUNTS ? O_BITS'(2 * 32'(acc_q[p]) - MATCHES) : O_BITS'(acc_q[p]);
    end
    assign y_valid = acc_valid_q;
  end

  if (!TWO || GROUPS > 0) begin : gen_no_more
    for (genvar p = 0; p < PE; p++) begin : gen_pe
      logic unused_more;
      assign unused_more = ^more[p];
    end
  end

  if (PE < 1 || NF < 1 || ACC_BITS < 1 || O_BITS < 1) begin : gen_check
    $error("accumulate: PE=%0d, NF=%0d, ACC_BITS=%0d and O_BITS=%0d must be at least 1", PE, NF, ACC_BITS, O_BITS);
  end

endmodule
