// Requantizer: y = clip(round((x * m + o) / 2^SHIFT), LO, HI) per channel, ties up or to the even neighbour.
//
// PE channels per cycle, one word in and one word out. The offsets hold the half of the rounding, so a shift rounds
// half up; a sum whose SHIFT low bits are all zero was a tie, which half to even mends by clearing the lowest bit. Two
// reads, product, sum and clipping are registered, as a DSP block has its registers; an element that is wider than its
// multiplier is multiplied in slices. KINKED: the offsets are without the half, which is added a register later; below 0
// the word of BELOW is added instead. ZERO is added behind the shift. GROUPS is 1 where all groups of PE channels share one memory word, else
// CHANNELS/PE. The ready of the output slice moves the pipeline, and is that of the input.
module headrace_requant import headrace_pkg::*; #(
  parameter int    CHANNELS         = 4,      // channels of a pixel
  parameter int    PE               = 2,      // channels per cycle
  parameter int    PIXELS           = 1,      // pixels per frame
  parameter int    GROUPS           = 2,      // words of each memory
  parameter int    A_BITS           = 8,      // width of an element in
  parameter int    A_KIND           = SIGNED, // kind of the elements in
  parameter int    M_BITS           = 6,      // width of a multiplier, two's complement
  parameter int    B_BITS           = 10,     // width of an offset, two's complement
  parameter int    SUM_BITS         = 14,     // width of a sum, two's complement
  parameter int    SHIFT            = 4,      // by how many bits the sum is scaled down
  parameter int    HALF_EVEN        = 0,      // ties go to the even neighbour
  parameter int    KINKED           = 0,      // sums below 0 have a word of their own added
  parameter int    K_BITS           = 1,      // width of such a word, two's complement
  parameter int    ZERO             = 0,      // what is added behind the shift
  parameter int    O_BITS           = 6,      // width of an output code
  parameter int    LO               = -32,    // lowest output
  parameter int    HI               = 31,     // highest output
  parameter string MULTIPLIERS_FILE = "",     // one word [PE] per group
  parameter string OFFSETS_FILE     = "",     // one word [PE] per group, the half of the rounding included
  parameter string BELOW_FILE       = ""      // KINKED: one word [PE] per group, the half less the kink
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*A_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*O_BITS+7)/8*8-1:0] m_axis_TDATA,   // PE results
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned S_BITS     = PE * A_BITS;
  localparam int unsigned Y_BITS     = PE * O_BITS;
  localparam int unsigned GROUP_BITS = index_bits(GROUPS);
  localparam int unsigned SLICE      = 26;                   // bits without sign that a DSP block multiplies
  localparam int unsigned SLICES     = (A_BITS + SLICE - 1) / SLICE;
  localparam int unsigned STAGES     = 5 + int'(KINKED != 0) + int'(SLICES > 1);  // registers before the output slice

  function automatic logic signed [A_BITS:0] value(input logic [A_BITS-1:0] code);
    if (A_KIND == BIPOLAR) return {{A_BITS{~code[0]}}, 1'b1};
    return {A_KIND == SIGNED && code[A_BITS-1], code};
  endfunction

  logic en;  // the pipeline moves
  logic unused_pad;
  assign s_axis_TREADY = en;
  assign unused_pad    = ^s_axis_TDATA;

  logic [GROUP_BITS-1:0] group_q;  // of the word
  logic [STAGES-1:0]     valid_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      group_q <= '0;
      valid_q <= '0;
    end else if (en) begin
      if (s_axis_TVALID) group_q <= group_q == GROUP_BITS'(GROUPS - 1) ? '0 : group_q + 1'b1;
      valid_q <= {valid_q[STAGES-2:0], s_axis_TVALID};
    end
  end

  // Read: elements, multipliers and offsets; the second registers of the former two are those of the DSP block, which
  // has one more for an offset, as it waits for its product.
  logic [S_BITS-1:0]    word_q;
  logic [PE*M_BITS-1:0] multipliers;
  logic [PE*B_BITS-1:0] offsets;
  headrace_rom #(.DEPTH(GROUPS), .BITS(PE * M_BITS), .FILE(MULTIPLIERS_FILE), .OUTPUT_REGISTER(0)) u_multipliers (
    .ap_clk, .ap_rst_n(1'b1), .en, .step(1'b0), .address(group_q), .data(multipliers)
  );
  headrace_rom #(.DEPTH(GROUPS), .BITS(PE * B_BITS), .FILE(OFFSETS_FILE)) u_offsets (
    .ap_clk, .ap_rst_n(1'b1), .en, .step(1'b0), .address(group_q), .data(offsets)
  );
  always_ff @(posedge ap_clk) if (en) word_q <= s_axis_TDATA[S_BITS-1:0];

  logic [PE*K_BITS-1:0] below_q;  // of the sums
  if (KINKED != 0) begin : gen_below
    logic [PE*K_BITS-1:0] below;
    headrace_rom #(.DEPTH(GROUPS), .BITS(PE * K_BITS), .FILE(BELOW_FILE)) u_below (
      .ap_clk, .ap_rst_n(1'b1), .en, .step(1'b0), .address(group_q), .data(below)
    );
    headrace_delay #(.BITS(PE * K_BITS), .CYCLES(SLICES > 1 ? 3 : 2)) u_waiting (
      .ap_clk, .en, .d(below), .q(below_q)
    );
  end else begin : gen_straight
    assign below_q = '0;
  end

  logic [Y_BITS-1:0] y_q;
  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic signed [A_BITS:0]         element;
    logic signed [SUM_BITS-1:0]     parts [SLICES], sum, bent;
    logic signed [SUM_BITS-SHIFT:0] rounded;  // never empty: a sum is wider than the shift
    assign element = value(word_q[p*A_BITS+:A_BITS]);
    for (genvar k = 0; k < SLICES; k++) begin : gen_slice
      localparam int unsigned BITS   = k < SLICES - 1 ? SLICE : A_BITS - k * SLICE;
      localparam int unsigned C_BITS = k == 0 ? B_BITS : 1;
      logic signed [BITS:0]     part;  // the last one has the sign of the element
      logic signed [C_BITS-1:0] offset;
      assign part   = {k == SLICES - 1 && element[A_BITS], element[k*SLICE+:BITS]};
      assign offset = k == 0 ? offsets[p*B_BITS+:C_BITS] : '0;
      // Cut to SUM_BITS any operand of the sum may wrap; the sum is in range.
      headrace_multiplier #(.A_BITS(BITS + 1), .B_BITS(M_BITS), .C_BITS(C_BITS), .P_BITS(SUM_BITS)) u_product (
        .ap_clk, .en, .a(part), .b(multipliers[p*M_BITS+:M_BITS]), .c(offset), .product(parts[k])
      );
    end
    if (SLICES > 1) begin : gen_slices
      logic signed [SUM_BITS-1:0] sum_q, sum_d;
      always_comb begin
        sum_d = '0;
        for (int unsigned k = 0; k < SLICES; k++) sum_d = sum_d + (parts[k] <<< k * SLICE);
      end
      always_ff @(posedge ap_clk) if (en) sum_q <= sum_d;
      assign sum = sum_q;
    end else begin : gen_slice_alone
      assign sum = parts[0];
    end
    if (KINKED != 0) begin : gen_kink
      localparam logic [SUM_BITS-1:0] HALF = SHIFT > 0 ? SUM_BITS'(1) << (SHIFT - 1) : '0;
      logic signed [SUM_BITS-1:0] bent_q;
      always_ff @(posedge ap_clk) begin
        if (en) bent_q <= sum + (sum < 0 ? SUM_BITS'(signed'(below_q[p*K_BITS+:K_BITS])) : signed'(HALF));
      end
      assign bent = bent_q;
    end else begin : gen_no_kink
      logic unused_below;
      assign unused_below = ^below_q[p*K_BITS+:K_BITS];
      assign bent         = sum;
    end
    if (SHIFT > 0 && HALF_EVEN != 0) begin : gen_half_even
      logic tie;
      assign tie     = bent[SHIFT-1:0] == '0;
      assign rounded = (SUM_BITS-SHIFT+1)'(bent >>> SHIFT) & ~(SUM_BITS-SHIFT+1)'(tie);
    end else begin : gen_half_up
      assign rounded = (SUM_BITS-SHIFT+1)'(bent >>> SHIFT);
    end
    always_ff @(posedge ap_clk) begin
      if (en) begin
        if (64'(rounded) < 64'(LO) - 64'(ZERO)) y_q[p*O_BITS+:O_BITS] <= O_BITS'(LO);
        else if (64'(rounded) > 64'(HI) - 64'(ZERO)) y_q[p*O_BITS+:O_BITS] <= O_BITS'(HI);
        else y_q[p*O_BITS+:O_BITS] <= O_BITS'(rounded) + O_BITS'(ZERO);
      end
    end
  end

  headrace_skid #(.BITS(Y_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(y_q), .s_axis_TVALID(valid_q[STAGES-1]), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[Y_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (Y_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(Y_BITS+7)/8*8-1:Y_BITS] = '0;
  end

  if (CHANNELS % PE != 0) begin : gen_check_pe
    $error("requant: PE=%0d must divide CHANNELS=%0d", PE, CHANNELS);
  end
  if (GROUPS != 1 && GROUPS != CHANNELS / PE) begin : gen_check_groups
    $error("requant: GROUPS=%0d must be 1 or %0d", GROUPS, CHANNELS / PE);
  end
  if (PIXELS < 1 || LO > HI) begin : gen_check_output
    $error("requant: LO=%0d must not exceed HI=%0d, and PIXELS=%0d must be positive", LO, HI, PIXELS);
  end
  if (KINKED != 0 && HALF_EVEN != 0 || KINKED == 0 && ZERO != 0) begin : gen_check_kink
    $error("requant: KINKED=%0d goes with HALF_EVEN=0, and ZERO=%0d with KINKED=1", KINKED, ZERO);
  end
  if (SHIFT < 0 || SHIFT >= SUM_BITS || SUM_BITS > 63) begin : gen_check_sum
    $error("requant: SHIFT=%0d must be less than SUM_BITS=%0d, and that at most 63", SHIFT, SUM_BITS);
  end

endmodule
