// Vector-vector-threshold unit for depthwise convolutions: y_c = BASE + #{k : acc_c >= T_ck}, or acc_c itself
// where N is 0, with acc_c = sum over taps of w_ct * x_tc.
//
// PE channels and SIMD taps per cycle: SF = TAPS/SIMD words make a group of channels, NF = CHANNELS/PE groups a window.
// Every word in is used once, so a window takes NF*SF cycles. A word in holds lanes [SIMD][PE], the taps outside, as a
// sliding window of PE channels emits them. Two bipolar operands count XNOR matches: acc = 2 * matches - TAPS; their
// thresholds stand on the matches. Weight word nf*SF + sf holds lanes [PE][SIMD], threshold word nf lanes [PE][N].
// What follows the operands is headrace_rows.sv; the enable of its pipeline is the ready of the input.
module headrace_vvtu import headrace_pkg::*; #(
  parameter int    CHANNELS        = 4,        // channels
  parameter int    TAPS            = 9,        // taps of a kernel
  parameter int    PE              = 2,        // channels per cycle
  parameter int    SIMD            = 3,        // taps per cycle
  parameter int    WINDOWS         = 1,        // windows per frame
  parameter int    W_BITS          = 2,        // width of a weight
  parameter int    W_KIND          = SIGNED,   // kind of the weights
  parameter int    A_BITS          = 2,        // width of an activation
  parameter int    A_KIND          = UNSIGNED, // kind of the activations
  parameter int    ACC_BITS        = 8,        // width of accumulators and thresholds, two's complement
  parameter int    N               = 3,        // thresholds per channel; 0: raw accumulators
  parameter int    O_BITS          = 2,        // width of an output code
  // Options, left out where they are not used:
  parameter int    BASE            = 0,        // output for a count of zero
  parameter int    SERIAL          = 0,        // one comparator searches all thresholds in turn; 0: a pipeline
  parameter int    CORE            = PLAIN,    // arithmetic, as of dot_product
  parameter string WEIGHTS_FILE    = "",       // weight memory
  parameter string THRESHOLDS_FILE = "",       // threshold memory
  parameter bit    WRITABLE        = 0,        // the processor can write both memories
  parameter bit    URAM            = 0,        // weights in UltraRAM, where they are writable
  parameter shortint FIRST_MEMORY  = 0         // number of the weight memory on the bus `load`; the thresholds follow
) (
  input  logic                              ap_clk,         // clock
  input  logic                              ap_rst_n,       // synchronous reset, active low
  input  load_t                             load,           // new words where WRITABLE (headrace_memory_port.sv)
  input  logic [(PE*SIMD*A_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE*SIMD activations
  input  logic                              s_axis_TVALID,  // activations are there
  output logic                              s_axis_TREADY,  // activations are taken
  output logic [(PE*O_BITS+7)/8*8-1:0]      m_axis_TDATA,   // PE results
  output logic                              m_axis_TVALID,  // results are there
  input  logic                              m_axis_TREADY   // results are taken
);

  localparam int unsigned SF        = TAPS / SIMD;
  localparam int unsigned NF        = CHANNELS / PE;
  localparam int unsigned SF_BITS   = index_bits(SF);
  localparam int unsigned ADDR_BITS = index_bits(SF * NF);
  localparam int unsigned S_BITS    = PE * SIMD * A_BITS;

  logic en;  // the pipeline moves
  logic issue, unused_pad;
  assign s_axis_TREADY = en;
  assign issue         = s_axis_TVALID && en;
  assign unused_pad    = ^s_axis_TDATA;

  // Issue: one weight word and one activation word per cycle.
  logic [SF_BITS-1:0]   sf_q;
  logic [ADDR_BITS-1:0] addr_q;
  logic                 sf_first, sf_last;
  assign sf_first = sf_q == '0;
  assign sf_last  = sf_q == SF_BITS'(SF - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      sf_q   <= '0;
      addr_q <= '0;
    end else if (issue) begin
      sf_q   <= sf_last ? '0 : sf_q + 1'b1;
      addr_q <= addr_q == ADDR_BITS'(SF * NF - 1) ? '0 : addr_q + 1'b1;
    end
  end

  // Read: weights and activations, two registers each, the latter turned to lanes [PE][SIMD].
  logic [PE*SIMD*W_BITS-1:0] weights;
  logic [S_BITS-1:0]         word_q, acts_q;

  headrace_weights #(
    .DEPTH(SF * NF), .BITS(PE * SIMD * W_BITS), .FILE(WEIGHTS_FILE), .WRITABLE(WRITABLE), .URAM(URAM),
    .INDEX(32'(FIRST_MEMORY))
  ) u_weights (
    .ap_clk, .ap_rst_n, .load, .en, .step(issue), .address(addr_q), .data(weights)
  );

  always_ff @(posedge ap_clk) begin
    if (en) begin
      word_q <= s_axis_TDATA[S_BITS-1:0];
      for (int unsigned p = 0; p < PE; p++) begin
        for (int unsigned s = 0; s < SIMD; s++) begin
          acts_q[(p*SIMD+s)*A_BITS+:A_BITS] <= word_q[(s*PE+p)*A_BITS+:A_BITS];
        end
      end
    end
  end

  headrace_rows #(
    .PE(PE), .SIMD(SIMD), .NF(NF), .COLUMNS(TAPS), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND),
    .A_ROWS(PE), .ACC_BITS(ACC_BITS), .N(N), .O_BITS(O_BITS), .BASE(BASE), .SERIAL(SERIAL), .CORE(CORE),
    .THRESHOLDS_FILE(THRESHOLDS_FILE), .WRITABLE(WRITABLE), .INDEX(32'(FIRST_MEMORY) + 1)
  ) u_rows (
    .ap_clk, .ap_rst_n, .load, .en, .issue, .first(sf_first), .last(sf_last), .weights, .acts(acts_q),
    .m_axis_TDATA, .m_axis_TVALID, .m_axis_TREADY
  );

  if (TAPS % SIMD != 0) begin : gen_check_simd
    $error("vvtu: SIMD=%0d must divide TAPS=%0d", SIMD, TAPS);
  end
  if (CHANNELS % PE != 0) begin : gen_check_pe
    $error("vvtu: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (WINDOWS < 1) begin : gen_check_windows
    $error("vvtu: WINDOWS=%0d must be at least 1", WINDOWS);
  end

endmodule
