// headrace_serial_crc: what zlib calculates, bit by bit; and bytes with their own CRC behind them give its constant.
module proof (
  input logic       clk,
  input logic [7:0] free,
  input logic       clears, takes, closes
);

  logic begun = 0, past = 0;
  always_ff @(posedge clk) begin
    begun <= begun || clears;
    past  <= begun;
  end

  // The polynomial as it is written, highest power first: x^32 + 0x04c11db7; a bit enters beside the highest power.
  function automatic logic [31:0] entered(input logic [31:0] old, input logic [7:0] bits);
    entered = old;
    for (int i = 0; i < 8; i++) entered = {entered[30:0], 1'b0} ^ (entered[31] ^ bits[i] ? 32'h04C11DB7 : 32'h0);
  endfunction

  logic [31:0] crc, own, mirrored;
  logic [2:0]  closing = 0;  // bytes of the CRC that were sent
  logic [31:0] sent;
  logic [7:0]  data;
  assign data = closing != 0 ? sent[8*(closing - 1) +: 8] : free;
  headrace_serial_crc dut (.ap_clk(clk), .clear(clears), .take(takes), .data, .crc);
  always_comb for (int i = 0; i < 32; i++) mirrored[i] = ~own[31-i];
  always_ff @(posedge clk) begin
    if (clears) own <= '1;
    else if (takes) own <= entered(own, data);
    if (clears) closing <= 0;
    else if (closing == 0) closing <= 3'(closes && begun && !takes);
    else if (takes) closing <= closing == 5 ? 0 : closing + 1;
    if (closing == 0) sent <= crc;
  end
  always_comb if (closing == 5) assume (!takes);

  always_ff @(posedge clk) if (past) begin
    a_zlib: assert (crc == mirrored);
    if (closing == 5) a_residue: assert (crc == 32'h2144DF1C);
    c_end: cover (closing == 5);
  end

endmodule
