// CRC-32 of bytes, that of zlib and Ethernet: reflected, polynomial 0x04c11db7, begun with ones.
//
// It is sent low byte first behind the bytes, and is 0x2144df1c of bytes with their CRC behind them.
module headrace_serial_crc (
  input  logic        ap_clk, // clock
  input  logic        clear,  // begin anew
  input  logic        take,   // the byte belongs to it
  input  logic [7:0]  data,   // byte
  output logic [31:0] crc     // of all bytes until now
);

  localparam logic [31:0] POLYNOMIAL = 32'hEDB88320;

  logic [31:0] crc_q, crc_d;

  always_comb begin
    crc_d = crc_q ^ 32'(data);
    for (int unsigned i = 0; i < 8; i++) crc_d = (crc_d >> 1) ^ (crc_d[0] ? POLYNOMIAL : 32'h0);
  end

  always_ff @(posedge ap_clk) begin
    if (clear) crc_q <= '1;
    else if (take) crc_q <= crc_d;
  end

  assign crc = ~crc_q;

endmodule
