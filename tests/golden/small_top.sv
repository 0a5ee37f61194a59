// headrace, model 0123456789abcdef
//
// 4 streaming layers between two AXI4-Streams. A frame is 24 words on s_axis and 20 words on m_axis;
// frames follow one another without gaps. The slowest layer needs 60 cycles per frame:
//
//   layer  kind  cycles  PE  SIMD  core
//   fifo0  fifo      24   -     -
//   dwc0   dwc       24   -     -
//   fc0    mvtu      48   2     3  pairs
//   fc1    mvtu      60   1     2  pairs

/* verilator lint_off DECLFILENAME */ // the file is top.sv in every build
/* verilator lint_off PINCONNECTEMPTY */ // ports that a layer does not use
`default_nettype none

module accelerator #(
  parameter bit OBSERVE = 1'b0 // count the words in the FIFOs
) (
  input  wire        ap_clk,
  input  wire        ap_rst_n, // synchronous, active low

  // 24 words of 2 x uint4 per frame
  input  wire  [7:0] s_axis_TDATA,
  input  wire        s_axis_TVALID,
  output wire        s_axis_TREADY,

  // 20 words of 1 x [-18,18] per frame
  output wire  [7:0] m_axis_TDATA,
  output wire        m_axis_TVALID,
  input  wire        m_axis_TREADY,
  output wire        m_axis_TLAST, // on the last word of every frame

  // Most words that each FIFO held since the reset, 32 bits each, the first FIFO lowest; 0 unless OBSERVE.
  output wire [31:0] fifo_marks
);

  // fifo0: 24 words of 2 x uint4 per frame
  wire  [7:0] fifo0_TDATA;
  wire        fifo0_TVALID;
  wire        fifo0_TREADY;

  // dwc0: 16 words of 3 x uint4 per frame
  wire [15:0] dwc0_TDATA;
  wire        dwc0_TVALID;
  wire        dwc0_TREADY;

  // fc0: 12 words of 2 x uint2 per frame
  wire  [7:0] fc0_TDATA;
  wire        fc0_TVALID;
  wire        fc0_TREADY;

  // fc1: 20 words of 1 x [-18,18] per frame
  wire  [7:0] fc1_TDATA;
  wire        fc1_TVALID;
  wire        fc1_TREADY;

  // Every layer has a copy of the reset one cycle late, and the FIFOs behind it have that too. All leave it together.
  wire fifo0_rst_n;
  headrace_own_register #(.BITS(1)) u_fifo0_rst_n (.ap_clk (ap_clk), .clear (1'b0), .en (1'b1), .d (ap_rst_n), .q (fifo0_rst_n));
  wire dwc0_rst_n;
  headrace_own_register #(.BITS(1)) u_dwc0_rst_n (.ap_clk (ap_clk), .clear (1'b0), .en (1'b1), .d (ap_rst_n), .q (dwc0_rst_n));
  wire fc0_rst_n;
  headrace_own_register #(.BITS(1)) u_fc0_rst_n (.ap_clk (ap_clk), .clear (1'b0), .en (1'b1), .d (ap_rst_n), .q (fc0_rst_n));
  wire fc1_rst_n;
  headrace_own_register #(.BITS(1)) u_fc1_rst_n (.ap_clk (ap_clk), .clear (1'b0), .en (1'b1), .d (ap_rst_n), .q (fc1_rst_n));

  // Until then no word comes in and none leaves.
  wire s_axis_taken;
  assign s_axis_TREADY = s_axis_taken && fifo0_rst_n;
  assign m_axis_TVALID = fc1_TVALID && fc1_rst_n;

  // fifo0: fifo, 24 cycles per frame
  //   takes 24 words of 2 x uint4 per frame
  //   gives 24 words of 2 x uint4 per frame
  headrace_fifo #(
    .DEPTH  (8),
    .LANES  (2),
    .E_BITS (4),
    .WORDS  (24)
  ) u_fifo0 (
    .ap_clk        (ap_clk),
    .ap_rst_n      (fifo0_rst_n),
    .s_axis_TDATA  (s_axis_TDATA),
    .s_axis_TVALID (s_axis_TVALID),
    .s_axis_TREADY (s_axis_taken),
    .m_axis_TDATA  (fifo0_TDATA),
    .m_axis_TVALID (fifo0_TVALID),
    .m_axis_TREADY (fifo0_TREADY)
  );

  // dwc0: dwc, 24 cycles per frame
  //   takes 24 words of 2 x uint4 per frame
  //   gives 16 words of 3 x uint4 per frame
  headrace_dwc #(
    .IN_LANES  (2),
    .OUT_LANES (3),
    .E_BITS    (4),
    .WORDS     (24)
  ) u_dwc0 (
    .ap_clk        (ap_clk),
    .ap_rst_n      (dwc0_rst_n),
    .s_axis_TDATA  (fifo0_TDATA),
    .s_axis_TVALID (fifo0_TVALID),
    .s_axis_TREADY (fifo0_TREADY),
    .m_axis_TDATA  (dwc0_TDATA),
    .m_axis_TVALID (dwc0_TVALID),
    .m_axis_TREADY (dwc0_TREADY)
  );

  // fc0: mvtu, MW=12, MH=6, PE=2, SIMD=3, 48 cycles per frame
  //   takes 16 words of 3 x uint4 per frame
  //   gives 12 words of 2 x uint2 per frame
  //   holds weights 12 words of 12 bits (ternary), thresholds 12 words of 16 bits (int8)
  headrace_mvtu #(
    .MW              (12),
    .MH              (6),
    .PE              (2),
    .SIMD            (3),
    .VECTORS         (4),
    .W_BITS          (2),
    .W_KIND          (headrace_pkg::SIGNED),
    .A_BITS          (4),
    .A_KIND          (headrace_pkg::UNSIGNED),
    .ACC_BITS        (8),
    .N               (3),
    .O_BITS          (2),
    .CORE            (headrace_pkg::PAIRS),
    .WEIGHTS_FILE    ("fc0_weights.mem"),
    .THRESHOLDS_FILE ("fc0_thresholds.mem")
  ) u_fc0 (
    .ap_clk        (ap_clk),
    .ap_rst_n      (fc0_rst_n),
    .s_axis_TDATA  (dwc0_TDATA),
    .s_axis_TVALID (dwc0_TVALID),
    .s_axis_TREADY (dwc0_TREADY),
    .m_axis_TDATA  (fc0_TDATA),
    .m_axis_TVALID (fc0_TVALID),
    .m_axis_TREADY (fc0_TREADY),
    .load('0), .w_axis_TDATA('0), .w_axis_TVALID('0), .w_axis_TREADY() // not used
  );

  // fc1: mvtu, MW=6, MH=5, PE=1, SIMD=2, 60 cycles per frame
  //   takes 12 words of 2 x uint2 per frame
  //   gives 20 words of 1 x [-18,18] per frame
  //   holds weights 15 words of 2 bits (bipolar)
  headrace_mvtu #(
    .MW           (6),
    .MH           (5),
    .PE           (1),
    .SIMD         (2),
    .VECTORS      (4),
    .W_BITS       (1),
    .W_KIND       (headrace_pkg::BIPOLAR),
    .A_BITS       (2),
    .A_KIND       (headrace_pkg::UNSIGNED),
    .ACC_BITS     (5),
    .N            (0),
    .O_BITS       (6),
    .CORE         (headrace_pkg::PAIRS),
    .WEIGHTS_FILE ("fc1_weights.mem")
  ) u_fc1 (
    .ap_clk        (ap_clk),
    .ap_rst_n      (fc1_rst_n),
    .s_axis_TDATA  (fc0_TDATA),
    .s_axis_TVALID (fc0_TVALID),
    .s_axis_TREADY (fc0_TREADY),
    .m_axis_TDATA  (fc1_TDATA),
    .m_axis_TVALID (fc1_TVALID),
    .m_axis_TREADY (fc1_TREADY),
    .load('0), .w_axis_TDATA('0), .w_axis_TVALID('0), .w_axis_TREADY() // not used
  );

  // Words of the frame that follow the one on m_axis; the one counter that makes TLAST.
  localparam logic [4:0] LastWord = 5'd19;
  logic [4:0] words_left_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) words_left_q <= LastWord;
    else if (m_axis_TVALID && m_axis_TREADY) words_left_q <= m_axis_TLAST ? LastWord : words_left_q - 1'b1;
  end

  assign m_axis_TDATA  = fc1_TDATA;
  assign m_axis_TLAST  = words_left_q == '0;
  assign fc1_TREADY = m_axis_TREADY;

  if (OBSERVE) begin : gen_observe
    headrace_shell_mark #(.DEPTH(8)) u_fifo0_mark (
      .ap_clk (ap_clk),
      .ap_rst_n (fifo0_rst_n),
      .push (s_axis_TVALID && s_axis_TREADY),
      .pop (fifo0_TVALID && fifo0_TREADY),
      .mark (fifo_marks[0 +: 32])
    );
  end else begin : gen_no_observe
    assign fifo_marks = '0;
  end

endmodule

`default_nettype wire
