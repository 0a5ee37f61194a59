// Every element complemented, one word per cycle.
module headrace_toy #(
  parameter int LANES  = 2,  // elements per word
  parameter int E_BITS = 4,  // width of an element
  parameter int WORDS  = 1   // words per frame
) (
  input  logic                             ap_clk,         // clock
  input  logic                             ap_rst_n,       // synchronous reset, active low
  input  logic [(LANES*E_BITS+7)/8*8-1:0]  s_axis_TDATA,   // LANES elements
  input  logic                             s_axis_TVALID,  // word in is there
  output logic                             s_axis_TREADY,  // word in is taken
  output logic [(LANES*E_BITS+7)/8*8-1:0]  m_axis_TDATA,   // LANES elements
  output logic                             m_axis_TVALID,  // word out is there
  input  logic                             m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS = LANES * E_BITS;

  headrace_skid #(.BITS(BITS)) u_slice (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(~s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (LANES < 1 || E_BITS < 1 || WORDS < 1) begin : gen_check
    $error("toy: LANES=%0d, E_BITS=%0d and WORDS=%0d must be at least 1", LANES, E_BITS, WORDS);
  end

endmodule
