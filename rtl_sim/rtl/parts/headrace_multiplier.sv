// product = a * b + c in two's complement, three enabled cycles after a and b and two after c: registers of the
// operands, of the product and of the sum.
//
// HEADRACE_PRIMITIVES puts all of them into one DSP48E2, whose synthesis by inference leaves registers outside. BLOCK is
// 0 where the factors are so narrow that LUTs multiply them; those that no block holds are left to synthesis too, and all with HEADRACE_SERIES7.
module headrace_multiplier #(
  parameter int unsigned A_BITS = 8,   // width of a factor
  parameter int unsigned B_BITS = 8,   // width of the other one
  parameter int unsigned C_BITS = 1,   // width of the addend
  parameter int unsigned P_BITS = 16,  // width of the result, which is cut to it
  parameter bit          BLOCK  = 1    // the factors are worth a DSP block
) (
  input  logic                     ap_clk,  // clock
  input  logic                     en,      // moves the pipeline by one
  input  logic signed [A_BITS-1:0] a,       // factor
  input  logic signed [B_BITS-1:0] b,       // factor
  input  logic signed [C_BITS-1:0] c,       // addend of the factors of the enabled cycle before
  output logic signed [P_BITS-1:0] product  // a * b + c modulo 2^P_BITS
);

  localparam int unsigned WIDE   = 27;  // widths of a block's factors and of its sum
  localparam int unsigned NARROW = 18;
  localparam int unsigned SUM    = 48;
`ifdef HEADRACE_SERIES7
  localparam bit CELLS = 0;
`elsif HEADRACE_PRIMITIVES
  localparam bit CELLS = 1;
`else
  localparam bit CELLS = 0;
`endif
  localparam bit CELL = CELLS && BLOCK && A_BITS <= WIDE && B_BITS <= NARROW && C_BITS <= SUM && P_BITS <= SUM;

  if (CELL) begin : gen_cell
`ifdef HEADRACE_PRIMITIVES
    logic [SUM-1:0] p;
    assign product = p[P_BITS-1:0];
    if (P_BITS < SUM) begin : gen_cut
      logic unused_high;
      assign unused_high = ^p[SUM-1:P_BITS];
    end
    DSP48E2 #(
      .AREG(1), .ACASCREG(1), .BREG(1), .BCASCREG(1), .CREG(1), .MREG(1), .PREG(1), .ALUMODEREG(0), .CARRYINREG(0),
      .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
    ) u_block (
      .CLK(ap_clk), .A(30'(a)), .B(18'(b)), .C(48'(c)), .D('0), .P(p),
      .OPMODE(9'b000110101), .ALUMODE('0), .INMODE('0), .CARRYIN(1'b0), .CARRYINSEL('0),  // P = C + M
      .CEA1(1'b0), .CEA2(en), .CEB1(1'b0), .CEB2(en), .CEC(en), .CEM(en), .CEP(en), .CEAD(1'b0), .CED(1'b0),
      .CEALUMODE(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b0), .CEINMODE(1'b0),
      .RSTA(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTD(1'b0), .RSTM(1'b0), .RSTP(1'b0), .RSTALLCARRYIN(1'b0),
      .RSTALUMODE(1'b0), .RSTCTRL(1'b0), .RSTINMODE(1'b0),
      .ACIN('0), .BCIN('0), .PCIN('0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0)
    );
`endif
  end else begin : gen_inferred
    logic signed [A_BITS-1:0] a_q;
    logic signed [B_BITS-1:0] b_q;
    logic signed [P_BITS-1:0] c_q, m_q, p_q;
    always_ff @(posedge ap_clk) begin
      if (en) begin
        a_q <= a;
        b_q <= b;
        c_q <= P_BITS'(c);
        m_q <= P_BITS'(a_q * b_q);
        p_q <= m_q + c_q;
      end
    end
    assign product = p_q;
  end

  if (A_BITS < 1 || B_BITS < 1 || C_BITS < 1 || P_BITS < 1) begin : gen_check
    $error("multiplier: A_BITS=%0d, B_BITS=%0d, C_BITS=%0d and P_BITS=%0d must be at least 1", A_BITS, B_BITS, C_BITS,
           P_BITS);
  end

endmodule
