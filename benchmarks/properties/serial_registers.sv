// headrace_serial_registers: the rules of AXI4-Lite, one access per request, and its end in time.
//
// Assumed: a request stays until it is done; registers answer one access once, after they took all of it.
module proof (
  input logic        clk,
  input logic        asks_read, asks_write, awready, wready, arready, answers,
  input logic [15:0] some_address,
  input logic [31:0] some_value, rdata
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  logic read = 0, write = 0, done;
  logic [15:0] address, awaddr, araddr;
  logic [31:0] value, read_value, wdata;
  logic awvalid, wvalid, bvalid, bready, arvalid, rvalid, rready;
  headrace_serial_registers dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .read, .write, .address, .value, .done, .read_value,
    .m_axi_AWADDR(awaddr), .m_axi_AWVALID(awvalid), .m_axi_AWREADY(awready),
    .m_axi_WDATA(wdata), .m_axi_WVALID(wvalid), .m_axi_WREADY(wready),
    .m_axi_BVALID(bvalid), .m_axi_BREADY(bready),
    .m_axi_ARADDR(araddr), .m_axi_ARVALID(arvalid), .m_axi_ARREADY(arready),
    .m_axi_RDATA(rdata), .m_axi_RVALID(rvalid), .m_axi_RREADY(rready)
  );

  // A request at a time.
  always_ff @(posedge clk) begin
    if (!rst_n || done) begin
      read  <= 0;
      write <= 0;
    end else if (!read && !write) begin
      read    <= asks_read;
      write   <= asks_write && !asks_read;
      address <= some_address;
      value   <= some_value;
    end
  end

  // The registers: what they took of this access.
  logic has_aw = 0, has_w = 0, has_ar = 0;
  assign bvalid = rst_n && has_aw && has_w && answers;
  assign rvalid = rst_n && has_ar && answers;
  always_ff @(posedge clk) begin
    if (!rst_n) {has_aw, has_w, has_ar} <= '0;
    else begin
      has_aw <= (has_aw && !bvalid) || (awvalid && awready);
      has_w  <= (has_w && !bvalid) || (wvalid && wready);
      has_ar <= (has_ar && !rvalid) || (arvalid && arready);
    end
  end

  logic aw_held = 0, w_held = 0, ar_held = 0;
  logic [15:0] was_aw, was_ar;
  logic [31:0] was_w;
  logic [2:0]  waits = 0;
  logic [1:0]  written = 0;
  always_ff @(posedge clk) begin
    aw_held <= rst_n && awvalid && !awready;
    w_held  <= rst_n && wvalid && !wready;
    ar_held <= rst_n && arvalid && !arready;
    was_aw <= awaddr; was_w <= wdata; was_ar <= araddr;
    waits <= rst_n && (read || write) && awready && wready && arready && answers && !done ? waits + 1 : 0;
    if (rst_n && bvalid) written <= written + 1;
  end

  always_ff @(posedge clk) if (past) begin
    if (aw_held) a_aw_stable: assert (awvalid && awaddr == was_aw);
    if (w_held) a_w_stable: assert (wvalid && wdata == was_w);
    if (ar_held) a_ar_stable: assert (arvalid && araddr == was_ar);
    // Each part of an access is offered once, with what was asked, and not before or after it.
    if (awvalid) a_write: assert (write && !has_aw && awaddr == address);
    if (wvalid) a_data: assert (write && !has_w && wdata == value);
    if (arvalid) a_read: assert (read && !has_ar && araddr == address);
    if (write && !has_aw) a_aw_offered: assert (awvalid);
    if (write && !has_w) a_w_offered: assert (wvalid);
    if (read && !has_ar) a_ar_offered: assert (arvalid);
    a_done: assert (done == (bvalid || rvalid) && bready && rready);
    if (rvalid) a_value: assert (read_value == rdata);
    if (!write) a_no_write: assert (!has_aw && !has_w);
    if (!read) a_no_read: assert (!has_ar);
    a_one: assert (!(read && write));
    a_state: assert (dut.address_q == (has_aw || has_ar) && dut.data_q == has_w);
    a_in_time: assert (waits <= 1);
    c_end: cover (written == 2);
  end

endmodule
