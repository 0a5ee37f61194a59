// High-water mark of a FIFO: the most words that were in it at once since the reset.
module headrace_shell_mark #(
  parameter int unsigned DEPTH = 32  // words of the FIFO; its registers hold up to three more
) (
  input  logic        ap_clk,    // clock
  input  logic        ap_rst_n,  // synchronous reset, active low
  input  logic        push,      // a word enters
  input  logic        pop,       // a word leaves
  output logic [31:0] mark       // most words at once
);

  // A word that leaves makes room for the one that enters in the same cycle.
  localparam int unsigned BITS = $clog2(DEPTH + 4);
  logic [BITS-1:0] level_q, mark_q;
  assign mark = 32'(mark_q);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      level_q <= '0;
      mark_q  <= '0;
    end else begin
      level_q <= level_q + BITS'(push) - BITS'(pop);
      if (level_q > mark_q) mark_q <= level_q;
    end
  end

endmodule
