// Plain dot products: sums[p] = sum over s of w[p][s] * a[s], or with a[p][s] where every row has activations of its
// own (A_ROWS = PE). Two bipolar operands count XNOR matches instead, in chunks of 18 bits.
//
// One registered stage of products, three in DSP blocks, two of chunk counts, then an adder tree. The reference of all other cores. An
// activation that is wider than a multiplier is multiplied in slices, each a leaf of the tree.
module headrace_dot_plain import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 3,        // columns
  parameter int unsigned W_BITS   = 2,        // width of a weight
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 2,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned A_ROWS   = 1,        // rows of activations: one for all, or PE
  parameter int unsigned SUM_BITS = 8,        // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1         // width of what travels beside
) (
  input  logic                          ap_clk,    // clock
  input  logic                          ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]                 en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD*W_BITS-1:0]     weights,   // lanes [PE][SIMD]
  input  logic [A_ROWS*SIMD*A_BITS-1:0] acts,      // lanes [A_ROWS][SIMD]
  input  logic [TAG_BITS-1:0]           tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0]    sums [PE], // one per row
  output logic signed [SUM_BITS-1:0]    more [PE], // 0
  output logic [TAG_BITS-1:0]           tag_out    // belongs to sums
);

  localparam bit          XNOR      = W_KIND == BIPOLAR && A_KIND == BIPOLAR;
  localparam int unsigned CHUNK     = 18;
  localparam int unsigned SLICE     = 26;  // bits of an activation without sign that a DSP block multiplies
  localparam int unsigned SLICES    = W_KIND == BIPOLAR || A_KIND == BIPOLAR ? 1 : (A_BITS + SLICE - 1) / SLICE;
  localparam int unsigned LEAVES    = XNOR ? (SIMD + CHUNK - 1) / CHUNK : SIMD * SLICES;
  localparam bit          BLOCK     = W_KIND != BIPOLAR && A_KIND != BIPOLAR && in_block(W_BITS, W_KIND, A_BITS, A_KIND);
  // A chunk count needs a sign bit above its five; a product of codes extended by one bit each fits W + A + 1.
  localparam int unsigned LEAF_BITS = XNOR ? 6 : W_BITS + A_BITS + 1;

  function automatic logic signed [W_BITS:0] weight_value(input logic [W_BITS-1:0] code);
    if (W_KIND == BIPOLAR) return {{W_BITS{~code[0]}}, 1'b1};
    return {W_KIND == SIGNED && code[W_BITS-1], code};
  endfunction

  function automatic logic signed [A_BITS:0] act_value(input logic [A_BITS-1:0] code);
    if (A_KIND == BIPOLAR) return {{A_BITS{~code[0]}}, 1'b1};
    return {A_KIND == SIGNED && code[A_BITS-1], code};
  endfunction

  // A bipolar operand is a sign: no multiplier.
  function automatic logic signed [LEAF_BITS-1:0] signed_value(input logic [W_BITS-1:0] w, input logic [A_BITS-1:0] a);
    logic signed [LEAF_BITS-1:0] w_value, a_value;
    w_value = LEAF_BITS'(weight_value(w));
    a_value = LEAF_BITS'(act_value(a));
    if (W_KIND == BIPOLAR) return w[0] ? a_value : -a_value;
    return a[0] ? w_value : -w_value;
  endfunction

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    localparam int unsigned A_FIRST = (A_ROWS == 1 ? 0 : p) * SIMD * A_BITS;
    logic signed [LEAF_BITS-1:0] leaves_q [LEAVES];
    if (XNOR) begin : gen_xnor
      for (genvar c = 0; c < LEAVES; c++) begin : gen_chunk
        localparam int unsigned BITS = SIMD - c * CHUNK < CHUNK ? SIMD - c * CHUNK : CHUNK;
        logic [BITS-1:0] same;
        logic [4:0]      count;
        assign same = ~(weights[p*SIMD+c*CHUNK+:BITS] ^ acts[A_FIRST+c*CHUNK+:BITS]);
        headrace_popcount #(.BITS(BITS)) u_popcount (.ap_clk, .en(en[p]), .bits(same), .count);
        assign leaves_q[c] = LEAF_BITS'(count);
      end
    end else if (W_KIND == BIPOLAR || A_KIND == BIPOLAR) begin : gen_sign
      always_ff @(posedge ap_clk) begin
        if (en[p]) begin
          for (int unsigned s = 0; s < SIMD; s++) begin
            leaves_q[s] <= signed_value(weights[(p*SIMD+s)*W_BITS+:W_BITS], acts[A_FIRST+s*A_BITS+:A_BITS]);
          end
        end
      end
    end else begin : gen_product
      for (genvar s = 0; s < SIMD; s++) begin : gen_column
        for (genvar k = 0; k < SLICES; k++) begin : gen_slice
          localparam int unsigned BITS = k < SLICES - 1 ? SLICE : A_BITS - k * SLICE;
          localparam bit          TOP  = k == SLICES - 1;  // the sign of the activation is in here
          logic signed [BITS:0]        part;
          logic signed [W_BITS:0]      weight;
          logic signed [W_BITS+BITS:0] product_q;
          assign part = {TOP && A_KIND == SIGNED && acts[A_FIRST+(s+1)*A_BITS-1], acts[A_FIRST+s*A_BITS+k*SLICE+:BITS]};
          assign weight = weight_value(weights[(p*SIMD+s)*W_BITS+:W_BITS]);
          if (BLOCK) begin : gen_block
            headrace_multiplier #(.A_BITS(BITS + 1), .B_BITS(W_BITS + 1), .P_BITS(W_BITS + BITS + 1)) u_product (
              .ap_clk, .en(en[p]), .a(part), .b(weight), .c('0), .product(product_q)
            );
          end else begin : gen_luts
            always_ff @(posedge ap_clk) if (en[p]) product_q <= (W_BITS+BITS+1)'(weight * part);
          end
          assign leaves_q[s*SLICES+k] = LEAF_BITS'(product_q) <<< k * SLICE;
        end
      end
    end
    headrace_adder_tree #(.LEAVES(LEAVES), .LEAF_BITS(LEAF_BITS), .SUM_BITS(SUM_BITS)) u_tree (
      .ap_clk, .en(en[p]), .leaves(leaves_q), .sum(sums[p])
    );
  end

  assign more = '{default: '0};

  localparam int unsigned LEAF_CYCLES = BLOCK ? PRODUCT_STAGES : XNOR ? 2 : 1;
  headrace_tags #(.BITS(TAG_BITS), .CYCLES(LEAF_CYCLES + adder_levels(LEAVES, LEAF_BITS))) u_tags (
    .ap_clk, .ap_rst_n, .en(en[0]), .tag_in, .tag_out
  );

  if (W_KIND > BIPOLAR || A_KIND > BIPOLAR || (W_KIND == BIPOLAR && W_BITS != 1)
      || (A_KIND == BIPOLAR && A_BITS != 1)) begin : gen_check
    $error("dot_plain: W_KIND=%0d and A_KIND=%0d must be 0, 1 or 2, and 2 needs one bit", W_KIND, A_KIND);
  end

endmodule
