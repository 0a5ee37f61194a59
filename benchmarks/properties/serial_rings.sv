// Counters of the serial port stay in their range for ever, by induction, whatever comes and whoever takes.
//
// Assumed: bytes come at most in every fourth cycle; a packet of results has been sent only while there is one.
module proof (
  input logic       clk,
  input logic [7:0] came, result,
  input logic       arrives, breaks, takes, clear, last, offered, result_takes, sent
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  // The ring of bytes: what is to be read and what is being written fit into it, and a byte is written only into room.
  logic comes, broken, was = 0, earlier = 0, lost, valid;
  logic [7:0] data, lost_code;
  assign comes  = rst_n && arrives && !was && !earlier;
  assign broken = breaks && !arrives;
  always_ff @(posedge clk) begin
    was    <= comes;
    earlier <= was;
  end
  headrace_serial_receive #(.BUFFER(64), .IDLE(9)) ring (
    .ap_clk(clk), .ap_rst_n(rst_n), .byte_valid(comes), .byte_data(came), .byte_broken(broken),
    .data, .valid, .take(takes), .lost, .lost_code
  );
  logic [6:0] written, good;
  assign written = ring.write_q - ring.read_q;
  assign good    = ring.good_q - ring.read_q;
  always_ff @(posedge clk) if (past) begin
    a_ring: assert (good <= written && written <= 64);
    a_valid: assert (!valid || good != 0);
    a_room: assert (!ring.store || written < 64);
    c_written: cover (written == 2);
  end

  // A packet of results: at most 256 bytes; it is closed when it has them.
  logic busy, ready, result_last, result_valid;
  logic [7:0] number, result_data;
  logic [15:0] length;
  headrace_serial_results results (
    .ap_clk(clk), .ap_rst_n(rst_n), .clear, .busy, .s_axis_TDATA(result), .s_axis_TLAST(last), .s_axis_TVALID(offered),
    .s_axis_TREADY(ready), .number, .last(result_last), .length, .data(result_data), .valid(result_valid),
    .take(result_takes), .done(busy && sent)
  );
  always_ff @(posedge clk) if (past) begin
    a_most: assert (length <= 256 && (length < 256 || busy));
    a_some: assert (!busy || length != 0);
    a_closed: assert (ready == !busy);
    a_there: assert (!result_valid || busy);
  end

endmodule
