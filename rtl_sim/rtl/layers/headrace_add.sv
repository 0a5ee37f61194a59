// Addition of two streams, element by element: y = left + right.
//
// O_BITS holds every sum.
module headrace_add import headrace_pkg::*; #(
  parameter int PE     = 2,        // elements per word
  parameter int L_BITS = 4,        // width of an element on the left
  parameter int L_KIND = SIGNED,   // its kind
  parameter int R_BITS = 3,        // width of an element on the right
  parameter int R_KIND = UNSIGNED, // its kind
  parameter int O_BITS = 5,        // width of a sum
  parameter int WORDS  = 1         // words per frame
) (
  input  logic                         ap_clk,          // clock
  input  logic                         ap_rst_n,        // synchronous reset, active low
  input  logic [(PE*L_BITS+7)/8*8-1:0] s0_axis_TDATA,   // PE elements on the left
  input  logic                         s0_axis_TVALID,  // they are there
  output logic                         s0_axis_TREADY,  // they are taken
  input  logic [(PE*R_BITS+7)/8*8-1:0] s1_axis_TDATA,   // PE elements on the right
  input  logic                         s1_axis_TVALID,  // they are there
  output logic                         s1_axis_TREADY,  // they are taken
  output logic [(PE*O_BITS+7)/8*8-1:0] m_axis_TDATA,    // PE sums
  output logic                         m_axis_TVALID,   // they are there
  input  logic                         m_axis_TREADY    // they are taken
);

  localparam int unsigned M_BITS = PE * O_BITS;

  logic [PE*L_BITS-1:0] left;
  logic [PE*R_BITS-1:0] right;
  logic [M_BITS-1:0]    sums;
  logic                 en, left_valid, right_valid;
  logic                 unused_pad;
  assign unused_pad = ^s0_axis_TDATA ^ ^s1_axis_TDATA;

  headrace_skid #(.BITS(PE * L_BITS)) u_left (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s0_axis_TDATA[PE*L_BITS-1:0]), .s_axis_TVALID(s0_axis_TVALID), .s_axis_TREADY(s0_axis_TREADY),
    .m_axis_TDATA(left), .m_axis_TVALID(left_valid), .m_axis_TREADY(en && right_valid)
  );
  headrace_skid #(.BITS(PE * R_BITS)) u_right (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s1_axis_TDATA[PE*R_BITS-1:0]), .s_axis_TVALID(s1_axis_TVALID), .s_axis_TREADY(s1_axis_TREADY),
    .m_axis_TDATA(right), .m_axis_TVALID(right_valid), .m_axis_TREADY(en && left_valid)
  );

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    logic [O_BITS-1:0] wide_left, wide_right;
    headrace_widen #(.FROM_BITS(L_BITS), .KIND(L_KIND), .TO_BITS(O_BITS)) u_left (
      .code(left[p*L_BITS+:L_BITS]), .value(wide_left)
    );
    headrace_widen #(.FROM_BITS(R_BITS), .KIND(R_KIND), .TO_BITS(O_BITS)) u_right (
      .code(right[p*R_BITS+:R_BITS]), .value(wide_right)
    );
    assign sums[p*O_BITS+:O_BITS] = wide_left + wide_right;
  end

  headrace_single_slice #(.BITS(M_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(sums), .s_axis_TVALID(left_valid && right_valid), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[M_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (M_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(M_BITS+7)/8*8-1:M_BITS] = '0;
  end

  if (PE < 1 || WORDS < 1) begin : gen_check
    $error("add: PE=%0d and WORDS=%0d must be at least 1", PE, WORDS);
  end

endmodule
