// Output register behind a pipeline whose results never follow each other directly, with the pipeline's enable.
//
// `en` comes from a flip-flop: it falls for the cycles in which a result stands at the input and the register is full,
// so that a result in every second cycle passes without a bubble, and a blocked output stops the pipeline no sooner
// than at the next result. Unlike a skid buffer it has no multiplexer. Copies of `en` are registers of `en_next`.
// Invariant: en && y_valid implies that the register is free.
module headrace_spaced_slice #(
  parameter int unsigned BITS = 8  // width of a word
) (
  input  logic            ap_clk,         // clock
  input  logic            ap_rst_n,       // synchronous reset, active low
  input  logic [BITS-1:0] y,              // result of the pipeline
  input  logic            y_valid,        // it is there
  input  logic            y_next,         // one is there after the next enabled cycle
  output logic            en,             // the pipeline moves
  output logic            en_next,        // en after this cycle, but for a reset
  output logic [BITS-1:0] m_axis_TDATA,   // word out
  output logic            m_axis_TVALID,  // word out is there
  input  logic            m_axis_TREADY   // word out is taken
);

  (* max_fanout = 256 *)  // of a large pipeline Vivado makes copies of it
  logic            en_q;
  logic            full_q, full_d;
  logic [BITS-1:0] data_q;

  assign full_d  = (en_q && y_valid) || (full_q && !m_axis_TREADY);
  assign en_next = !(full_d && (en_q ? y_next : y_valid));

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      en_q   <= 1'b0;
      full_q <= 1'b0;
    end else begin
      en_q   <= en_next;
      full_q <= full_d;
    end
  end
  always_ff @(posedge ap_clk) if (en_q && y_valid) data_q <= y;

  assign en            = en_q;
  assign m_axis_TDATA  = data_q;
  assign m_axis_TVALID = full_q;

  if (BITS < 1) begin : gen_check
    $error("spaced_slice: BITS=%0d must be at least 1", BITS);
  end

endmodule
