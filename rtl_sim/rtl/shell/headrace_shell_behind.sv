// Whether units behind the word out have bytes, for words of IN units that are cut into words of OUT units, fewer: noted
// for all words out that begin in a word as it comes. A part of headrace_shell_gearbox.
module headrace_shell_behind #(
  parameter int unsigned IN  = 49, // units of a word in
  parameter int unsigned OUT = 16  // units of a word out
) (
  input  logic                  ap_clk,      // clock
  input  logic                  restart,     // a transfer begins
  input  logic                  take,        // the word in is taken
  input  logic [IN-1:0]         has,         // units of the word in that have bytes
  input  logic                  note,        // the word in, or what stands there, comes into the window
  input  logic                  nothing,     // no unit of it counts
  input  logic                  move,        // the word out leaves
  input  logic [$clog2(IN)-1:0] place,       // of the word out in the window
  output logic [$clog2(IN)-1:0] next_place,  // of the one behind
  output logic                  none_behind  // no unit behind the word out has bytes
);

  localparam int unsigned PLACE_BITS = $clog2(IN);
  localparam int unsigned WORDS      = (IN + OUT - 1) / OUT;  // words out that begin in a word at most
  localparam int unsigned START_BITS = $clog2(OUT);

  logic [WORDS-1:0]               more_q;   // units behind the word out have bytes, behind the next one, ...
  logic [WORDS-1:0][OUT-1:0]      more;     // by the place of the first word out
  logic [START_BITS-1:0]          start_q;  // of the first word out of the next word in
  logic [OUT-1:0][START_BITS-1:0] starts;   // and of the one behind, by it
  logic [IN-1:0][PLACE_BITS-1:0]  places;   // next_place by place
  for (genvar p = 0; p < OUT; p++) begin : gen_start
    assign starts[p] = START_BITS'((p + WORDS * OUT - IN) % OUT);
    for (genvar w = 0; w < WORDS; w++) begin : gen_word
      if (p + 1 + w * OUT < IN) begin : gen_unit
        assign more[w][p] = has[p+1+w*OUT];
      end else begin : gen_none
        assign more[w][p] = 1'b0;
      end
    end
  end
  for (genvar p = 0; p < IN; p++) begin : gen_place
    assign places[p] = PLACE_BITS'((p + OUT) % IN);
  end

  always_ff @(posedge ap_clk) begin
    if (restart) start_q <= START_BITS'(OUT - 1);
    else if (take) start_q <= starts[start_q];
  end
  always_ff @(posedge ap_clk) begin
    if (note) begin
      for (int unsigned w = 0; w < WORDS; w++) more_q[w] <= more[w][start_q] && !nothing;
    end else if (move) begin
      more_q <= more_q >> 1;
    end
  end

  assign none_behind = !more_q[0];
  assign next_place  = places[place];

endmodule
