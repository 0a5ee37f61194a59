// Bytes of a transfer from words of IN_BYTES to words of OUT_BYTES, neither of which divides the other, a word of the
// narrower side per cycle.
//
// A transfer is a run of words that ends with TLAST; its last word may be shorter, its bytes are the low ones that
// TKEEP marks. The last word out is marked in the same way. Nothing of a transfer is left for the next one.
//
// Everything counts in units of gcd(IN_BYTES, OUT_BYTES) bytes, with their bits of TKEEP: words begin at no other byte.
//   to narrower words: a window of the word that came last and of what the one before left over; each word out is
//     chosen at a place in it, of long words in two cycles. Behind a transfer's last word, the window is filled with
//     units that do not count;
//   to wider words: the units of a word go to their places in the word out, what is too much for it waits beside it,
//     and moves in when the word has left.
module headrace_shell_gearbox import headrace_pkg::*; #(
  parameter int unsigned IN_BYTES  = 16, // bytes of a word in
  parameter int unsigned OUT_BYTES = 3   // bytes of a word out
) (
  input  logic                   ap_clk,        // clock
  input  logic                   ap_rst_n,      // synchronous reset, active low
  input  logic [8*IN_BYTES-1:0]  s_axis_TDATA,  // bytes in
  input  logic [IN_BYTES-1:0]    s_axis_TKEEP,  // which of them count: ones from bit 0 on
  input  logic                   s_axis_TLAST,  // end of the transfer
  input  logic                   s_axis_TVALID, // word in is there
  output logic                   s_axis_TREADY, // word in is taken
  output logic [8*OUT_BYTES-1:0] m_axis_TDATA,  // bytes out
  output logic [OUT_BYTES-1:0]   m_axis_TKEEP,  // which of them count
  output logic                   m_axis_TLAST,  // end of the transfer
  output logic                   m_axis_TVALID, // word out is there
  input  logic                   m_axis_TREADY  // word out is taken
);

  // Of a number of choices, those that are made last: up to eight at once, of more four.
  function automatic int unsigned near_bits(input int unsigned bits);
    return bits > 3 ? 2 : bits;
  endfunction

  localparam int unsigned UNIT      = gcd(IN_BYTES, OUT_BYTES);  // bytes of a unit
  localparam int unsigned UNIT_BITS = 9 * UNIT;                  // its bits, with those of TKEEP on top
  localparam int unsigned KEEP      = 8 * UNIT;                  // whether it has bytes at all
  localparam int unsigned IN        = IN_BYTES / UNIT;           // units per word in
  localparam int unsigned OUT       = OUT_BYTES / UNIT;          // units per word out

  logic [IN-1:0][UNIT_BITS-1:0] units;  // of the word in
  for (genvar i = 0; i < IN; i++) begin : gen_in
    assign units[i] = {s_axis_TKEEP[UNIT*i +: UNIT], s_axis_TDATA[8*UNIT*i +: 8*UNIT]};
  end

  if (UNIT == IN_BYTES || UNIT == OUT_BYTES) begin : gen_check
    $error("shell_gearbox: of IN_BYTES=%0d and OUT_BYTES=%0d neither may divide the other", IN_BYTES, OUT_BYTES);
  end else if (IN > OUT) begin : gen_narrower
    localparam int unsigned PLACE_BITS = $clog2(IN);
    localparam int unsigned STEPS      = PLACE_BITS > 3 ? (PLACE_BITS + 1) / 2 : 1;  // in which a place is chosen
    localparam int unsigned FIRST_LOW  = 2 * (STEPS - 1);                            // bits for all but the first
    localparam int unsigned FIRST      = (IN + (1 << FIRST_LOW) - 1) >> FIRST_LOW;   // choices of the first
    localparam int unsigned WINDOW     = (FIRST << FIRST_LOW) + OUT;                 // units
    localparam int unsigned NEAR       = OUT + (STEPS > 1 ? 4 : WINDOW - OUT);       // those at the last step

    logic [OUT-2:0][UNIT_BITS-1:0]    tail_q;   // the last units of the word before
    logic [IN-1:0][UNIT_BITS-1:0]     word_q;
    logic [WINDOW-1:0][UNIT_BITS-1:0] window;   // behind them no unit has bytes
    logic [OUT:0][UNIT_BITS-1:0]      chosen;   // the units of the word out and the one behind
    logic [PLACE_BITS-1:0]            place_q;  // in the window, of the next word out
    logic                             have_q;   // the window has that word
    logic                             ends_q;   // it is the last one that ends in the window
    logic                             last_q;   // the transfer's last byte is in the window
    logic                             done_q;   // the last transfer has left
    logic                             none_behind;  // no unit behind that word has bytes
    logic                             move, take, ends_d, final_word, unused_behind;
    logic [PLACE_BITS-1:0]            place_d;
    logic [NEAR-1:0][UNIT_BITS-1:0]   near;         // what the last step chooses from
    logic [PLACE_BITS-1:0]            near_place;   // at that place,
    logic                             near_final;   // and whether it is the transfer's last word
    logic                             near_ready, out_valid, out_ready;
    logic [OUT_BYTES-1:0]             out_keep;
    logic [8*OUT_BYTES-1:0]           out_data;

    assign window = (WINDOW*UNIT_BITS)'({word_q, tail_q});
    // A step goes as far as its bits of the place say, and keeps what the steps behind it can reach.
    for (genvar s = 0; s < STEPS; s++) begin : gen_step
      localparam int unsigned LOW     = 2 * (STEPS - 1 - s);
      localparam int unsigned CHOICES = s == 0 ? FIRST : 4;
      localparam int unsigned BITS    = index_bits(CHOICES);
      logic [OUT+(1<<LOW)-1:0][UNIT_BITS-1:0] reached;
      logic [BITS-1:0]                        far;  // how far
      assign far = BITS'((s < STEPS - 1 ? place_q : near_place)>>LOW);
      for (genvar i = 0; i < OUT + (1 << LOW); i++) begin : gen_unit
        logic [CHOICES-1:0][UNIT_BITS-1:0] choices;
        for (genvar by = 0; by < CHOICES; by++) begin : gen_choice
          if (s == 0) begin : gen_window
            assign choices[by] = window[i+(by<<LOW)];
          end else if (s < STEPS - 1) begin : gen_reached
            assign choices[by] = gen_step[s-1].reached[i+(by<<LOW)];
          end else begin : gen_near
            assign choices[by] = near[i+by];
          end
        end
        assign reached[i] = choices[far];
      end
    end
    assign chosen = gen_step[STEPS-1].reached;
    for (genvar o = 0; o < OUT; o++) begin : gen_out
      assign {out_keep[UNIT*o +: UNIT], out_data[8*UNIT*o +: 8*UNIT]} = chosen[o];
    end

    if (STEPS > 2) begin : gen_in_two_cycles  // the last of three steps has a cycle of its own
      headrace_single_slice #(.BITS(1 + 2 + NEAR * UNIT_BITS)) u_near (
        .ap_clk, .ap_rst_n,
        .s_axis_TDATA({final_word, place_q[1:0], gen_step[STEPS-2].reached}),
        .s_axis_TVALID(have_q), .s_axis_TREADY(near_ready),
        .m_axis_TDATA({near_final, near_place[1:0], near}), .m_axis_TVALID(out_valid), .m_axis_TREADY(out_ready)
      );
      assign near_place[PLACE_BITS-1:2] = '0;
    end else begin : gen_at_once
      if (STEPS > 1) begin : gen_near
        assign near = gen_step[0].reached;
      end else begin : gen_window
        assign near = window;
      end
      assign near_place = place_q;
      assign near_ready = out_ready;
      assign out_valid  = have_q;
      assign near_final = final_word;
    end

    // Whether units behind the word out have bytes: the next one is looked at, or of long words noted as the word comes.
    if (STEPS > 2) begin : gen_noted
      logic [IN-1:0] has;  // units of the word in that have bytes
      for (genvar i = 0; i < IN; i++) begin : gen_has
        assign has[i] = units[i][KEEP];
      end
      headrace_shell_behind #(.IN(IN), .OUT(OUT)) u_behind (
        .ap_clk, .restart(!ap_rst_n || (move && final_word)), .take, .has,
        .note(!have_q || (move && ends_q)), .nothing(last_q), .move, .place(place_q), .next_place(place_d), .none_behind
      );
    end else begin : gen_looked_at
      assign none_behind = !chosen[OUT][KEEP];
      assign place_d     = ends_q ? place_q - PLACE_BITS'(IN - OUT) : place_q + PLACE_BITS'(OUT);
    end

    assign move          = have_q && near_ready;
    assign unused_behind = ^chosen[OUT];
    assign final_word    = last_q && none_behind;
    assign s_axis_TREADY = ap_rst_n && (!have_q || (near_ready && ends_q && !last_q));
    assign take          = s_axis_TVALID && s_axis_TREADY;
    assign ends_d        = 32'(place_d) >= IN - OUT;

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        have_q <= 1'b0;
        last_q <= 1'b0;
        done_q <= 1'b1;
      end else begin
        if (!have_q || (move && ends_q && !last_q)) have_q <= take;
        else if (move && final_word) have_q <= 1'b0;
        last_q <= take ? s_axis_TLAST : last_q && !(move && final_word);
        done_q <= done_q ? !take : move && final_word;
      end
    end
    always_ff @(posedge ap_clk) begin
      if (done_q) begin
        place_q <= PLACE_BITS'(OUT - 1);
        ends_q  <= 2 * OUT > IN;
      end else if (move) begin
        place_q <= place_d;
        ends_q  <= ends_d;
      end
    end

    // What comes while no word is there is taken over and over, until it is one.
    always_ff @(posedge ap_clk) begin
      if (!have_q || (move && ends_q)) begin
        for (int unsigned i = 0; i < IN; i++) begin
          word_q[i] <= {units[i][KEEP +: UNIT] & {UNIT{!last_q}}, units[i][KEEP-1:0]};
        end
      end
      if (move && ends_q) tail_q <= word_q[IN-1 -: OUT-1];
    end

    headrace_skid #(.BITS(9 * OUT_BYTES + 1)) u_out (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA({near_final, out_keep, out_data}), .s_axis_TVALID(out_valid), .s_axis_TREADY(out_ready),
      .m_axis_TDATA({m_axis_TLAST, m_axis_TKEEP, m_axis_TDATA}), .m_axis_TVALID, .m_axis_TREADY
    );
  end else begin : gen_wider
    localparam int unsigned PLACE_BITS = $clog2(OUT);
    localparam int unsigned TURN_BITS  = $clog2(IN);
    localparam int unsigned NEAR_BITS  = near_bits(TURN_BITS);
    localparam int unsigned NEAR       = 1 << NEAR_BITS;
    localparam int unsigned FAR        = (IN + NEAR - 1) / NEAR;
    localparam int unsigned FAR_BITS   = index_bits(FAR);
    localparam int unsigned TURN       = OUT % IN;  // less from word out to word out

    logic [IN-1:0][UNIT_BITS-1:0] turning, turned;
    logic [IN-2:0][UNIT_BITS-1:0] waits_q;  // units for the next word out
    logic [PLACE_BITS-1:0]        place_q;  // of the next word in, in the word out; behind a full one in the next
    logic [TURN_BITS-1:0]         turn_q;   // place_q modulo IN
    logic                         full_q;   // the word out is there
    logic                         last_q;   // no word in of the transfer is to come
    logic                         over_q;   // units of its last word are in front of the next word out
    logic                         spills;   // they have bytes
    logic                         leave, take, completes;
    logic [OUT-1:0]               here;     // places in the word out that the word in has units for
    logic [OUT-1:0]               earlier;  // those that one before has units for, where it reached beyond a word out

    assign leave         = full_q && m_axis_TREADY;
    assign s_axis_TREADY = ap_rst_n && (!full_q || (m_axis_TREADY && !over_q));
    assign take          = s_axis_TVALID && s_axis_TREADY;
    assign completes     = 32'(place_q) >= OUT - IN;
    assign spills        = over_q && waits_q[0][KEEP];

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        full_q  <= 1'b0;
        over_q  <= 1'b0;
        place_q <= '0;
        turn_q  <= '0;
      end else if (take) begin
        full_q <= s_axis_TLAST || completes;
        over_q <= s_axis_TLAST && 32'(place_q) > OUT - IN;
        if (completes) begin
          place_q <= place_q - PLACE_BITS'(OUT - IN);
          turn_q  <= turn_q < TURN_BITS'(TURN) ? turn_q + TURN_BITS'(IN - TURN) : turn_q - TURN_BITS'(TURN);
        end else if (s_axis_TLAST) begin
          place_q <= '0;
          turn_q  <= '0;
        end else begin
          place_q <= place_q + PLACE_BITS'(IN);
        end
      end else if (leave) begin
        full_q <= spills;
        over_q <= 1'b0;
        if (over_q) begin
          place_q <= '0;
          turn_q  <= '0;
        end
      end
    end
    always_ff @(posedge ap_clk) if (take) last_q <= s_axis_TLAST;

    // Unit u of the word at place p is turned to u + p, so that a place of the word out gets the same one always; by
    // little and then by much.
    for (genvar i = 0; i < IN; i++) begin : gen_turned
      logic [NEAR-1:0][UNIT_BITS-1:0] near;
      logic [FAR-1:0][UNIT_BITS-1:0]  far;
      for (genvar by = 0; by < NEAR; by++) begin : gen_near
        assign near[by] = units[(i+NEAR*IN-by)%IN];
      end
      for (genvar by = 0; by < FAR; by++) begin : gen_far
        assign far[by] = turning[(i+NEAR*FAR*IN-NEAR*by)%IN];
      end
      assign turning[i] = near[turn_q[NEAR_BITS-1:0]];
      assign turned[i]  = far[FAR_BITS'(turn_q>>NEAR_BITS)];
    end

    if (OUT > 2 * IN) begin : gen_ring
      // A ring of the places from place_q on. Beyond the end of the word out it covers the first places of the next.
      logic [OUT-1:0] covers_q;
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n || (take ? s_axis_TLAST && !completes : leave && over_q)) covers_q <= OUT'((1 << IN) - 1);
        else if (take) covers_q <= {covers_q[OUT-IN-1:0], covers_q[OUT-1:OUT-IN]};
      end
      assign here    = {covers_q[OUT-1:IN-1], covers_q[IN-2:0] & {IN-1{!covers_q[OUT-1]}}};
      assign earlier = ~covers_q;
    end else begin : gen_table
      for (genvar o = 0; o < OUT; o++) begin : gen_place
        logic [OUT-1:0] places, later;  // by place_q
        for (genvar p = 0; p < OUT; p++) begin : gen_from
          assign places[p] = p <= o && o < p + IN;
          assign later[p]  = o < p;
        end
        assign here[o]    = places[place_q];
        assign earlier[o] = later[place_q];
      end
    end

    for (genvar o = 0; o < OUT; o++) begin : gen_out
      logic [UNIT_BITS-1:0] unit, unit_q;
      logic                 comes, waited;
      assign comes = take && here[o];
      if (o < IN - 1) begin : gen_both
        always_ff @(posedge ap_clk) if (take) waits_q[o] <= turned[(o+OUT)%IN];
        assign waited = earlier[o];
        assign unit   = waited ? waits_q[o] : turned[o];
      end else begin : gen_one
        logic unused_earlier;
        assign unused_earlier = earlier[o];
        assign waited         = 1'b0;
        assign unit           = turned[o%IN];
      end
      always_ff @(posedge ap_clk) begin
        if (comes || (leave && waited)) unit_q[KEEP-1:0] <= unit[KEEP-1:0];
        if (!ap_rst_n) unit_q[KEEP +: UNIT] <= '0;
        else if (comes || leave) unit_q[KEEP +: UNIT] <= comes || waited ? unit[KEEP +: UNIT] : '0;
      end
      assign {m_axis_TKEEP[UNIT*o +: UNIT], m_axis_TDATA[8*UNIT*o +: 8*UNIT]} = unit_q;
    end
    assign m_axis_TVALID = full_q;
    assign m_axis_TLAST  = last_q && !spills;
  end

endmodule
