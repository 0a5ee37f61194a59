// headrace_memory_port writes the words that the bus brings, for ever: its text as a model beside it, by induction.
module proof import headrace_pkg::*; (
  input logic        clk,
  input logic        start, push,
  input logic [7:0]  memory,
  input logic [31:0] data
);

  logic rst_n = 0, past = 0, settled = 0;
  always_ff @(posedge clk) begin
    rst_n   <= 1;
    past    <= rst_n;
    settled <= past;
  end

  load_t       load;
  logic        write;
  logic [1:0]  address;
  logic [39:0] word;
  always_comb load = {start, push, memory, data};
  headrace_memory_port #(.INDEX(3), .DEPTH(4), .BITS(40)) dut (
    .ap_clk(clk), .ap_rst_n(rst_n), .load(load), .write(write), .address(address), .word(word)
  );

  // Of two parts per word the low one comes first; `next` is the place of the word that is begun or comes next.
  logic        half = 0, wrote = 0, started, pushed, was_start = 0, was_push = 0;
  logic [1:0]  next = 0, place = 0;
  logic [31:0] low, was_data;
  logic [39:0] whole;
  logic        placed = 0;
  assign started = was_start && rst_n;
  assign pushed  = was_push && rst_n;
  always_ff @(posedge clk) begin
    was_start <= rst_n && start && memory == 3;
    was_push  <= rst_n && push && memory == 3;
    was_data  <= data;
    wrote     <= pushed && half;
    if (pushed) low <= was_data;
    if (pushed && half) whole <= {was_data[7:0], low};
    if (started) half <= 0;
    else if (pushed) half <= !half;
    if (started) placed <= 1;
    if (started) next <= was_data[1:0];
    else if (wrote) next <= next + 1;
  end

  always_ff @(posedge clk) if (past) begin
    a_write:   assert (write == wrote);
    a_word:    assert (!wrote || word == whole);
    a_address: assert (address == next);
    a_part:    assert (dut.part_q == half);
    a_low:     assert (!half || dut.word_q[63:32] == low);
    a_bus_start: assert (dut.start == was_start && dut.push == was_push);
    a_bus_data:  assert (!(was_push || was_start) || dut.load_q.data == was_data);
    c_second: cover (write && address == 1 && placed);
  end

endmodule
