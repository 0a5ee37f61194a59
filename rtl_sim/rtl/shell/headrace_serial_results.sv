// Results into packets of up to 256 bytes: the bytes of a stream are collected until there are so many or TLAST comes.
//
// While `clear` is set what comes is dropped; a packet that is being sent goes on.
module headrace_serial_results (
  input  logic        ap_clk,        // clock
  input  logic        ap_rst_n,      // synchronous reset, active low
  input  logic        clear,         // what comes is dropped, and numbers begin at 0
  output logic        busy,          // a packet is there or on its way
  input  logic [7:0]  s_axis_TDATA,  // byte of results
  input  logic        s_axis_TLAST,  // the last of a transfer
  input  logic        s_axis_TVALID, // byte is there
  output logic        s_axis_TREADY, // byte is taken
  output logic [7:0]  number,        // of the packet since `clear`
  output logic        last,          // it is the last of a transfer
  output logic [15:0] length,        // its bytes
  output logic [7:0]  data,          // next byte
  output logic        valid,         // it is there
  input  logic        take,          // it is taken
  input  logic        done           // the packet has been sent
);

  localparam int unsigned MOST = 256;

  logic [8:0] count_q;  // bytes that were collected
  logic [7:0] read_q, number_q;
  logic       busy_q, last_q, valid_q, push;

  assign s_axis_TREADY = !busy_q;
  assign push          = s_axis_TVALID && !busy_q && !clear;

  headrace_ram #(.DEPTH(MOST), .BITS(8)) u_bytes (
    .ap_clk, .write(push), .write_address(count_q[7:0]), .write_data(s_axis_TDATA),
    .read(1'b1), .read_address(read_q), .clear(1'b0), .read_data(data)
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      busy_q   <= 1'b0;
      count_q  <= '0;
      number_q <= '0;
      read_q   <= '0;
      valid_q  <= 1'b0;
    end else begin
      busy_q <= busy_q ? !done : push && (s_axis_TLAST || count_q == 9'(MOST - 1));
      if (busy_q ? done : clear) begin
        count_q <= '0;
        read_q  <= '0;
      end else begin
        if (push) count_q <= count_q + 1'b1;
        if (take) read_q <= read_q + 1'b1;
      end
      if (clear) number_q <= '0;
      else if (done) number_q <= number_q + 1'b1;
      valid_q <= busy_q && !done && !take;  // the memory gives a byte a cycle after its place
    end
  end

  always_ff @(posedge ap_clk) if (push) last_q <= s_axis_TLAST;

  assign busy   = busy_q;
  assign number = number_q;
  assign last   = last_q;
  assign length = 16'(count_q);
  assign valid  = valid_q;

endmodule
