// The register file of the shell: the rules of AXI4-Lite, what is read is what was written, answers come in time.
module proof import headrace_pkg::*; (
  input logic        clk,
  input logic [15:0] awaddr, araddr,
  input logic [31:0] wdata,
  input logic [3:0]  wstrb,
  input logic        awvalid, wvalid, bready, arvalid, rready, cut, moves
);

  localparam logic [31:0] VERSION = 32'h00010203;

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic awready, wready, bvalid, arready, rvalid, core_rst_n, hold;
  logic [1:0]  bresp, rresp;
  logic [31:0] rdata, frames;
  load_t       load;
  headrace_shell_registers #(.VERSION(VERSION), .FIFOS(1)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n),
    .s_axi_control_AWADDR(awaddr), .s_axi_control_AWVALID(awvalid), .s_axi_control_AWREADY(awready),
    .s_axi_control_WDATA(wdata), .s_axi_control_WSTRB(wstrb), .s_axi_control_WVALID(wvalid),
    .s_axi_control_WREADY(wready), .s_axi_control_BRESP(bresp), .s_axi_control_BVALID(bvalid),
    .s_axi_control_BREADY(bready), .s_axi_control_ARADDR(araddr), .s_axi_control_ARVALID(arvalid),
    .s_axi_control_ARREADY(arready), .s_axi_control_RDATA(rdata), .s_axi_control_RRESP(rresp),
    .s_axi_control_RVALID(rvalid), .s_axi_control_RREADY(rready),
    .core_rst_n, .hold, .frames, .arrives(1'b0), .in_valid(1'b0), .in_ready(1'b0), .in_frame_end(1'b0),
    .out_valid(moves), .out_ready(moves), .out_frame_end(moves), .cut_word(cut), .cut_frame(1'b0), .cut_weights(1'b0),
    .weights_wait(1'b0), .marks(32'd77), .load
  );

  // The processor keeps the rules: what it offers stays until it is taken.
  logic aw_kept = 0, w_kept = 0, ar_kept = 0;
  logic [15:0] was_aw, was_ar;
  logic [31:0] was_w;
  logic [3:0]  was_strb;
  always_comb if (!rst_n) assume (!awvalid && !wvalid && !arvalid);
  always_comb if (aw_kept) assume (awvalid && awaddr == was_aw);
  always_comb if (w_kept) assume (wvalid && wdata == was_w && wstrb == was_strb);
  always_comb if (ar_kept) assume (arvalid && araddr == was_ar);
  always_ff @(posedge clk) begin
    aw_kept <= rst_n && awvalid && !awready;
    w_kept  <= rst_n && wvalid && !wready;
    ar_kept <= rst_n && arvalid && !arready;
    was_aw <= awaddr; was_w <= wdata; was_strb <= wstrb; was_ar <= araddr;
  end

  // What was asked, one write and one read at a time, and what the registers are to hold.
  logic        has_address = 0, has_data = 0, asked = 0, writes;
  logic [15:0] to, from;
  logic [31:0] value, its_frames = 1, frames_then;
  logic [7:0]  memory = 0, memory_then;
  logic [3:0]  strobe, waits = 0, read_waits = 0;
  // A write happens when address and data are there and the answer to the one before was taken.
  assign writes = has_address && has_data && !bvalid;
  always_ff @(posedge clk) if (rst_n) begin
    if (awvalid && awready) begin has_address <= 1; to <= awaddr; end
    if (wvalid && wready) begin has_data <= 1; value <= wdata; strobe <= wstrb; end
    if (writes) begin
      has_address <= 0;
      has_data    <= 0;
      if (to[15:2] == 4 && (&strobe)) its_frames <= value;
      if (to[15:2] == 14'h18 && (&strobe)) memory <= value[7:0];
    end
    waits <= writes ? 0 : has_address && has_data && bready ? waits + 1 : 0;
    if (arvalid && arready) begin asked <= 1; from <= araddr; end
    if (rvalid && rready) asked <= 0;
    read_waits <= asked && !rvalid ? read_waits + 1 : 0;
    // A read sees what stood there two cycles before it is answered.
    frames_then <= its_frames;
    memory_then <= memory;
  end
  logic b_held = 0, r_held = 0, owed = 0;
  logic [31:0] r_was, frames_seen;
  logic [7:0] memory_seen;
  always_ff @(posedge clk) begin
    b_held <= rst_n && bvalid && !bready;
    r_held <= rst_n && rvalid && !rready;
    r_was  <= rdata;
    frames_seen <= frames_then;
    memory_seen <= memory_then;
    owed <= rst_n && (writes || (owed && !(bvalid && bready)));
  end

  always_ff @(posedge clk) if (past) begin
    if (b_held) a_b_stable: assert (bvalid);
    if (r_held) a_r_stable: assert (rvalid && rdata == r_was);
    a_okay: assert (bresp == 0 && rresp == 0);
    a_answer: assert (bvalid == owed);
    a_write_in_time: assert (waits <= 2);
    a_read_in_time: assert (read_waits <= 3);
    a_asked: assert (!rvalid || asked);
    a_frames: assert (frames == its_frames);
    if (rvalid && !r_held) begin
      if (from[15:2] == 0) a_magic: assert (rdata == 32'h48445243);
      if (from[15:2] == 1) a_version: assert (rdata == VERSION);
      if (from[15:2] == 4) a_read_frames: assert (rdata == frames_seen);
      if (from[15:2] == 14'h18) a_read_memory: assert (rdata == 32'(memory_seen));
      if (from[15:2] == 14'h100) a_mark: assert (rdata == 77);
      if (from[15:2] > 14'h18 && from[15:2] != 14'h100) a_nothing: assert (rdata == 0);
    end
    if (hold) a_hold: assert (!core_rst_n || dut.reset_left_q == '1);
    c_end: cover (rvalid && from[15:2] == 4 && rdata == 9);
  end

endmodule
