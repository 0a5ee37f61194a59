// Fork: every word goes to OUTPUTS streams, each of which takes it at its own time.
//
// A word leaves the input slice when every branch has taken it into its own slice. The ports of branches from OUTPUTS
// on stay open. The name is a keyword, hence the backslash.
module \fork #(
  parameter int OUTPUTS = 2, // branches, 2 to 8
  parameter int PE      = 2, // elements per word
  parameter int E_BITS  = 4, // width of an element
  parameter int WORDS   = 1  // words per frame
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*E_BITS+7)/8*8-1:0] m0_axis_TDATA, m1_axis_TDATA, m2_axis_TDATA, m3_axis_TDATA,     // the same word
                                       m4_axis_TDATA, m5_axis_TDATA, m6_axis_TDATA, m7_axis_TDATA,
  output logic                         m0_axis_TVALID, m1_axis_TVALID, m2_axis_TVALID, m3_axis_TVALID, // it is there
                                       m4_axis_TVALID, m5_axis_TVALID, m6_axis_TVALID, m7_axis_TVALID,
  input  logic                         m0_axis_TREADY, m1_axis_TREADY, m2_axis_TREADY, m3_axis_TREADY, // it is taken
                                       m4_axis_TREADY, m5_axis_TREADY, m6_axis_TREADY, m7_axis_TREADY
);

  localparam int unsigned BITS = PE * E_BITS;
  localparam int unsigned TDATA_BITS = (BITS + 7) / 8 * 8;

  logic [BITS-1:0] word;
  logic            word_valid, word_ready;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
  );

  logic [OUTPUTS-1:0] room;     // the branch takes a word
  logic [OUTPUTS-1:0] taken_q;  // it has taken the one in the input slice

  assign word_ready = &(taken_q | room);
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) taken_q <= '0;
    else if (word_valid) taken_q <= word_ready ? '0 : taken_q | room;
  end

  logic [8*TDATA_BITS-1:0] data;
  logic [7:0]              valid, ready;

  assign ready = {m7_axis_TREADY, m6_axis_TREADY, m5_axis_TREADY, m4_axis_TREADY,
                  m3_axis_TREADY, m2_axis_TREADY, m1_axis_TREADY, m0_axis_TREADY};
  assign {m7_axis_TVALID, m6_axis_TVALID, m5_axis_TVALID, m4_axis_TVALID,
          m3_axis_TVALID, m2_axis_TVALID, m1_axis_TVALID, m0_axis_TVALID} = valid;
  assign {m7_axis_TDATA, m6_axis_TDATA, m5_axis_TDATA, m4_axis_TDATA,
          m3_axis_TDATA, m2_axis_TDATA, m1_axis_TDATA, m0_axis_TDATA} = data;

  for (genvar b = 0; b < 8; b++) begin : gen_branch
    if (b < OUTPUTS) begin : gen_used
      logic [BITS-1:0] copy;
      skid #(.BITS(BITS)) u_out (
        .ap_clk, .ap_rst_n,
        .s_axis_TDATA(word), .s_axis_TVALID(word_valid && !taken_q[b]), .s_axis_TREADY(room[b]),
        .m_axis_TDATA(copy), .m_axis_TVALID(valid[b]), .m_axis_TREADY(ready[b])
      );
      assign data[b*TDATA_BITS+:TDATA_BITS] = TDATA_BITS'(copy);
    end else begin : gen_open
      logic unused_ready;
      assign unused_ready                   = ready[b];
      assign valid[b]                       = 1'b0;
      assign data[b*TDATA_BITS+:TDATA_BITS] = '0;
    end
  end

  if (OUTPUTS < 2 || OUTPUTS > 8 || WORDS < 1) begin : gen_check
    $error("fork: OUTPUTS=%0d must lie between 2 and 8, and WORDS=%0d must be at least 1", OUTPUTS, WORDS);
  end

endmodule
