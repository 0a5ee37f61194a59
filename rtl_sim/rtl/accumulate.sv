// Accumulators and activation: acc[p] = sum of sums[p] from sum_first to sum_last, then y[p] = BASE + #{k : acc >= T[k]},
// or acc[p] itself where N is 0.
//
// MATCHES > 0: the sums count matches out of so many, and the raw result is 2 * acc - MATCHES. Row groups follow in order.
module accumulate #(
  parameter int unsigned PE       = 2,  // rows at a time
  parameter int unsigned NF       = 2,  // row groups
  parameter int unsigned MATCHES  = 0,  // summands of a row that are matches; 0: ordinary sums
  parameter int unsigned ACC_BITS = 8,  // width of accumulators and thresholds, two's complement
  parameter int unsigned N        = 3,  // thresholds per row; 0: raw accumulators
  parameter int unsigned O_BITS   = 2,  // width of an output code
  parameter int          BASE     = 0,  // output for a count of zero
  parameter string       FILE     = ""  // one word of thresholds [PE][N] per row group
) (
  input  logic                       ap_clk,     // clock
  input  logic                       ap_rst_n,   // synchronous reset, active low
  input  logic                       en,         // moves the pipeline by one
  input  logic signed [ACC_BITS-1:0] sums [PE],  // parts of the rows
  input  logic                       sum_valid,  // parts are there
  input  logic                       sum_first,  // the first ones of their rows
  input  logic                       sum_last,   // the last ones
  output logic [PE*O_BITS-1:0]       y,          // codes
  output logic                       y_valid     // codes are there
);

  logic signed [ACC_BITS-1:0] acc_q [PE];
  logic                       acc_valid_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) acc_valid_q <= 1'b0;
    else if (en) acc_valid_q <= sum_valid && sum_last;
  end
  always_ff @(posedge ap_clk) begin
    if (en && sum_valid) begin
      for (int unsigned p = 0; p < PE; p++) begin
        acc_q[p] <= (sum_first ? '0 : acc_q[p]) + sums[p];
      end
    end
  end

  if (N > 0) begin : gen_thresholds
    localparam int unsigned GROUP_BITS = NF > 1 ? $clog2(NF) : 1;
    logic [GROUP_BITS-1:0] group_q;
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) group_q <= '0;
      else if (en && sum_valid && sum_last) group_q <= group_q == GROUP_BITS'(NF - 1) ? '0 : group_q + 1'b1;
    end
    thresholds #(
      .PE(PE), .NF(NF), .N(N), .ACC_BITS(ACC_BITS), .O_BITS(O_BITS), .BASE(BASE), .FILE(FILE)
    ) u_thresholds (
      .ap_clk, .ap_rst_n, .en, .group(group_q), .acc(acc_q), .acc_valid(acc_valid_q), .y, .y_valid
    );
  end else begin : gen_raw
    for (genvar p = 0; p < PE; p++) begin : gen_pe
      assign y[p*O_BITS+:O_BITS] = MATCHES > 0 ? O_BITS'(2 * 32'(acc_q[p]) - MATCHES) : O_BITS'(acc_q[p]);
    end
    assign y_valid = acc_valid_q;
  end

  if (PE < 1 || NF < 1 || ACC_BITS < 1 || O_BITS < 1) begin : gen_check
    $error("accumulate: PE=%0d, NF=%0d, ACC_BITS=%0d and O_BITS=%0d must be at least 1", PE, NF, ACC_BITS, O_BITS);
  end

endmodule
