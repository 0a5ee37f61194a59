// Groups frames into transfers: of the marks that end the frames, every frames-th one ends a transfer.
//
// `frames` is looked at until the cycle before the one in which the first frame of a transfer ends; 0 counts as 1. A
// transfer of the DMA has fewer than 2^26 bytes, so no more bits of it count.
module headrace_shell_frames (
  input  logic        ap_clk,     // clock
  input  logic        ap_rst_n,   // synchronous reset, active low
  input  logic [31:0] frames,     // frames per transfer
  input  logic        frame_end,  // the word that is offered is the last of a frame
  input  logic        moves,      // the word is taken in this cycle
  output logic        last        // the word is the last of a transfer
);

  logic        inside_q;  // a frame of the transfer has ended, another one follows
  logic        single_q;  // a transfer has one frame
  logic [26:0] left_q;    // frames that follow the present one, less one: its sign says that none does, while inside

  assign last = frame_end && (inside_q ? left_q[26] : single_q);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) inside_q <= 1'b0;
    else if (moves && frame_end) inside_q <= !last;
    if (moves && frame_end) left_q <= (inside_q ? left_q : {1'b0, frames[25:0]}) - (inside_q ? 27'd1 : 27'd3);
    single_q <= frames[25:1] == '0;
  end

  logic unused_high_bits;
  assign unused_high_bits = ^frames[31:26];

endmodule
