// What counts in the shell, by induction: ends of transfers, the most words of a FIFO, cycles of waiting.
module proof (
  input logic        clk,
  input logic [31:0] frames,
  input logic        frame_end, taken, push, pop, clear, in_valid, in_ready, out_valid, out_ready, weights_wait
);

  logic rst_n = 0, past = 0;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  // Of every `frames` frames the last one ends a transfer; the number is looked at as a frame ends that begins one.
  logic last, ends;
  headrace_shell_frames groups (.ap_clk(clk), .ap_rst_n(rst_n), .frames, .frame_end, .moves(taken), .last);
  logic [31:0] was_frames;
  logic [25:0] left = 0, asked;  // frames of the transfer that follow the one that comes, where one has ended
  assign ends = rst_n && frame_end && taken;
  assign asked = frames[25:0] == 0 ? 1 : frames[25:0];
  always_comb if (rst_n && left == 0 && frame_end) assume (frames == was_frames);
  always_ff @(posedge clk) begin
    was_frames <= frames;
    if (!rst_n) left <= 0;
    else if (ends) left <= left == 0 ? asked - 1 : left - 1;
  end
  always_ff @(posedge clk) if (past) begin
    a_last: assert (last == (frame_end && (left == 0 ? asked == 1 : left == 1)));
    a_inside: assert (groups.inside_q == (left != 0));
    a_left: assert (left == 0 || groups.left_q == 27'(left) - 27'd2);
    c_frames: cover (last && frames == 3);
  end

  // The mark is the most words at once, late by a cycle.
  logic [31:0] mark;
  logic [2:0]  level = 0, most = 0;
  headrace_shell_mark #(.DEPTH(4)) mark_of_fifo (.ap_clk(clk), .ap_rst_n(rst_n), .push, .pop, .mark);
  always_comb assume ((!push || level < 7) && (!pop || level > 0));
  always_ff @(posedge clk) if (!rst_n) begin
    level <= 0;
    most  <= 0;
  end else begin
    level <= level + 3'(push) - 3'(pop);
    if (level > most) most <= level;
  end
  always_ff @(posedge clk) if (past) begin
    a_mark:  assert (mark == 32'(most));
    a_level: assert (mark_of_fifo.level_q == level && (level <= most || mark_of_fifo.level_q > mark_of_fifo.mark_q));
  end

  // Cycles in which somebody waited since the last time that they were cleared, late by two.
  logic [3:0][31:0] stalls, counted;
  logic [3:0]  waits, waits_q;
  headrace_shell_stalls counters (
    .ap_clk(clk), .ap_rst_n(rst_n), .clear, .in_valid, .in_ready, .out_valid, .out_ready, .weights_wait,
    .in_stalls(stalls[0]), .in_waits(stalls[1]), .out_stalls(stalls[2]), .weight_waits(stalls[3])
  );
  assign waits = {weights_wait, out_valid && !out_ready, in_ready && !in_valid, in_valid && !in_ready};
  always_ff @(posedge clk) begin
    waits_q <= clear ? '0 : waits;
    for (int i = 0; i < 4; i++) counted[i] <= !rst_n || clear ? 0 : counted[i] + 32'(waits_q[i]);
  end
  always_ff @(posedge clk) if (past) begin
    a_stalls: assert (stalls == counted);
    a_waits: assert (waits_q == {counters.weight_wait_q, counters.out_stall_q, counters.in_wait_q, counters.in_stall_q});
  end

endmodule
