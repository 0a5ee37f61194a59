// Simulation only: writes every accepted word of a stream to FILE.
//
// A line is the cycle (8 hexadecimal digits) and the word. A line "-" marks a reset: what precedes it is void. Before the
// first one, inputs may have the values that they power up with.
module stream_tap #(
  parameter int BYTES = 1,
  parameter string FILE = "stream.rec"
) (
  input logic               clk,
  input logic               rst_n,
  input logic               close, // 1 for one cycle: flush and close the file
  input logic [       31:0] cycle,
  input logic [8*BYTES-1:0] data,
  input logic               valid,
  input logic               ready
);

  integer file;

  initial file = $fopen(FILE, "w");

  logic was_reset_q;
  initial was_reset_q = 1'b0;
  always_ff @(posedge clk) if (!rst_n) was_reset_q <= 1'b1;

  always_ff @(posedge clk) begin
    if (close && was_reset_q) $fclose(file);
    else if (!rst_n) $fwrite(file, "-\n");
    else if (valid && ready) $fwrite(file, "%h%h\n", cycle, data);
  end

endmodule
