// One access of a register after the other through AXI4-Lite.
//
// `read` or `write` stays, with address and value, until `done`; what was read is there in that cycle.
module headrace_serial_registers (
  input  logic        ap_clk,        // clock
  input  logic        ap_rst_n,      // synchronous reset, active low
  input  logic        read,          // a register is to be read
  input  logic        write,         // or written
  input  logic [15:0] address,       // its offset
  input  logic [31:0] value,         // what is written
  output logic        done,          // the access has ended
  output logic [31:0] read_value,    // what was read
  output logic [15:0] m_axi_AWADDR,  // write address
  output logic        m_axi_AWVALID, // write address is there
  input  logic        m_axi_AWREADY, // write address is taken
  output logic [31:0] m_axi_WDATA,   // what is written
  output logic        m_axi_WVALID,  // data are there
  input  logic        m_axi_WREADY,  // data are taken
  input  logic        m_axi_BVALID,  // the write is done
  output logic        m_axi_BREADY,  // the answer is taken
  output logic [15:0] m_axi_ARADDR,  // read address
  output logic        m_axi_ARVALID, // read address is there
  input  logic        m_axi_ARREADY, // read address is taken
  input  logic [31:0] m_axi_RDATA,   // what is read
  input  logic        m_axi_RVALID,  // the data are there
  output logic        m_axi_RREADY   // the data are taken
);

  logic address_q, data_q;  // have been taken

  assign m_axi_AWADDR  = address;
  assign m_axi_AWVALID = write && !address_q;
  assign m_axi_WDATA   = value;
  assign m_axi_WVALID  = write && !data_q;
  assign m_axi_BREADY  = 1'b1;
  assign m_axi_ARADDR  = address;
  assign m_axi_ARVALID = read && !address_q;
  assign m_axi_RREADY  = 1'b1;
  assign done          = m_axi_RVALID || m_axi_BVALID;
  assign read_value    = m_axi_RDATA;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n || done) begin
      address_q <= 1'b0;
      data_q    <= 1'b0;
    end else begin
      if ((m_axi_AWVALID && m_axi_AWREADY) || (m_axi_ARVALID && m_axi_ARREADY)) address_q <= 1'b1;
      if (m_axi_WVALID && m_axi_WREADY) data_q <= 1'b1;
    end
  end

endmodule
