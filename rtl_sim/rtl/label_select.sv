// Indices of the K largest of LABELS elements, the largest first; among equals the lowest index first.
//
// The elements seen so far stand in a list of K places, best first. A word of PE elements finds for every element, of
// the list and of the word, its rank: how many of the others come before it. Ranks below K are the places of the new
// list. An element of the list comes before one of the word if it is not smaller, because its index is lower.
// The finished list leaves from registers of its own while the next frame is read, so a frame takes
// max(LABELS/PE, K) cycles.
// Kinds: 0 unsigned, 1 two's complement, 2 bipolar, which compares as its code.
module label_select #(
  parameter int LABELS = 6, // elements per frame
  parameter int PE     = 2, // elements per cycle
  parameter int K      = 2, // indices put per frame
  parameter int E_BITS = 4, // width of an element
  parameter int E_KIND = 1, // kind of the elements
  parameter int O_BITS = 3  // width of an index
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(O_BITS+7)/8*8-1:0]    m_axis_TDATA,   // an index
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS      = PE * E_BITS;
  localparam int unsigned WORDS     = LABELS / PE;
  localparam int unsigned WORD_BITS = WORDS > 1 ? $clog2(WORDS) : 1;
  localparam int unsigned RANK_BITS = $clog2(K + PE);
  localparam int unsigned LEFT_BITS = $clog2(K + 1);

  function automatic logic not_smaller(input logic [E_BITS-1:0] a, input logic [E_BITS-1:0] b);
    return E_KIND == 1 ? signed'(a) >= signed'(b) : a >= b;
  endfunction

  logic            step;  // the pipeline moves
  logic [BITS-1:0] word;
  logic            word_valid;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(step)
  );

  // Ranks of the word's elements among themselves.
  logic [WORD_BITS-1:0]    count_q;
  logic [O_BITS-1:0]       label_q, first_label_q;
  logic [BITS-1:0]         lanes_q;
  logic [PE*RANK_BITS-1:0] ranks_d, ranks_q;
  logic                    first_q, last_q, valid_q, count_last;

  assign count_last = count_q == WORD_BITS'(WORDS - 1);
  always_comb begin
    ranks_d = '0;
    for (int unsigned p = 0; p < PE; p++) begin
      for (int unsigned q = 0; q < PE; q++) begin
        if (q < p ? not_smaller(word[q*E_BITS+:E_BITS], word[p*E_BITS+:E_BITS])
                  : !not_smaller(word[p*E_BITS+:E_BITS], word[q*E_BITS+:E_BITS])) begin
          ranks_d[p*RANK_BITS+:RANK_BITS] = ranks_d[p*RANK_BITS+:RANK_BITS] + 1'b1;
        end
      end
    end
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      count_q <= '0;
      label_q <= '0;
      valid_q <= 1'b0;
    end else if (step) begin
      valid_q <= word_valid;
      if (word_valid) begin
        count_q <= count_last ? '0 : count_q + 1'b1;
        label_q <= count_last ? '0 : label_q + O_BITS'(PE);
      end
    end
  end
  always_ff @(posedge ap_clk) begin
    if (step) begin
      lanes_q       <= word;
      ranks_q       <= ranks_d;
      first_q       <= count_q == '0;
      last_q        <= count_last;
      first_label_q <= label_q;
    end
  end

  // The list, and the ranks of its elements and the word's among all.
  logic [K*E_BITS-1:0]  best_d, best_q;
  logic [K*O_BITS-1:0]  labels_d, labels_q;
  logic [K-1:0]         full_d, full_q;
  logic [K*PE-1:0]      listed_first;  // [e][p]: element e of the list is there and comes before element p of the word
  logic [RANK_BITS-1:0] rank;

  always_comb begin
    for (int unsigned e = 0; e < K; e++) begin
      for (int unsigned p = 0; p < PE; p++) begin
        listed_first[e*PE+p] = full_q[e] && !first_q
                               && not_smaller(best_q[e*E_BITS+:E_BITS], lanes_q[p*E_BITS+:E_BITS]);
      end
    end
  end

  always_comb begin
    best_d   = '0;
    labels_d = '0;
    full_d   = '0;
    rank     = '0;
    for (int unsigned e = 0; e < K; e++) begin
      rank = RANK_BITS'(e);
      for (int unsigned p = 0; p < PE; p++) if (!listed_first[e*PE+p]) rank = rank + 1'b1;
      for (int unsigned place = e; place < K; place++) begin
        if (full_q[e] && !first_q && rank == RANK_BITS'(place)) begin
          best_d[place*E_BITS+:E_BITS]   = best_d[place*E_BITS+:E_BITS] | best_q[e*E_BITS+:E_BITS];
          labels_d[place*O_BITS+:O_BITS] = labels_d[place*O_BITS+:O_BITS] | labels_q[e*O_BITS+:O_BITS];
          full_d[place]                  = 1'b1;
        end
      end
    end
    for (int unsigned p = 0; p < PE; p++) begin
      rank = ranks_q[p*RANK_BITS+:RANK_BITS];
      for (int unsigned e = 0; e < K; e++) if (listed_first[e*PE+p]) rank = rank + 1'b1;
      for (int unsigned place = 0; place < K; place++) begin
        if (rank == RANK_BITS'(place)) begin
          best_d[place*E_BITS+:E_BITS]   = best_d[place*E_BITS+:E_BITS] | lanes_q[p*E_BITS+:E_BITS];
          labels_d[place*O_BITS+:O_BITS] = labels_d[place*O_BITS+:O_BITS] | (first_label_q + O_BITS'(p));
          full_d[place]                  = 1'b1;
        end
      end
    end
  end

  always_ff @(posedge ap_clk) begin
    if (step && valid_q) begin
      best_q   <= best_d;
      labels_q <= labels_d;
      full_q   <= full_d;
    end
  end

  // Indices on their way out.
  logic [K*O_BITS-1:0]  out_q;
  logic [LEFT_BITS-1:0] left_q;
  logic                 out_ready, out_free, load;

  assign out_free = left_q == '0 || (left_q == LEFT_BITS'(1) && out_ready);
  assign step     = !(valid_q && last_q) || out_free;
  assign load     = valid_q && last_q && out_free;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) left_q <= '0;
    else if (load) left_q <= LEFT_BITS'(K);
    else if (left_q != '0 && out_ready) left_q <= left_q - 1'b1;
  end
  always_ff @(posedge ap_clk) begin
    if (load) out_q <= labels_d;
    else if (out_ready) out_q <= out_q >> O_BITS;
  end

  skid #(.BITS(O_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(out_q[O_BITS-1:0]), .s_axis_TVALID(left_q != '0), .s_axis_TREADY(out_ready),
    .m_axis_TDATA(m_axis_TDATA[O_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (O_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(O_BITS+7)/8*8-1:O_BITS] = '0;
  end

  if (LABELS % PE != 0 || K < 1 || K > LABELS || LABELS > 2 ** O_BITS) begin : gen_check
    $error("label_select: PE=%0d must divide LABELS=%0d, which must be at least K=%0d and at most 2^%0d",
           PE, LABELS, K, O_BITS);
  end

endmodule
