// The output slice of a matrix unit, whose ready is the enable of its pipeline, and the bytes around its bits.
//
// SPACED: results never follow each other directly, so that one register holds them.
module headrace_result_slice #(
  parameter int unsigned BITS   = 8,  // width of a result
  parameter bit          SPACED = 1   // a result is not followed by another in the next enabled cycle
) (
  input  logic                    ap_clk,         // clock
  input  logic                    ap_rst_n,       // synchronous reset, active low
  input  logic [BITS-1:0]         y,              // result
  input  logic                    y_valid,        // it is there
  input  logic                    y_next,         // it is there after the next enabled cycle
  output logic                    en,             // moves the pipeline by one
  output logic                    en_next,        // en after this cycle, but for a reset
  output logic [(BITS+7)/8*8-1:0] m_axis_TDATA,   // result in whole bytes
  output logic                    m_axis_TVALID,  // it is there
  input  logic                    m_axis_TREADY   // it is taken
);

  if (SPACED) begin : gen_spaced
    headrace_spaced_slice #(.BITS(BITS)) u_out (
      .ap_clk, .ap_rst_n, .y, .y_valid, .y_next, .en, .en_next,
      .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
    );
  end else begin : gen_skid
    logic unused_next;
    assign unused_next = y_next;
    // What the ready of the slice becomes, as its full second register means that it is not ready.
    assign en_next     = m_axis_TREADY || !m_axis_TVALID || (en && !y_valid);
    headrace_skid #(.BITS(BITS)) u_out (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA(y), .s_axis_TVALID(y_valid), .s_axis_TREADY(en),
      .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
    );
  end
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (BITS < 1) begin : gen_check
    $error("result_slice: BITS=%0d must be at least 1", BITS);
  end

endmodule
