// Behaviour of cells of an ECP5 for the simulation of a routed netlist (generator/headrace/ecp5/netlist.py), which has
// inverted what its settings invert and tied what it leaves open.

// Block RAM of 1024 x 18 bits with two ports, of 1, 2, 4, 9 or 18 bits each, or as one port that writes (A) and one that
// reads (B) of up to 36. Without output registers. A word that one port writes and the other reads in the same cycle is
// undefined: what is read then is inverted, so that nobody can rely on it.
/* verilator lint_off DECLFILENAME */
module DP16KD #(
  parameter [18431:0] INIT    = 18432'b0, // words of 18 bits, the first one lowest
  parameter           WIDTH_A = 18,
  parameter           WIDTH_B = 18,
  parameter           MODE_A  = 0, // what a port that writes puts out: 0 as before, 1 the new word, 2 the old one
  parameter           MODE_B  = 0
) (
  input  wire        CLKA, CEA, WEA, RSTA,
  input  wire        CLKB, CEB, WEB, RSTB,
  input  wire [13:0] ADA, ADB,
  input  wire [17:0] DIA, DIB,
  output wire [17:0] DOA, DOB
);

  reg [17:0] words [0:1023];
  integer k;
  initial for (k = 0; k < 1024; k = k + 1) words[k] = INIT[18*k +: 18];

  // A port narrower than a byte leaves the byte's ninth bit out.
  function [3:0] width_mask;
    input integer width;
    width_mask = width >= 9 ? 4'd0 : width == 4 ? 4'd4 : width == 2 ? 4'd6 : 4'd7;
  endfunction
  function [17:0] read_word;
    input integer width;
    input [17:0] word;
    input [3:0] address;
    reg [4:0] place;
    begin
      place = (address[3] ? 5'd9 : 5'd0) + {2'b0, address[2:0] & width_mask(width)[2:0]};
      read_word = width >= 18 ? word : width == 9 ? {9'b0, address[3] ? word[17:9] : word[8:0]}
                : (word >> place) & ((18'd1 << width) - 18'd1);
    end
  endfunction
  function [17:0] written_word;
    input integer width;
    input [17:0] word, data;
    input [3:0] address;
    input [1:0] enables;
    reg [4:0] place;
    reg [17:0] mask;
    begin
      place = (address[3] ? 5'd9 : 5'd0) + (width >= 9 ? 5'd0 : {2'b0, address[2:0] & width_mask(width)[2:0]});
      mask = width >= 18 ? {{9{enables[1]}}, {9{enables[0]}}} : ((18'd1 << width) - 18'd1) << place;
      written_word = (word & ~mask) | ((width >= 18 ? data : data << place) & mask);
    end
  endfunction

  wire [9:0] a = WIDTH_A == 36 ? {ADA[13:5], 1'b0} : ADA[13:4];
  wire [9:0] b = WIDTH_B == 36 ? {ADB[13:5], 1'b0} : ADB[13:4];
  // Wide ports enable their bytes at the lowest bits of the address.
  wire write_a = CEA && WEA && (WIDTH_A < 18 || |(WIDTH_A == 36 ? ADA[3:0] : {2'b0, ADA[1:0]}));
  wire write_b = CEB && WEB && (WIDTH_B < 18 || |ADB[1:0]);
  // The port that is half as wide as the other one may meet either half.
  wire same = a[9:1] == b[9:1] && (WIDTH_A == 36 || WIDTH_B == 36 || a[0] == b[0]);
  wire [17:0] new_a = written_word(WIDTH_A, words[a], DIA, ADA[3:0], ADA[1:0]);
  wire [17:0] new_b = written_word(WIDTH_B, words[b], DIB, ADB[3:0], ADB[1:0]);
  wire [17:0] upper = written_word(18, words[a | 10'd1], DIB, 4'd0, ADA[3:2]);

  reg [17:0] out_a, out_b, low_b;
  always @(posedge CLKA) begin
    if (write_a) begin
      words[a] <= new_a;
      if (WIDTH_A == 36) words[a | 10'd1] <= upper;
    end
    if (RSTA) out_a <= 18'd0;
    else if (CEA && !(WEA && MODE_A == 0)) begin
      out_a <= read_word(WIDTH_A, WEA && MODE_A == 1 ? new_a : words[a], ADA[3:0]) ^ {18{write_b && same && !WEA}};
    end
  end
  always @(posedge CLKB) begin
    if (write_b && WIDTH_A != 36) words[b] <= new_b;
    if (RSTB) begin
      out_b <= 18'd0;
      low_b <= 18'd0;
    end else if (CEB && !(WEB && MODE_B == 0)) begin
      low_b <= words[b] ^ {18{write_a && same}};
      out_b <= read_word(WIDTH_B, WEB && MODE_B == 1 ? new_b : words[WIDTH_B == 36 ? b | 10'd1 : b], ADB[3:0])
               ^ {18{write_a && same && !WEB}};
    end
  end
  assign DOA = WIDTH_B == 36 ? low_b : out_a;
  assign DOB = out_b;

endmodule

// The multiplier without its registers.
module MULT18X18D (
  input  wire [17:0] A, B,
  input  wire        SIGNEDA, SIGNEDB,
  output wire [35:0] P
);

  wire signed [18:0] left  = {SIGNEDA & A[17], A};
  wire signed [18:0] right = {SIGNEDB & B[17], B};
  /* verilator lint_off UNUSEDSIGNAL */ // its sign
  wire signed [37:0] product = left * right;
  /* verilator lint_on UNUSEDSIGNAL */
  assign P = product[35:0];

endmodule
