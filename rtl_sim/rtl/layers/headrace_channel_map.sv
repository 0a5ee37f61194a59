// Channels of every pixel in another order, some left out, some twice, some constant.
//
// FORM says how:
//   MAP_FILTER  words stay in their order. A step takes a word or none and puts one or none: the word taken, the one
//               taken last, or the constant. The first step takes a word. MAP_FILE holds the steps of a pixel: bit 0
//               takes, bit 1 puts, bit 2 the constant, bit 3 the word that was taken last;
//   MAP_BUFFER  words of two pixels are stored, and leave in the order of MAP_FILE: their place in the pixel, or
//               CHANNELS/SIMD for the constant. A word out waits for its word, and the last of a pixel for all of them;
//   MAP_WIRES   a word is a pixel. MAP_FILE is one word of OUT_CHANNELS indices, CHANNELS for the constant.
module headrace_channel_map import headrace_pkg::*; #(
  parameter int    FORM         = MAP_FILTER, // how channels get their places
  parameter int    CHANNELS     = 4,          // channels in
  parameter int    OUT_CHANNELS = 4,          // channels out
  parameter int    PIXELS       = 1,          // pixels per frame
  parameter int    SIMD         = 2,          // channels per word in
  parameter int    PE           = 2,          // channels per word out
  parameter int    E_BITS       = 4,          // width of an element
  parameter int    CONSTANT     = 0,          // code of a constant channel
  parameter int    STEPS        = 2,          // MAP_FILTER: of a pixel
  parameter int    DEPTH        = 2,          // MAP_BUFFER: words stored, a power of two
  parameter string MAP_FILE     = ""          // what goes where
) (
  input  logic                           ap_clk,         // clock
  input  logic                           ap_rst_n,       // synchronous reset, active low
  input  logic [(SIMD*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // SIMD elements
  input  logic                           s_axis_TVALID,  // word in is there
  output logic                           s_axis_TREADY,  // word in is taken
  output logic [(PE*E_BITS+7)/8*8-1:0]   m_axis_TDATA,   // PE elements
  output logic                           m_axis_TVALID,  // word out is there
  input  logic                           m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS      = SIMD * E_BITS;
  localparam int unsigned OUT_BITS  = PE * E_BITS;
  localparam int unsigned FOLDS     = CHANNELS / SIMD;
  localparam int unsigned OUT_FOLDS = OUT_CHANNELS / PE;
  logic unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  if (FORM == MAP_BUFFER) begin : gen_buffer
    localparam int unsigned ADDR_BITS  = $clog2(DEPTH);
    localparam int unsigned LEVEL_BITS = ADDR_BITS + 1;
    localparam int unsigned INDEX_BITS = $clog2(FOLDS + 1);
    localparam int unsigned FOLD_BITS  = index_bits(OUT_FOLDS);

    logic [INDEX_BITS-1:0] places [OUT_FOLDS];
    initial $readmemh(MAP_FILE, places);

    // Words of the pixel that leaves, and of the one behind it, that were taken.
    logic [LEVEL_BITS-1:0] level_q, level_d;
    logic [ADDR_BITS-1:0]  taken_q, first_q;  // place of the next word in, and of the pixel's first one
    logic [FOLD_BITS-1:0]  fold_q;
    logic [INDEX_BITS-1:0] place;
    logic                  ready_q, valid_q, en, take, emit, constant, fold_last, there;

    assign place     = places[fold_q];
    assign constant  = place == INDEX_BITS'(FOLDS);
    assign fold_last = fold_q == FOLD_BITS'(OUT_FOLDS - 1);
    assign there     = fold_last ? level_q >= LEVEL_BITS'(FOLDS)
                                 : level_q > (constant ? '0 : LEVEL_BITS'(place));
    assign take      = s_axis_TVALID && ready_q;
    assign en        = m_axis_TREADY || !valid_q;
    assign emit      = en && there;
    assign level_d   = level_q + LEVEL_BITS'(take) - (emit && fold_last ? LEVEL_BITS'(FOLDS) : '0);

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        level_q <= '0;
        taken_q <= '0;
        first_q <= '0;
        fold_q  <= '0;
        ready_q <= 1'b0;
        valid_q <= 1'b0;
      end else begin
        level_q <= level_d;
        ready_q <= level_d != LEVEL_BITS'(DEPTH);
        if (take) taken_q <= taken_q + 1'b1;
        if (en) valid_q <= emit;
        if (emit) fold_q <= fold_last ? '0 : fold_q + 1'b1;
        if (emit && fold_last) first_q <= first_q + ADDR_BITS'(FOLDS);
      end
    end

    headrace_ram #(.DEPTH(DEPTH), .BITS(BITS), .CLEAR({SIMD{E_BITS'(CONSTANT)}})) u_words (
      .ap_clk, .write(take), .write_address(taken_q), .write_data(s_axis_TDATA[BITS-1:0]),
      .read(en), .read_address(first_q + ADDR_BITS'(place)), .clear(constant), .read_data(m_axis_TDATA[BITS-1:0])
    );
    assign s_axis_TREADY = ready_q;
    assign m_axis_TVALID = valid_q;
  end else begin : gen_pipeline
    logic                en;  // the output takes a word
    logic [BITS-1:0]     word;
    logic [OUT_BITS-1:0] result;
    logic                word_valid, word_ready, result_valid;

    headrace_skid #(.BITS(BITS)) u_in (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
      .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(word_ready)
    );

    if (FORM == MAP_FILTER) begin : gen_filter
      localparam int unsigned STEP_BITS = index_bits(STEPS);
      logic [3:0] steps [STEPS];
      initial $readmemh(MAP_FILE, steps);

      logic [STEP_BITS-1:0] step_q;
      logic [BITS-1:0]      last_q;  // the word that was taken last
      logic                 takes, puts, constant, again, there;
      assign {again, constant, puts, takes} = steps[step_q];

      assign there        = word_valid || !takes;
      assign word_ready   = en && takes;
      assign result_valid = there && puts;
      assign result       = constant ? {PE{E_BITS'(CONSTANT)}} : again ? last_q : word;
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n) step_q <= '0;
        else if (en && there) step_q <= step_q == STEP_BITS'(STEPS - 1) ? '0 : step_q + 1'b1;
      end
      always_ff @(posedge ap_clk) if (en && takes) last_q <= word;
    end else begin : gen_wires
      localparam int unsigned INDEX_BITS = $clog2(CHANNELS + 1);
      logic [OUT_CHANNELS*INDEX_BITS-1:0] places [1];
      initial $readmemh(MAP_FILE, places);

      logic [(CHANNELS+1)*E_BITS-1:0] all;  // the constant behind the channels
      assign all          = {E_BITS'(CONSTANT), word};
      assign word_ready   = en;
      assign result_valid = word_valid;
      for (genvar lane = 0; lane < OUT_CHANNELS; lane++) begin : gen_lane
        assign result[lane*E_BITS+:E_BITS] = all[places[0][lane*INDEX_BITS+:INDEX_BITS]*E_BITS+:E_BITS];
      end
    end

    headrace_single_slice #(.BITS(OUT_BITS)) u_out (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA(result), .s_axis_TVALID(result_valid), .s_axis_TREADY(en),
      .m_axis_TDATA(m_axis_TDATA[OUT_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
    );
  end
  if (OUT_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(OUT_BITS+7)/8*8-1:OUT_BITS] = '0;
  end

  if (FORM < MAP_FILTER || FORM > MAP_WIRES || PIXELS < 1 || STEPS < 1) begin : gen_check_mode
    $error("channel_map: FORM=%0d must be 0, 1 or 2, and PIXELS=%0d and STEPS=%0d at least 1", FORM, PIXELS, STEPS);
  end
  if (FORM == MAP_WIRES ? SIMD != CHANNELS || PE != OUT_CHANNELS
                        : SIMD != PE || CHANNELS % SIMD != 0 || OUT_CHANNELS % PE != 0) begin : gen_check_lanes
    $error("channel_map: SIMD=%0d and PE=%0d must be equal and divide CHANNELS=%0d and OUT_CHANNELS=%0d, or be them",
           SIMD, PE, CHANNELS, OUT_CHANNELS);
  end
  if (FORM == MAP_BUFFER && (DEPTH < 2 * FOLDS || DEPTH != 2 ** $clog2(DEPTH))) begin : gen_check_depth
    $error("channel_map: DEPTH=%0d must be a power of two that holds two pixels of %0d words", DEPTH, FOLDS);
  end
  if (FORM == MAP_FILTER && OUT_FOLDS > STEPS) begin : gen_check_steps
    $error("channel_map: STEPS=%0d are too few for %0d words out", STEPS, OUT_FOLDS);
  end

endmodule
