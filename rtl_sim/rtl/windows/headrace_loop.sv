// A counter of SIZE turns of a loop. That the turn is the last one is known in a register, so that
// what follows depends on few of them.
module headrace_loop import headrace_pkg::*; #(
  parameter int SIZE = 4  // turns
) (
  input  logic ap_clk,    // clock
  input  logic ap_rst_n,  // synchronous reset, active low
  input  logic turn,      // the next turn
  output logic last       // the turn is the last one
);

  localparam int BITS = index_bits(SIZE);

  logic [BITS-1:0] count_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) count_q <= '0;
    else if (turn) count_q <= last ? '0 : count_q + 1'b1;
  end

  if (SIZE > 2) begin : gen_known
    logic last_q;
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) last_q <= 1'b0;
      else if (turn) last_q <= count_q == BITS'(SIZE - 2);
    end
    assign last = last_q;
  end else begin : gen_few
    assign last = count_q == BITS'(SIZE - 1);
  end

  if (SIZE < 1) begin : gen_check
    $error("loop: SIZE=%0d must be at least 1", SIZE);
  end

endmodule
