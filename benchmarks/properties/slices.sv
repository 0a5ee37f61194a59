// Register slices give the words that they took, in order, for ever: a queue of all words inside is the reference.
//
// By induction: what holds in one cycle holds in the next one, so the number of cycles has no bound. Assertions about
// registers of the slices tie them to the queue.
module proof (
  input logic       clk,
  input logic [3:0] data,
  input logic       offered, takes
);

  logic rst_n = 0, past = 0, kept = 0;
  logic [3:0] was;
  always_ff @(posedge clk) begin
    rst_n <= 1;
    past  <= rst_n;
  end

  // A skid buffer: two words, a source that keeps the rules of AXI.
  logic ready, valid, push, pop;
  logic [3:0] word;
  headrace_skid #(.BITS(4)) skid (
    .ap_clk(clk), .ap_rst_n(rst_n), .s_axis_TDATA(data), .s_axis_TVALID(offered), .s_axis_TREADY(ready),
    .m_axis_TDATA(word), .m_axis_TVALID(valid), .m_axis_TREADY(takes)
  );
  assign push = rst_n && offered && ready;
  assign pop  = rst_n && valid && takes;
  logic [1:0] level = 0;
  logic [3:0] first, second;
  always_ff @(posedge clk) begin
    level <= level + push - pop;
    if (pop) first <= second;
    if (push && level - pop == 0) first <= data;
    if (push && level - pop == 1) second <= data;
  end
  always_ff @(posedge clk) if (past) begin
    a_skid_valid: assert (valid == (level != 0));
    a_skid_word:  assert (level == 0 || word == first);
    a_skid_full:  assert (level <= 2 && skid.spare_full_q == (level == 2));
    a_skid_spare: assert (level != 2 || skid.spare_q == second);
    // Liveness: an empty slice takes at once, and a word is offered in the cycle after it was taken.
    a_skid_ready: assert (ready == (level != 2));
  end

  // One register without a multiplexer.
  logic single_ready, single_valid, single_full = 0;
  logic [3:0] single_word, single_first;
  headrace_single_slice #(.BITS(4)) single (
    .ap_clk(clk), .ap_rst_n(rst_n), .s_axis_TDATA(data), .s_axis_TVALID(offered), .s_axis_TREADY(single_ready),
    .m_axis_TDATA(single_word), .m_axis_TVALID(single_valid), .m_axis_TREADY(takes)
  );
  always_ff @(posedge clk) if (rst_n) begin
    single_full <= (offered && single_ready) || (single_full && !takes);
    if (offered && single_ready) single_first <= data;
  end
  always_ff @(posedge clk) if (past) begin
    a_single_valid: assert (single_valid == single_full);
    a_single_word:  assert (!single_full || single_word == single_first);
    a_single_ready: assert (single_ready == (takes || !single_full));
  end

  // A register behind a pipeline that stands at its enable; its results never follow each other directly.
  logic en, en_next, en_copy, spaced_valid, y_valid = 0, y_next = 0, spaced_full = 0;
  logic [3:0] y, spaced_word, spaced_first;
  headrace_spaced_slice #(.BITS(4)) spaced (
    .ap_clk(clk), .ap_rst_n(rst_n), .y(y), .y_valid(y_valid), .y_next(y_next), .en(en),
    .en_next(en_next),
    .m_axis_TDATA(spaced_word), .m_axis_TVALID(spaced_valid), .m_axis_TREADY(takes)
  );
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      y_valid <= 0;
      y_next  <= 0;
    end else if (en) begin
      y_valid <= y_next;
      y_next  <= offered && !y_next;
      y       <= data;
    end
  end
  always_ff @(posedge clk) if (rst_n) begin
    spaced_full <= (en && y_valid) || (spaced_full && !takes);
    if (en && y_valid) spaced_first <= y;
  end
  always_ff @(posedge clk) if (past) begin
    a_spaced_room:  assert (!(en && y_valid && spaced_full));
    a_spaced_valid: assert (spaced_valid == spaced_full);
    a_spaced_word:  assert (!spaced_full || spaced_word == spaced_first);
    a_spaced_apart: assert (!(y_valid && y_next));
    // Liveness: the pipeline stands only while a result waits behind a full register.
    a_spaced_moves: assert (en || y_valid);
  end

  // The slice of results that may follow each other. Copies of either enable are equal to it.
  logic fast, fast_next, fast_copy, fast_valid;
  logic [7:0] fast_word;
  headrace_result_slice #(.BITS(4), .SPACED(0)) results (
    .ap_clk(clk), .ap_rst_n(rst_n), .y(data), .y_valid(offered), .y_next(1'b0), .en(fast), .en_next(fast_next),
    .m_axis_TDATA(fast_word), .m_axis_TVALID(fast_valid), .m_axis_TREADY(takes)
  );
  always_ff @(posedge clk) begin
    en_copy   <= rst_n && en_next;
    fast_copy <= rst_n && fast_next;
  end
  always_ff @(posedge clk) if (past) begin
    a_spaced_copy: assert (en_copy == en);
    a_fast_copy:   assert (fast_copy == fast);
    a_fast_full:   assert (results.gen_skid.u_out.spare_full_q == !fast && (fast || fast_valid));
  end

  always_ff @(posedge clk) if (past) c_full: cover (level == 2 && spaced_full && !en && single_full);

endmodule
