// Table: y = TABLE[x] per channel.
//
// PE channels per cycle, one word in and one word out. The code of an element, behind the number of its group, is the
// address in a table per row. GROUPS is 1 where all groups of PE channels share their tables, else CHANNELS/PE, and LANES
// is 1 where all channels share one, else PE. The ready of the output slice moves the pipeline, and is that of the input.
module headrace_lookup import headrace_pkg::*; #(
  parameter int    CHANNELS   = 4,  // channels of a pixel
  parameter int    PE         = 2,  // channels per cycle
  parameter int    PIXELS     = 1,  // pixels per frame
  parameter int    GROUPS     = 2,  // tables of each row
  parameter int    LANES      = 2,  // rows of a word of the memory
  parameter int    A_BITS     = 4,  // width of an element in
  parameter int    O_BITS     = 2,  // width of an output code
  parameter string TABLE_FILE = ""  // one word [LANES] per group and code
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*A_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*O_BITS+7)/8*8-1:0] m_axis_TDATA,   // PE results
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned M_BITS     = PE * O_BITS;
  localparam int unsigned GROUP_BITS = index_bits(GROUPS);
  localparam int unsigned ADDR_BITS  = A_BITS + (GROUPS > 1 ? GROUP_BITS : 0);

  logic en;  // the pipeline moves
  logic unused_pad;
  assign s_axis_TREADY = en;
  assign unused_pad    = ^s_axis_TDATA;

  logic [GROUP_BITS-1:0] group_q;  // of the word
  logic [1:0]            valid_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      group_q <= '0;
      valid_q <= '0;
    end else if (en) begin
      if (s_axis_TVALID) group_q <= group_q == GROUP_BITS'(GROUPS - 1) ? '0 : group_q + 1'b1;
      valid_q <= {valid_q[0], s_axis_TVALID};
    end
  end

  logic [M_BITS-1:0] y;
  for (genvar p = 0; p < PE; p++) begin : gen_pe
    localparam int unsigned LANE = LANES == 1 ? 0 : p;
    logic [LANES*O_BITS-1:0] word;
    logic                    unused_lanes;
    headrace_rom #(.DEPTH(GROUPS << A_BITS), .BITS(LANES * O_BITS), .FILE(TABLE_FILE)) u_table (
      .ap_clk, .ap_rst_n(1'b1), .en, .step(1'b0), .address(ADDR_BITS'({group_q, s_axis_TDATA[p*A_BITS+:A_BITS]})), .data(word)
    );
    assign y[p*O_BITS+:O_BITS] = word[LANE*O_BITS+:O_BITS];
    assign unused_lanes        = ^word;
  end

  headrace_skid #(.BITS(M_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(y), .s_axis_TVALID(valid_q[1]), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[M_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (M_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(M_BITS+7)/8*8-1:M_BITS] = '0;
  end

  if (CHANNELS % PE != 0) begin : gen_check_pe
    $error("lookup: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (GROUPS != 1 && GROUPS != CHANNELS / PE) begin : gen_check_groups
    $error("lookup: GROUPS=%0d must be 1 or %0d", GROUPS, CHANNELS / PE);
  end
  if (LANES != PE && (LANES != 1 || GROUPS != 1)) begin : gen_check_lanes
    $error("lookup: LANES=%0d must be PE=%0d, or 1 in one group", LANES, PE);
  end
  if (PIXELS < 1 || A_BITS < 1) begin : gen_check_input
    $error("lookup: A_BITS=%0d and PIXELS=%0d must be positive", A_BITS, PIXELS);
  end

endmodule
