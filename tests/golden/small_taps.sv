// headrace, model 0123456789abcdef
//
// Simulation only: the accelerator with a recorder on every stream.
/* verilator lint_off PINCONNECTEMPTY */ // high-water marks

module taps (
  input  logic ap_clk,
  input  logic ap_rst_n,
  input  logic close_files, // 1 for one cycle: the records end

  input  logic [7:0] s_axis_TDATA,
  input  logic s_axis_TVALID,
  output logic s_axis_TREADY,

  output logic [7:0] m_axis_TDATA,
  output logic m_axis_TVALID,
  input  logic m_axis_TREADY,
  output logic m_axis_TLAST,

  output logic [31:0] words_sent,  // accepted on m_axis since reset
  output logic [31:0] idle_cycles, // since the last word on any stream

  // One bit per stream, in the order of streams.json.
  output logic [4:0] stream_valid,
  output logic [4:0] stream_ready
);

  logic [31:0] cycle_q; // since reset

  accelerator dut (
    .ap_clk,
    .ap_rst_n,
    .s_axis_TDATA,
    .s_axis_TVALID,
    .s_axis_TREADY,
    .m_axis_TDATA,
    .m_axis_TVALID,
    .m_axis_TREADY,
    .m_axis_TLAST,
    .fifo_marks ()
  );

  always_ff @(posedge ap_clk) begin
    cycle_q <= ap_rst_n ? cycle_q + 1 : '0;
    if (!ap_rst_n || (stream_valid & stream_ready) != '0) idle_cycles <= '0;
    else idle_cycles <= idle_cycles + 1;
    if (!ap_rst_n) words_sent <= '0;
    else if (m_axis_TVALID && m_axis_TREADY) words_sent <= words_sent + 1;
  end

  assign stream_valid[0] = s_axis_TVALID;
  assign stream_ready[0] = s_axis_TREADY;
  stream_tap #(
    .BYTES (1),
    .FILE  ("s_axis.rec")
  ) tap_s_axis (
    .clk   (ap_clk),
    .rst_n (ap_rst_n),
    .close (close_files),
    .cycle (cycle_q),
    .data  (s_axis_TDATA),
    .valid (stream_valid[0]),
    .ready (stream_ready[0])
  );

  assign stream_valid[1] = dut.fifo0_TVALID;
  assign stream_ready[1] = dut.fifo0_TREADY;
  stream_tap #(
    .BYTES (1),
    .FILE  ("fifo0.rec")
  ) tap_fifo0 (
    .clk   (ap_clk),
    .rst_n (dut.fifo0_rst_n),
    .close (close_files),
    .cycle (cycle_q),
    .data  (dut.fifo0_TDATA),
    .valid (stream_valid[1]),
    .ready (stream_ready[1])
  );

  assign stream_valid[2] = dut.dwc0_TVALID;
  assign stream_ready[2] = dut.dwc0_TREADY;
  stream_tap #(
    .BYTES (2),
    .FILE  ("dwc0.rec")
  ) tap_dwc0 (
    .clk   (ap_clk),
    .rst_n (dut.dwc0_rst_n),
    .close (close_files),
    .cycle (cycle_q),
    .data  (dut.dwc0_TDATA),
    .valid (stream_valid[2]),
    .ready (stream_ready[2])
  );

  assign stream_valid[3] = dut.fc0_TVALID;
  assign stream_ready[3] = dut.fc0_TREADY;
  stream_tap #(
    .BYTES (1),
    .FILE  ("fc0.rec")
  ) tap_fc0 (
    .clk   (ap_clk),
    .rst_n (dut.fc0_rst_n),
    .close (close_files),
    .cycle (cycle_q),
    .data  (dut.fc0_TDATA),
    .valid (stream_valid[3]),
    .ready (stream_ready[3])
  );

  assign stream_valid[4] = m_axis_TVALID;
  assign stream_ready[4] = m_axis_TREADY;
  stream_tap #(
    .BYTES (2),
    .FILE  ("fc1.rec")
  ) tap_fc1 (
    .clk   (ap_clk),
    .rst_n (ap_rst_n),
    .close (close_files),
    .cycle (cycle_q),
    .data  ({7'b0, m_axis_TLAST, m_axis_TDATA}),
    .valid (stream_valid[4]),
    .ready (stream_ready[4])
  );

endmodule
