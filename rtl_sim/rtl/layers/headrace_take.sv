// Part of every frame: of its WORDS words the COUNT words from FIRST on go through, the others are dropped.
//
// Elements become narrower: the low bits of a code, or for bipolar its sign. A word that is dropped needs no room at
// the output.
module headrace_take import headrace_pkg::*; #(
  parameter int WORDS  = 4,       // words in per frame
  parameter int FIRST  = 1,       // words in front of those that are taken
  parameter int COUNT  = 2,       // words that are taken
  parameter int PE     = 2,       // elements per word
  parameter int I_BITS = 4,       // width of an element in
  parameter int O_BITS = 3,       // width of an element out
  parameter int O_KIND = UNSIGNED // its kind, if it is narrower than the element in
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*I_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*O_BITS+7)/8*8-1:0] m_axis_TDATA,   // PE elements
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned IN_BITS   = PE * I_BITS;
  localparam int unsigned OUT_BITS  = PE * O_BITS;
  localparam int unsigned WORD_BITS = index_bits(WORDS);

  logic [IN_BITS-1:0]   word;
  logic [OUT_BITS-1:0]  narrow;
  logic                 word_valid, word_ready, taken, en;
  logic [WORD_BITS-1:0] word_q;
  logic                 unused_bits;
  assign unused_bits = ^s_axis_TDATA ^ ^word;

  headrace_skid #(.BITS(IN_BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[IN_BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
  );

  if (FIRST == 0 && COUNT == WORDS) begin : gen_all
    assign taken = 1'b1;
  end else if (FIRST == 0) begin : gen_front
    assign taken = word_q < WORD_BITS'(COUNT);
  end else if (FIRST + COUNT == WORDS) begin : gen_back
    assign taken = word_q >= WORD_BITS'(FIRST);
  end else begin : gen_middle
    assign taken = word_q >= WORD_BITS'(FIRST) && word_q < WORD_BITS'(FIRST + COUNT);
  end
  assign word_ready = en || !taken;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) word_q <= '0;
    else if (word_valid && word_ready) word_q <= word_q == WORD_BITS'(WORDS - 1) ? '0 : word_q + 1'b1;
  end

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    if (O_KIND == BIPOLAR) begin : gen_sign
      assign narrow[p*O_BITS+:O_BITS] = O_BITS'(!word[p*I_BITS+I_BITS-1]);
    end else begin : gen_low
      assign narrow[p*O_BITS+:O_BITS] = word[p*I_BITS+:O_BITS];
    end
  end

  headrace_single_slice #(.BITS(OUT_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(narrow), .s_axis_TVALID(word_valid && taken), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[OUT_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (OUT_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(OUT_BITS+7)/8*8-1:OUT_BITS] = '0;
  end

  if (PE < 1 || FIRST < 0 || COUNT < 1 || FIRST + COUNT > WORDS || O_BITS > I_BITS) begin : gen_check
    $error("take: %0d words from FIRST=%0d on must lie in WORDS=%0d, and O_BITS=%0d be at most I_BITS=%0d",
           COUNT, FIRST, WORDS, O_BITS, I_BITS);
  end

endmodule
