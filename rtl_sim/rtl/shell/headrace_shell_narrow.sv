// Bytes of a transfer from words of IN_BYTES to words of OUT_BYTES that divide them, a word out per cycle.
//
// A transfer is a run of words that ends with TLAST; its last word may be shorter, its bytes are the low ones that
// TKEEP marks. The last word out is marked in the same way. A word without bytes is dropped.
//
// Invariant: ready_q implies that no part of a word waits behind the output register.
module headrace_shell_narrow #(
  parameter int unsigned IN_BYTES  = 16, // bytes of a word in
  parameter int unsigned OUT_BYTES = 4   // bytes of a word out
) (
  input  logic                   ap_clk,        // clock
  input  logic                   ap_rst_n,      // synchronous reset, active low
  input  logic [8*IN_BYTES-1:0]  s_axis_TDATA,  // bytes in
  input  logic [IN_BYTES-1:0]    s_axis_TKEEP,  // which of them count: ones from bit 0 on
  input  logic                   s_axis_TLAST,  // end of the transfer
  input  logic                   s_axis_TVALID, // word in is there
  output logic                   s_axis_TREADY, // word in is taken
  output logic [8*OUT_BYTES-1:0] m_axis_TDATA,  // bytes out
  output logic [OUT_BYTES-1:0]   m_axis_TKEEP,  // which of them count
  output logic                   m_axis_TLAST,  // end of the transfer
  output logic                   m_axis_TVALID, // word out is there
  input  logic                   m_axis_TREADY  // word out is taken
);

  localparam int unsigned PARTS      = IN_BYTES / OUT_BYTES;
  localparam int unsigned PLACE_BITS = PARTS > 1 ? $clog2(PARTS) : 1;

  logic [PARTS-1:0][9*OUT_BYTES-1:0] parts, parts_q;  // TKEEP and TDATA
  logic [PARTS-1:0]                  there;           // which parts have bytes
  logic [PLACE_BITS-1:0]             final_place;     // of the last one that has
  logic [PLACE_BITS-1:0]             place_q, final_q;
  logic                              waits_q, ready_q, valid_q, last_q, end_q;
  logic                              take, free, final_part, waits_d;
  logic [9*OUT_BYTES-1:0]            part_q;

  always_comb begin
    final_place = '0;
    for (int unsigned i = 0; i < PARTS; i++) begin
      parts[i] = {s_axis_TKEEP[OUT_BYTES*i +: OUT_BYTES], s_axis_TDATA[8*OUT_BYTES*i +: 8*OUT_BYTES]};
      there[i] = s_axis_TKEEP[OUT_BYTES*i];
    end
    for (int unsigned i = 0; i < PARTS; i++) begin
      if (there[i] && (i == PARTS - 1 || !there[(i+1)%PARTS])) final_place |= PLACE_BITS'(i);
    end
  end

  // A word that comes goes with its first part into the output register if that is free, and waits with the others.
  assign take       = s_axis_TVALID && ready_q && there[0];
  assign free       = m_axis_TREADY || !valid_q;
  assign final_part = place_q == final_q;
  assign waits_d    = take ? !free || (PARTS > 1 && there[1%PARTS]) : waits_q && !(free && final_part);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      waits_q <= 1'b0;
      ready_q <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      waits_q <= waits_d;
      ready_q <= !waits_d;
      if (free) valid_q <= take || waits_q;
    end
  end

  always_ff @(posedge ap_clk) begin
    if (ready_q) begin
      parts_q <= parts;
      final_q <= final_place;
      last_q  <= s_axis_TLAST;
      place_q <= PLACE_BITS'(free);
    end else if (free) begin
      place_q <= place_q + 1'b1;
    end
    if (free) begin
      part_q <= ready_q ? parts[0] : parts_q[place_q];
      end_q  <= ready_q ? s_axis_TLAST && final_place == '0 : last_q && final_part;
    end
  end

  assign s_axis_TREADY                = ready_q;
  assign m_axis_TVALID                = valid_q;
  assign m_axis_TLAST                 = end_q;
  assign {m_axis_TKEEP, m_axis_TDATA} = part_q;

  if (OUT_BYTES < 1 || IN_BYTES % OUT_BYTES != 0) begin : gen_check
    $error("shell_narrow: OUT_BYTES=%0d must divide IN_BYTES=%0d", OUT_BYTES, IN_BYTES);
  end

endmodule
