// Weights that come as a stream, a word for each word of activations; data is the word two enabled cycles after it was
// taken, or three where LATE.
module headrace_weight_stream #(
  parameter int unsigned BITS = 8,  // width of a word
  parameter bit          LATE = 0   // its activations are an enabled cycle later
) (
  input  logic                    ap_clk,         // clock
  input  logic                    ap_rst_n,       // synchronous reset, active low
  input  logic [(BITS+7)/8*8-1:0] w_axis_TDATA,   // weights in whole bytes
  input  logic                    w_axis_TVALID,  // weights are there
  output logic                    w_axis_TREADY,  // weights are taken
  input  logic                    en,             // moves the pipeline by one
  input  logic                    wanted,         // activations are there
  output logic                    valid,          // weights are there for them
  output logic [BITS-1:0]         data            // weights
);

  logic [BITS-1:0] fresh, fresh_q, data_q;
  headrace_skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(w_axis_TDATA[BITS-1:0]), .s_axis_TVALID(w_axis_TVALID), .s_axis_TREADY(w_axis_TREADY),
    .m_axis_TDATA(fresh), .m_axis_TVALID(valid), .m_axis_TREADY(en && wanted)
  );
  always_ff @(posedge ap_clk) begin
    if (en) begin
      fresh_q <= fresh;
      data_q  <= fresh_q;
    end
  end
  if (LATE) begin : gen_late  // a reset keeps it out of LUTs that shift
    headrace_tags #(.BITS(BITS), .CYCLES(1)) u_late (.ap_clk, .ap_rst_n, .en, .tag_in(data_q), .tag_out(data));
  end else begin : gen_direct
    assign data = data_q;
  end

  if (BITS % 8 != 0) begin : gen_pad
    logic unused_pad;
    assign unused_pad = ^w_axis_TDATA[(BITS+7)/8*8-1:BITS];
  end

endmodule
