// First-in first-out buffer of DEPTH words, first word falls through.
//
// Up to two words need no memory: one register slice holds them. Above, the read register of a memory of DEPTH words is
// the output and holds one more. It is filled whenever it is free, so that a reader that takes a burst finds no gap.
module headrace_fifo #(
  parameter int DEPTH  = 16,  // words held
  parameter int LANES  = 2,   // elements per word
  parameter int E_BITS = 4,   // width of an element
  parameter int WORDS  = 1,   // words per frame
  // Options, left out where they are not used:
  parameter bit URAM   = 0    // a memory of more than two words in UltraRAM
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

  logic unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  if (DEPTH <= 2) begin : gen_slice
    headrace_skid #(.BITS(BITS)) u_slice (
      .ap_clk, .ap_rst_n,
      .s_axis_TDATA(s_axis_TDATA[BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
      .m_axis_TDATA(m_axis_TDATA[BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
    );
  end else begin : gen_memory
    localparam int unsigned ADDR_BITS  = $clog2(DEPTH);
    localparam int unsigned LEVEL_BITS = ADDR_BITS + 1;
    localparam logic [LEVEL_BITS-1:0] EMPTY = -LEVEL_BITS'(DEPTH);
    logic [ADDR_BITS-1:0]  write_q, read_q;
    logic [LEVEL_BITS-1:0] level_q, level_d;  // words in the memory, less DEPTH: not full is negative
    logic                  ready_q, valid_q, push, pop;

    assign push = s_axis_TVALID && ready_q;
    assign pop  = (m_axis_TREADY || !valid_q) && level_q != EMPTY;
    headrace_carry_adder #(.BITS(LEVEL_BITS)) u_level (
      .a(level_q), .b({LEVEL_BITS{pop}}), .carry_in(push), .sum(level_d)
    );

    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) begin
        write_q <= '0;
        read_q  <= '0;
        level_q <= EMPTY;
        ready_q <= 1'b0;
        valid_q <= 1'b0;
      end else begin
        level_q <= level_d;
        ready_q <= level_d[LEVEL_BITS-1];
        if (push) write_q <= write_q == ADDR_BITS'(DEPTH - 1) ? '0 : write_q + 1'b1;
        if (pop) read_q <= read_q == ADDR_BITS'(DEPTH - 1) ? '0 : read_q + 1'b1;
        if (m_axis_TREADY || !valid_q) valid_q <= level_q != EMPTY;
      end
    end

    headrace_ram #(.DEPTH(DEPTH), .BITS(BITS), .URAM(URAM)) u_words (
      .ap_clk, .write(push), .write_address(write_q), .write_data(s_axis_TDATA[BITS-1:0]),
      .read(pop), .read_address(read_q), .clear(1'b0), .read_data(m_axis_TDATA[BITS-1:0])
    );
    assign s_axis_TREADY = ready_q;
    assign m_axis_TVALID = valid_q;
  end

  if (BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(BITS+7)/8*8-1:BITS] = '0;
  end

  if (DEPTH < 1 || LANES < 1 || E_BITS < 1 || WORDS < 1) begin : gen_check
    $error("fifo: DEPTH=%0d, LANES=%0d, E_BITS=%0d and WORDS=%0d must be at least 1", DEPTH, LANES, E_BITS, WORDS);
  end

endmodule
