// Simulation only: writes every accepted word of a stream to FILE and watches the AXI4-Stream rules.
//
// A line is the cycle (8 hexadecimal digits) and the word. A line "-" marks a reset: what precedes it is void.
module stream_tap #(
  parameter int BYTES = 1,
  parameter string FILE = "stream.rec"
) (
  input  logic               clk,
  input  logic               rst_n,
  input  logic               close,       // 1 for one cycle: flush and close the file
  input  logic [       31:0] cycle,
  input  logic [8*BYTES-1:0] data,
  input  logic               valid,
  input  logic               ready,
  output logic               valid_fell,  // sticky until reset
  output logic               data_changed // sticky until reset
);

  integer file;
  logic waits_q;
  logic [8*BYTES-1:0] data_q;

  initial file = $fopen(FILE, "w");

  always_ff @(posedge clk) begin
    if (close) $fclose(file);
    else if (!rst_n) $fwrite(file, "-\n");
    else if (valid && ready) $fwrite(file, "%h%h\n", cycle, data);
  end

  always_ff @(posedge clk) begin
    waits_q <= rst_n && valid && !ready;
    data_q  <= data;
    if (!rst_n) begin
      valid_fell   <= 1'b0;
      data_changed <= 1'b0;
    end else if (waits_q) begin
      valid_fell   <= valid_fell || !valid;
      data_changed <= data_changed || (valid && data != data_q);
    end
  end

endmodule
