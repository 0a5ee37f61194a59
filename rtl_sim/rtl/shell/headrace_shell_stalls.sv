// Counters of the cycles in which the accelerator or its neighbours wait; they wrap.
module headrace_shell_stalls (
  input  logic        ap_clk,       // clock
  input  logic        ap_rst_n,     // synchronous reset, active low
  input  logic        clear,        // all begin at 0 again
  input  logic        in_valid,     // a word is offered to the accelerator
  input  logic        in_ready,     // the accelerator takes a word
  input  logic        out_valid,    // the accelerator offers a word
  input  logic        out_ready,    // the word is taken
  input  logic        weights_wait, // the accelerator waits for weights from outside
  output logic [31:0] in_stalls,    // cycles in which it does not take the word at its input
  output logic [31:0] in_waits,     // cycles in which it has no word at its input
  output logic [31:0] out_stalls,   // cycles in which nobody takes its word
  output logic [31:0] weight_waits  // cycles in which it waits for weights
);

  logic [31:0] in_stalls_q, in_waits_q, out_stalls_q, weight_waits_q;
  logic        in_stall_q, in_wait_q, out_stall_q, weight_wait_q;

  always_ff @(posedge ap_clk) begin
    in_stall_q    <= in_valid && !in_ready && !clear;
    in_wait_q     <= !in_valid && in_ready && !clear;
    out_stall_q   <= out_valid && !out_ready && !clear;
    weight_wait_q <= weights_wait && !clear;
    if (!ap_rst_n || clear) begin
      in_stalls_q    <= '0;
      in_waits_q     <= '0;
      out_stalls_q   <= '0;
      weight_waits_q <= '0;
    end else begin
      in_stalls_q    <= in_stalls_q + 32'(in_stall_q);
      in_waits_q     <= in_waits_q + 32'(in_wait_q);
      out_stalls_q   <= out_stalls_q + 32'(out_stall_q);
      weight_waits_q <= weight_waits_q + 32'(weight_wait_q);
    end
  end

  assign in_stalls    = in_stalls_q;
  assign in_waits     = in_waits_q;
  assign out_stalls   = out_stalls_q;
  assign weight_waits = weight_waits_q;

endmodule
