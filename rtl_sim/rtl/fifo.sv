// First-in first-out buffer of DEPTH words, first word falls through.
//
// Up to two words need no memory: one register slice holds them. Above, a memory of DEPTH words feeds the output slice;
// its read register and the slice hold up to three more. The register is filled whenever it is free, so that a reader
// that takes a burst after a pause finds no gap.
module fifo #(
  parameter int DEPTH  = 16,  // words held
  parameter int LANES  = 2,   // elements per word
  parameter int E_BITS = 4,   // width of an element
  parameter int WORDS  = 1    // words per frame
) (
  input  logic                             ap_clk,         // clock
  input  logic                             ap_rst_n,       // synchronous reset, active low
  input  logic [(LANES*E_BITS+7)/8*8-1:0]  s_axis_TDATA,   // LANES elements
  input  logic                             s_axis_TVALID,  // word in is there
  output logic                             s_axis_TREADY,  // word in is taken
  output logic [(LANES*E_BITS+7)/8*8-1:0]  m_axis_TDATA,   // LANES elements
  output logic                             m_axis_TVALID,  // word out is there
  input  logic                             m_axis_TREADY   // word out is taken
);

  localparam int unsigned BITS = LANES * E_BITS;

  logic [BITS-1:0] word;
  logic            word_valid, word_ready;
  logic            unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  if (DEPTH <= 2) begin : gen_slice
    assign word          = s_axis_TDATA[BITS-1:0];
    assign word_valid    = s_axis_TVALID;
    assign s_axis_TREADY = word_ready;
  end else begin : gen_memory
    localparam int unsigned ADDR_BITS  = $clog2(DEPTH);
    localparam int unsigned LEVEL_BITS = $clog2(DEPTH + 1);
    logic [BITS-1:0]       words [DEPTH];
    logic [BITS-1:0]       word_q;
    logic [ADDR_BITS-1:0]  write_q, read_q;
    logic [LEVEL_BITS-1:0] level_q, level_d;  // words in the memory
    logic                  ready_q, valid_q, free, push, pop;

    assign push    = s_axis_TVALID && ready_q;
    assign free    = word_ready || !valid_q;  // the read register
    assign pop     = free && level_q != '0;
    assign level_d = level_q + LEVEL_BITS'(push) - LEVEL_BITS'(pop);

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        write_q <= '0;
        read_q  <= '0;
        level_q <= '0;
        ready_q <= 1'b0;
        valid_q <= 1'b0;
      end else begin
        level_q <= level_d;
        ready_q <= level_d != LEVEL_BITS'(DEPTH);
        if (push) write_q <= write_q == ADDR_BITS'(DEPTH - 1) ? '0 : write_q + 1'b1;
        if (pop) read_q <= read_q == ADDR_BITS'(DEPTH - 1) ? '0 : read_q + 1'b1;
        if (free) valid_q <= pop;
      end
    end

    always_ff @(posedge ap_clk) begin
      if (push) words[write_q] <= s_axis_TDATA[BITS-1:0];
      if (pop) word_q <= words[read_q];
    end

    assign word          = word_q;
    assign word_valid    = valid_q;
    assign s_axis_TREADY = ready_q;
  end

  skid #(.BITS(BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(word), .s_axis_TVALID(word_valid), .s_axis_TREADY(word_ready),
    .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (DEPTH < 1 || LANES < 1 || E_BITS < 1 || WORDS < 1) begin : gen_check
    $error("fifo: DEPTH=%0d, LANES=%0d, E_BITS=%0d and WORDS=%0d must be at least 1", DEPTH, LANES, E_BITS, WORDS);
  end

endmodule
