// Running results of places that follow in a circle: at every step that of the next place is there, and a fresh one takes
// its place.
//
// A block RAM gives a word late in a cycle, and logic follows: it is read a place further ahead, and has the block's
// output register.
module headrace_running import headrace_pkg::*; #(
  parameter int unsigned PLACES = 4,  // places of the circle
  parameter int unsigned BITS   = 8   // width of a result
) (
  input  logic                          ap_clk,   // clock
  input  logic                          step,     // the next place follows
  input  logic [index_bits(PLACES)-1:0] place,    // the place here, from 0 in reset
  input  logic [index_bits(PLACES)-1:0] next,     // the next one
  input  logic [index_bits(PLACES)-1:0] ahead,    // and the one behind that
  input  logic [BITS-1:0]               fresh,    // the fresh result
  output logic [BITS-1:0]               running   // what the place has since its last turn
);

  if (PLACES == 1) begin : gen_register
    logic unused_places;
    assign unused_places = place ^ next ^ ahead;
    always_ff @(posedge ap_clk) if (step) running <= fresh;
  end else if (PLACES > 2 && ram_in_block(PLACES, BITS)) begin : gen_ahead
    logic [BITS-1:0] word;
    logic            unused_next;
    assign unused_next = ^next;
    headrace_ram #(.DEPTH(PLACES), .BITS(BITS)) u_words (
      .ap_clk, .write(step), .write_address(place), .write_data(fresh), .read(step), .read_address(ahead),
      .clear(1'b0), .read_data(word)
    );
    always_ff @(posedge ap_clk) if (step) running <= word;
  end else begin : gen_next
    logic unused_ahead;
    assign unused_ahead = ^ahead;
    headrace_ram #(.DEPTH(PLACES), .BITS(BITS)) u_words (
      .ap_clk, .write(step), .write_address(place), .write_data(fresh), .read(step), .read_address(next),
      .clear(1'b0), .read_data(running)
    );
  end

  if (PLACES < 1 || BITS < 1) begin : gen_check
    $error("running: PLACES=%0d and BITS=%0d must be at least 1", PLACES, BITS);
  end

endmodule
