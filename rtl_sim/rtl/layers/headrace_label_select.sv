// Indices of the K largest of LABELS elements, the largest first; among equals the lowest index first.
//
// The elements seen so far stand in a list of K places, best first, one pipeline stage per place. A stage compares the
// elements that reach it, sorted, with its own: it keeps the best, and what is left goes down to the next place, sorted
// again. An element that was kept further up has a lower index than all below, so it also comes before its equals
// there. With several elements per word, two stages in front sort them by their ranks: how many of the others come
// before. The finished list leaves from registers of its own while the next frame is read, so a frame takes
// max(LABELS/PE, K) cycles.
// Kinds: 0 unsigned, 1 two's complement, 2 bipolar, which compares as its code.
module headrace_label_select import headrace_pkg::*; #(
  parameter int LABELS = 6,      // elements per frame
  parameter int PE     = 2,      // elements per cycle
  parameter int K      = 2,      // indices put per frame
  parameter int E_BITS = 4,      // width of an element
  parameter int E_KIND = SIGNED, // kind of the elements
  parameter int O_BITS = 3       // width of an index
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
  localparam int unsigned WORD_BITS = index_bits(WORDS);
  localparam int unsigned RANK_BITS = index_bits(PE);
  localparam int unsigned LEFT_BITS = $clog2(K + 1);

  // A whole element: it is there, its code in ascending order, it was kept further up, its index.
  localparam int unsigned KEY_BITS  = 1 + E_BITS + 1;
  localparam int unsigned ALL_BITS  = KEY_BITS + O_BITS;
  localparam logic [E_BITS-1:0] FLIP = E_KIND == SIGNED ? E_BITS'(1) << (E_BITS - 1) : '0;

  logic            step;  // the pipeline moves
  logic [BITS-1:0] word;
  logic            word_valid;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(step)
  );

  logic [WORD_BITS-1:0]   count_q;
  logic [O_BITS-1:0]      label_q;  // index of the word's first element
  logic                   count_last;
  logic [PE*ALL_BITS-1:0] elements;

  assign count_last = count_q == WORD_BITS'(WORDS - 1);
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      count_q <= '0;
      label_q <= '0;
    end else if (step && word_valid) begin
      count_q <= count_last ? '0 : count_q + 1'b1;
      label_q <= count_last ? '0 : label_q + O_BITS'(PE);
    end
  end
  for (genvar p = 0; p < PE; p++) begin : gen_element
    assign elements[p*ALL_BITS+:ALL_BITS] = {1'b1, word[p*E_BITS+:E_BITS] ^ FLIP, 1'b0, label_q + O_BITS'(p)};
  end

  // The word's elements, the best first.
  logic [PE*ALL_BITS-1:0] sorted;
  logic                   sorted_valid, sorted_first, sorted_last;
  if (PE > 1) begin : gen_sort
    logic [PE*RANK_BITS-1:0] ranks_d, ranks_q;
    logic [PE*ALL_BITS-1:0]  elements_q, sorted_d, sorted_q;
    logic [1:0]              valid_q, first_q, last_q;
    logic [PE*PE-1:0]        comes;  // bit q*PE + p: element q comes before element p
    for (genvar p = 0; p < PE; p++) begin : gen_rank
      assign comes[p*PE+p] = 1'b0;
      for (genvar q = 0; q < p; q++) begin : gen_pair
        headrace_pair_compare #(.A_BITS(E_BITS + 1), .B_BITS(E_BITS + 1)) u_compare (
          .a({1'b0, elements[q*ALL_BITS+O_BITS+1+:E_BITS]}), .b({1'b0, elements[p*ALL_BITS+O_BITS+1+:E_BITS]}),
          .reached(comes[q*PE+p])
        );
        assign comes[p*PE+q] = !comes[q*PE+p];
      end
    end
    always_comb begin
      ranks_d  = '0;
      sorted_d = '0;
      for (int unsigned p = 0; p < PE; p++) begin
        for (int unsigned q = 0; q < PE; q++) begin
          ranks_d[p*RANK_BITS+:RANK_BITS] = ranks_d[p*RANK_BITS+:RANK_BITS] + RANK_BITS'(comes[q*PE+p]);
          if (ranks_q[q*RANK_BITS+:RANK_BITS] == RANK_BITS'(p)) begin
            sorted_d[p*ALL_BITS+:ALL_BITS] = sorted_d[p*ALL_BITS+:ALL_BITS] | elements_q[q*ALL_BITS+:ALL_BITS];
          end
        end
      end
    end
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) valid_q <= '0;
      else if (step) valid_q <= {valid_q[0], word_valid};
    end
    always_ff @(posedge ap_clk) begin
      if (step) begin
        ranks_q    <= ranks_d;
        elements_q <= elements;
        sorted_q   <= sorted_d;
        first_q    <= {first_q[0], count_q == '0};
        last_q     <= {last_q[0], count_last};
      end
    end
    assign sorted       = sorted_q;
    assign sorted_valid = valid_q[1];
    assign sorted_first = first_q[1];
    assign sorted_last  = last_q[1];
  end else begin : gen_one
    assign sorted       = elements;
    assign sorted_valid = word_valid;
    assign sorted_first = count_q == '0;
    assign sorted_last  = count_last;
  end

  // The list. Its indices wait for those of the places below.
  logic [K*O_BITS-1:0] labels;
  for (genvar e = 0; e < K; e++) begin : gen_place
    logic [PE*ALL_BITS-1:0] in, down;  // down: what is left, sorted
    logic                   valid, first, last;
    logic [ALL_BITS-1:0]    kept_q, kept, best;
    logic [PE-1:0]          precedes;  // the element comes before the kept one

    if (e == 0) begin : gen_top
      assign in    = sorted;
      assign valid = sorted_valid;
      assign first = sorted_first;
      assign last  = sorted_last;
    end else begin : gen_below
      logic [PE*ALL_BITS-1:0] in_q;
      logic                   valid_q, first_q, last_q;
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n) valid_q <= 1'b0;
        else if (step) valid_q <= gen_place[e-1].valid;
      end
      always_ff @(posedge ap_clk) begin
        if (step) begin
          in_q    <= gen_place[e-1].down;
          first_q <= gen_place[e-1].first;
          last_q  <= gen_place[e-1].last;
        end
      end
      assign in    = in_q;
      assign valid = valid_q;
      assign first = first_q;
      assign last  = last_q;
    end

    assign kept       = {kept_q[ALL_BITS-1] && !first, kept_q[ALL_BITS-2:O_BITS+1], 1'b0, kept_q[O_BITS-1:0]};
    for (genvar p = 0; p < PE; p++) begin : gen_element
      logic stays;
      headrace_pair_compare #(.A_BITS(KEY_BITS + 1), .B_BITS(KEY_BITS + 1)) u_compare (
        .a({1'b0, kept[O_BITS+:KEY_BITS]}), .b({1'b0, in[p*ALL_BITS+O_BITS+:KEY_BITS]}), .reached(stays)
      );
      assign precedes[p] = !stays;
      if (p < PE - 1) begin : gen_middle
        assign down[p*ALL_BITS+:ALL_BITS] = precedes[p+1] ? in[(p+1)*ALL_BITS+:ALL_BITS]
                                          : precedes[p]   ? kept | ALL_BITS'(1) << O_BITS
                                                        : in[p*ALL_BITS+:ALL_BITS];
      end else begin : gen_end
        assign down[p*ALL_BITS+:ALL_BITS] = precedes[p] ? kept | ALL_BITS'(1) << O_BITS : in[p*ALL_BITS+:ALL_BITS];
      end
    end
    if (e == K - 1) begin : gen_bottom
      logic unused_down;
      assign unused_down = ^down;
    end
    assign best = precedes[0] ? in[ALL_BITS-1:0] : kept;
    always_ff @(posedge ap_clk) if (step && valid) kept_q <= best;

    headrace_delay #(.BITS(O_BITS), .CYCLES(K - 1 - e)) u_wait (
      .ap_clk, .en(step), .d(best[O_BITS-1:0]), .q(labels[e*O_BITS+:O_BITS])
    );
  end

  // Indices on their way out.
  logic [K*O_BITS-1:0]  out_q;
  logic [LEFT_BITS-1:0] left_q;
  logic                 out_ready, out_free, finished, load;

  assign finished = gen_place[K-1].valid && gen_place[K-1].last;
  assign out_free = left_q == '0 || (left_q == LEFT_BITS'(1) && out_ready);
  assign step     = !finished || out_free;
  assign load     = finished && out_free;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) left_q <= '0;
    else if (load) left_q <= LEFT_BITS'(K);
    else if (left_q != '0 && out_ready) left_q <= left_q - 1'b1;
  end
  always_ff @(posedge ap_clk) begin
    if (load) out_q <= labels;
    else if (out_ready) out_q <= out_q >> O_BITS;
  end

  headrace_skid #(.BITS(O_BITS)) u_out (
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
