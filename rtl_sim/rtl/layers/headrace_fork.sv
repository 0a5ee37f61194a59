// Fork: every word goes to OUTPUTS streams, each of which takes it at its own time.
//
// A register slice of two words (headrace_skid.sv), whose word out is valid for each branch until the branch has taken
// it; it leaves when the last one does. The ports of branches from OUTPUTS on stay open.
// Invariants: ready_q implies that spare_q is free; spare_q is used only while data_q is blocked; order is kept.
module headrace_fork #(
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

  logic               ready_q, take, move;
  logic               spare_full_d, spare_full_q;
  logic [OUTPUTS-1:0] valid_q, waits;  // of the branches: the word out is there, and stays
  logic [BITS-1:0]    data_q, spare_q;
  logic [7:0]         valid, ready;
  logic               unused_pad;
  assign unused_pad = ^s_axis_TDATA ^ ^ready;

  assign take         = s_axis_TVALID && ready_q;
  assign waits        = valid_q & ~ready[OUTPUTS-1:0];
  assign move         = waits == '0;
  assign spare_full_d = !move && (spare_full_q || take);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      ready_q      <= 1'b0;
      valid_q      <= '0;
      spare_full_q <= 1'b0;
    end else begin
      ready_q      <= !spare_full_d;
      spare_full_q <= spare_full_d;
      valid_q      <= move ? {OUTPUTS{spare_full_q || take}} : waits;
    end
  end
  always_ff @(posedge ap_clk) begin
    if (ready_q) spare_q <= s_axis_TDATA[BITS-1:0];
    if (move) data_q <= spare_full_q ? spare_q : s_axis_TDATA[BITS-1:0];
  end

  assign s_axis_TREADY = ready_q;
  assign valid         = 8'(valid_q);
  assign ready         = {m7_axis_TREADY, m6_axis_TREADY, m5_axis_TREADY, m4_axis_TREADY,
                          m3_axis_TREADY, m2_axis_TREADY, m1_axis_TREADY, m0_axis_TREADY};
  assign {m7_axis_TVALID, m6_axis_TVALID, m5_axis_TVALID, m4_axis_TVALID,
          m3_axis_TVALID, m2_axis_TVALID, m1_axis_TVALID, m0_axis_TVALID} = valid;
  assign {m7_axis_TDATA, m6_axis_TDATA, m5_axis_TDATA, m4_axis_TDATA,
          m3_axis_TDATA, m2_axis_TDATA, m1_axis_TDATA, m0_axis_TDATA} = {8{TDATA_BITS'(data_q)}};

  if (OUTPUTS < 2 || OUTPUTS > 8 || WORDS < 1) begin : gen_check
    $error("fork: OUTPUTS=%0d must lie between 2 and 8, and WORDS=%0d must be at least 1", OUTPUTS, WORDS);
  end

endmodule
