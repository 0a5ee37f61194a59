// Bytes that headrace_serial_tx puts on a line come out of headrace_serial_rx, the same, in order, within some cycles.
//
// Free: the bytes, when they are offered, and the state of all at power-up. The reset lasts until the line has passed the
// flip-flops of the receiver. The clock of the receiver may be another one: CLOCK_HZ differs.
module proof (
  input logic       clk,
  input logic [7:0] data,
  input logic       offered
);

  localparam int BAUD = `BAUD;
  localparam logic [6:0] LATE = 7'(`LATE);  // cycles from a byte that is taken to the one that comes out

  logic [2:0] began = 0;
  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    if (began != 4) began <= began + 1;
    rst_n <= began == 4;
    past  <= rst_n;
  end

  logic ready, line, valid, broken;
  logic [7:0] came;
  headrace_serial_tx #(.CLOCK_HZ(`TX_CLOCK), .BAUD(BAUD)) sender (
    .ap_clk(clk), .ap_rst_n(rst_n), .s_axis_TDATA(data), .s_axis_TVALID(offered), .s_axis_TREADY(ready), .tx(line)
  );
  headrace_serial_rx #(.CLOCK_HZ(`RX_CLOCK), .BAUD(BAUD)) receiver (
    .ap_clk(clk), .ap_rst_n(rst_n), .rx(line), .valid, .data(came), .broken
  );

  logic moves, busy = 0;
  logic [7:0] byte_q;
  logic [6:0] late = 0, refused = 0;
  assign moves = rst_n && offered && ready;
  always_comb if (!rst_n) assume (!offered);
  logic [1:0] ends = 0;
  always_ff @(posedge clk) begin
    if (moves) byte_q <= data;
    busy    <= moves || (busy && !valid);
    late    <= moves ? 0 : late + 1;
    refused <= rst_n && offered && !ready ? refused + 1 : 0;
    if (rst_n && valid) ends <= ends + 1;
  end

  always_ff @(posedge clk) if (past) begin
    // One byte is on its way at most: it came out before the next one is taken.
    if (moves) a_alone: assert (!busy || valid);
    if (valid) a_byte: assert (busy && came == byte_q);
    if (busy) a_leaves: assert (late <= LATE);
    a_taken: assert (refused <= LATE + 7);
    a_stop: assert (!broken);
    if (!busy && late > LATE + 7) a_rests: assert (line);
    c_end: cover (ends == 2);
  end

endmodule
