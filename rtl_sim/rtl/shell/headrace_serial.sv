// The protocol of docs/serial.md between a serial line and an accelerator's shell: its registers and its two streams,
// each one byte wide.
module headrace_serial #(
  parameter int unsigned CLOCK_HZ = 25000000,     // of ap_clk
  parameter int unsigned BAUD     = 3000000,      // bits per second
  parameter int unsigned BUFFER   = 2048,         // bytes of packets that wait, a power of two
  parameter int unsigned IDLE     = CLOCK_HZ / 20, // cycles without a byte that end a packet
  parameter int unsigned PATIENCE = 2 * CLOCK_HZ, // cycles that the accelerator may take for a byte
  parameter logic [39:0] IN_WORD  = 40'h0,        // a word in: its bytes (16 bits), bits of a lane (8), lanes (16)
  parameter logic [39:0] OUT_WORD = 40'h0         // a word out
) (
  input  logic        ap_clk,        // clock
  input  logic        ap_rst_n,      // synchronous reset, active low
  input  logic        rx,            // line to the board, from any clock
  output logic        tx,            // line from the board

  output logic [7:0]  m_axis_TDATA,  // byte of frames
  output logic        m_axis_TLAST,  // the last of a transfer
  output logic        m_axis_TVALID, // byte is there
  input  logic        m_axis_TREADY, // byte is taken
  input  logic [7:0]  s_axis_TDATA,  // byte of results
  input  logic        s_axis_TLAST,  // the last of a transfer
  input  logic        s_axis_TVALID, // byte is there
  output logic        s_axis_TREADY, // byte is taken

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

  logic        byte_valid, byte_broken, valid, take, lost, clear, busy;
  logic        answer, answer_valid, answer_take, answer_done;
  logic        result_last, result_valid, result_take, result_done;
  logic        send_valid, send_ready, read, write, done;
  logic        feed_last, feed_valid, feed_ready;
  logic [7:0]  feed_data;
  logic [7:0]  byte_data, data, lost_code, answer_command, answer_tag, answer_code, answer_data;
  logic [7:0]  result_number, result_data, send_data;
  logic [15:0] answer_length, result_length, address;
  logic [31:0] value, read_value;

  headrace_serial_rx #(.CLOCK_HZ(CLOCK_HZ), .BAUD(BAUD)) u_rx (
    .ap_clk, .ap_rst_n, .rx, .valid(byte_valid), .data(byte_data), .broken(byte_broken)
  );

  headrace_serial_receive #(.BUFFER(BUFFER), .IDLE(IDLE)) u_receive (
    .ap_clk, .ap_rst_n, .byte_valid, .byte_data, .byte_broken, .data, .valid, .take, .lost, .lost_code
  );

  headrace_serial_commands #(.BUFFER(BUFFER), .PATIENCE(PATIENCE), .IN_WORD(IN_WORD), .OUT_WORD(OUT_WORD)) u_commands (
    .ap_clk, .ap_rst_n, .data, .valid, .take,
    .answer, .answer_command, .answer_tag, .answer_code, .answer_length, .answer_data, .answer_valid, .answer_take,
    .answer_done, .clear, .results_busy(busy),
    .m_axis_TDATA(feed_data), .m_axis_TLAST(feed_last), .m_axis_TVALID(feed_valid), .m_axis_TREADY(feed_ready),
    .read, .write, .address, .value, .done, .read_value
  );

  headrace_skid #(.BITS(9)) u_feed (
    .ap_clk, .ap_rst_n, .s_axis_TDATA({feed_last, feed_data}), .s_axis_TVALID(feed_valid), .s_axis_TREADY(feed_ready),
    .m_axis_TDATA({m_axis_TLAST, m_axis_TDATA}), .m_axis_TVALID, .m_axis_TREADY
  );

  headrace_serial_registers u_registers (
    .ap_clk, .ap_rst_n, .read, .write, .address, .value, .done, .read_value,
    .m_axi_AWADDR, .m_axi_AWVALID, .m_axi_AWREADY, .m_axi_WDATA, .m_axi_WVALID, .m_axi_WREADY, .m_axi_BVALID,
    .m_axi_BREADY, .m_axi_ARADDR, .m_axi_ARVALID, .m_axi_ARREADY, .m_axi_RDATA, .m_axi_RVALID, .m_axi_RREADY
  );

  headrace_serial_results u_results (
    .ap_clk, .ap_rst_n, .clear, .busy, .s_axis_TDATA, .s_axis_TLAST, .s_axis_TVALID, .s_axis_TREADY,
    .number(result_number), .last(result_last), .length(result_length), .data(result_data), .valid(result_valid),
    .take(result_take), .done(result_done)
  );

  headrace_serial_send u_send (
    .ap_clk, .ap_rst_n, .lost, .lost_code,
    .answer, .answer_command, .answer_tag, .answer_code, .answer_length, .answer_data, .answer_valid, .answer_take,
    .answer_done,
    .result(busy), .result_number, .result_last, .result_length, .result_data, .result_valid, .result_take, .result_done,
    .m_axis_TDATA(send_data), .m_axis_TVALID(send_valid), .m_axis_TREADY(send_ready)
  );

  headrace_serial_tx #(.CLOCK_HZ(CLOCK_HZ), .BAUD(BAUD)) u_tx (
    .ap_clk, .ap_rst_n, .s_axis_TDATA(send_data), .s_axis_TVALID(send_valid), .s_axis_TREADY(send_ready), .tx
  );

endmodule
