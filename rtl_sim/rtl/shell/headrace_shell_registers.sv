// Register file of the shell behind AXI4-Lite, 32 bits wide: what the accelerator is, control and counters.
//
// The address map is that of generator/headrace/board/shell_registers.py, which documents it; the drivers come from there.
// One access at a time; a read takes four cycles. An address without a register reads 0 and ignores what is written.
module headrace_shell_registers import headrace_pkg::*; #(
  parameter logic [31:0]  VERSION    = 32'h0,   // of headrace: major, minor, patch in the low three bytes
  parameter logic [255:0] HASH       = 256'h0,  // SHA-256 of the model, its first byte highest
  parameter bit           HASH_BLOCK = 0,       // it is the contents of a block RAM and not logic
  parameter logic [31:0]  IN_BYTES   = 32'd1,   // bytes of a frame in
  parameter logic [31:0]  OUT_BYTES  = 32'd1,   // bytes of a frame out
  parameter int unsigned  FIFOS      = 0,       // high-water marks
  parameter bit           OBSERVE    = 0        // stalls are counted
) (
  input  logic        ap_clk,                // clock
  input  logic        ap_rst_n,              // synchronous reset, active low

  input  logic [15:0] s_axi_control_AWADDR,  // write address
  input  logic        s_axi_control_AWVALID, // write address is there
  output logic        s_axi_control_AWREADY, // write address is taken
  input  logic [31:0] s_axi_control_WDATA,   // what is written
  input  logic [3:0]  s_axi_control_WSTRB,   // its bytes that count: all or nothing
  input  logic        s_axi_control_WVALID,  // data are there
  output logic        s_axi_control_WREADY,  // data are taken
  output logic [1:0]  s_axi_control_BRESP,   // always OKAY
  output logic        s_axi_control_BVALID,  // the write is done
  input  logic        s_axi_control_BREADY,  // the answer is taken
  input  logic [15:0] s_axi_control_ARADDR,  // read address
  input  logic        s_axi_control_ARVALID, // read address is there
  output logic        s_axi_control_ARREADY, // read address is taken
  output logic [31:0] s_axi_control_RDATA,   // what is read
  output logic [1:0]  s_axi_control_RRESP,   // always OKAY
  output logic        s_axi_control_RVALID,  // the data are there
  input  logic        s_axi_control_RREADY,  // the data are taken

  output logic        core_rst_n,            // reset of the accelerator and its streams
  output logic        hold,                  // words that come are to be taken and dropped
  output logic [31:0] frames,                // frames per transfer
  input  logic        arrives,               // a word is offered to the shell
  input  logic        in_valid,              // a word is offered to the accelerator
  input  logic        in_ready,              // the accelerator takes a word
  input  logic        in_frame_end,          // it takes the last one of a frame
  input  logic        out_valid,             // the accelerator offers a word
  input  logic        out_ready,             // the word is taken
  input  logic        out_frame_end,         // it is the last one of a frame
  input  logic        cut_word,              // a transfer ended inside a word
  input  logic        cut_frame,             // a transfer ended inside a frame
  input  logic        cut_weights,           // a transfer of weights ended before the last of a matrix
  input  logic        weights_wait,          // the accelerator waits for weights from outside
  input  logic [(FIFOS > 0 ? 32*FIFOS : 1)-1:0] marks, // most words that each FIFO held
  output load_t       load                   // new words of memories
);

  localparam int unsigned RESET_CYCLES = 32;
  localparam int unsigned QUIET_CYCLES = 256;
  // Bits of the registers control and status.
  localparam int unsigned CONTROL_RESET = 0, CONTROL_CLEAR = 1, CONTROL_HOLD = 2;
  localparam int unsigned STATUS_IN_RESET = 0, STATUS_CUT_WORD = 1, STATUS_CUT_FRAME = 2, STATUS_CUT_WEIGHTS = 3,
                          STATUS_QUIET = 4;
  localparam int unsigned MARK_BITS    = index_bits(FIFOS);
  localparam logic [31:0]  MAGIC      = 32'h48445243;  // "HDRC"
  localparam logic [255:0] LOGIC_HASH = HASH_BLOCK ? '0 : HASH;

  // Writing: address and data are kept until both are there.
  logic [15:0] write_address_q;
  logic [31:0] write_data_q;
  logic        address_there_q, data_there_q, write_all_q, answer_q, write;
  assign s_axi_control_AWREADY = !address_there_q;
  assign s_axi_control_WREADY  = !data_there_q;
  assign s_axi_control_BVALID  = answer_q;
  assign s_axi_control_BRESP   = 2'b00;
  assign write = address_there_q && data_there_q && !answer_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      address_there_q <= 1'b0;
      data_there_q    <= 1'b0;
      answer_q        <= 1'b0;
    end else begin
      address_there_q <= address_there_q ? !write : s_axi_control_AWVALID;
      data_there_q    <= data_there_q ? !write : s_axi_control_WVALID;
      answer_q        <= answer_q ? !s_axi_control_BREADY : write;
    end
    if (!address_there_q) write_address_q <= s_axi_control_AWADDR;
    if (!data_there_q) begin
      write_data_q <= s_axi_control_WDATA;
      write_all_q  <= s_axi_control_WSTRB == '1;
    end
  end

  logic write_control, write_frames, write_memory, write_word, push, clear;
  assign write_control = write && write_all_q && write_address_q[15:2] == 14'h003;
  assign write_frames  = write && write_all_q && write_address_q[15:2] == 14'h004;
  assign write_memory  = write && write_all_q && write_address_q[15:2] == 14'h018;
  assign write_word    = write && write_all_q && write_address_q[15:2] == 14'h019;
  assign push          = write && write_all_q && write_address_q[15:12] == 4'h1;
  assign clear         = write_control && (write_data_q[CONTROL_RESET] || write_data_q[CONTROL_CLEAR]);

  // The accelerator's reset lasts some cycles, also after that of the shell and after it was held.
  logic [$clog2(RESET_CYCLES)-1:0] reset_left_q;
  /* verilator lint_off PROCASSINIT */ // the value at power-up
  logic                            core_rst_n_q = 1'b0;
  /* verilator lint_on PROCASSINIT */
  logic                            hold_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) hold_q <= 1'b0;
    else if (write_control) hold_q <= write_data_q[CONTROL_HOLD];
    if (!ap_rst_n || hold_q || (write_control && write_data_q[CONTROL_RESET])) reset_left_q <= '1;
    else if (reset_left_q != '0) reset_left_q <= reset_left_q - 1'b1;
    core_rst_n_q <= ap_rst_n && reset_left_q == '0;
  end
  assign core_rst_n = core_rst_n_q;
  assign hold       = hold_q;

  // What stood in front of the shell when it was held has passed.
  logic [$clog2(QUIET_CYCLES)-1:0] noisy_q;
  always_ff @(posedge ap_clk) begin
    if (!hold_q || arrives) noisy_q <= '1;
    else if (noisy_q != '0) noisy_q <= noisy_q - 1'b1;
  end

  logic [31:0] frames_q;
  assign frames = frames_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) frames_q <= 32'd1;
    else if (write_frames) frames_q <= write_data_q;
  end

  // Memories: the chosen one, the word where writing begins, and what is written from there on.
  logic [7:0]  memory_q;
  load_t       load_q;
  assign load = load_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      memory_q <= '0;
      load_q   <= '0;
    end else begin
      if (write_memory) memory_q <= write_data_q[7:0];
      load_q <= {write_word, push, memory_q, write_data_q};
    end
  end

  // What happens, in registers of its own: words come from far away, and counters are long.
  logic enters_q, leaves_q, cuts_word_q, cuts_frame_q, cuts_weights_q;
  always_ff @(posedge ap_clk) begin
    enters_q       <= in_frame_end && !clear;
    leaves_q       <= out_valid && out_ready && out_frame_end && !clear;
    cuts_word_q    <= cut_word && !clear;
    cuts_frame_q   <= cut_frame && !clear;
    cuts_weights_q <= cut_weights && !clear;
  end

  // Counters; they wrap.
  logic [31:0] cycles_q, frames_in_q, frames_out_q, in_stalls, in_waits, out_stalls, weight_waits;
  logic        cut_word_q, cut_frame_q, cut_weights_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n || clear) begin
      cycles_q       <= '0;
      frames_in_q    <= '0;
      frames_out_q   <= '0;
      cut_word_q     <= 1'b0;
      cut_frame_q    <= 1'b0;
      cut_weights_q  <= 1'b0;
    end else begin
      cycles_q       <= cycles_q + 32'd1;
      frames_in_q    <= frames_in_q + 32'(enters_q);
      frames_out_q   <= frames_out_q + 32'(leaves_q);
      cut_word_q     <= cut_word_q || cuts_word_q;
      cut_frame_q    <= cut_frame_q || cuts_frame_q;
      cut_weights_q  <= cut_weights_q || cuts_weights_q;
    end
  end

  if (OBSERVE) begin : gen_stalls
    headrace_shell_stalls u_stalls (
      .ap_clk, .ap_rst_n, .clear, .in_valid, .in_ready, .out_valid, .out_ready, .weights_wait,
      .in_stalls, .in_waits, .out_stalls, .weight_waits
    );
  end else begin : gen_no_stalls
    logic unused_stalls;
    assign unused_stalls = in_valid ^ in_ready ^ weights_wait;
    assign {in_stalls, in_waits, out_stalls, weight_waits} = '0;
  end

  // Reading: address, choice, answer.
  logic [13:0] index_q;
  logic        asked_q, chosen_q, offered_q;
  logic [31:0] status, fixed_d, fixed_q, mark_q, hash_word, read_q;
  always_comb begin
    status                     = '0;
    status[STATUS_IN_RESET]    = !core_rst_n_q;
    status[STATUS_CUT_WORD]    = cut_word_q;
    status[STATUS_CUT_FRAME]   = cut_frame_q;
    status[STATUS_CUT_WEIGHTS] = cut_weights_q;
    status[STATUS_QUIET]       = noisy_q == '0;
  end
  always_comb begin
    case (index_q[4:0])
      5'h00: fixed_d = MAGIC;
      5'h01: fixed_d = VERSION;
      5'h02: fixed_d = status;
      5'h04: fixed_d = frames_q;
      5'h05: fixed_d = IN_BYTES;
      5'h06: fixed_d = OUT_BYTES;
      5'h07: fixed_d = 32'(FIFOS);
      5'h08: fixed_d = LOGIC_HASH[255:224];
      5'h09: fixed_d = LOGIC_HASH[223:192];
      5'h0a: fixed_d = LOGIC_HASH[191:160];
      5'h0b: fixed_d = LOGIC_HASH[159:128];
      5'h0c: fixed_d = LOGIC_HASH[127:96];
      5'h0d: fixed_d = LOGIC_HASH[95:64];
      5'h0e: fixed_d = LOGIC_HASH[63:32];
      5'h0f: fixed_d = LOGIC_HASH[31:0];
      5'h10: fixed_d = cycles_q;
      5'h11: fixed_d = frames_out_q;
      5'h12: fixed_d = in_stalls;
      5'h13: fixed_d = in_waits;
      5'h14: fixed_d = out_stalls;
      5'h15: fixed_d = weight_waits;
      5'h16: fixed_d = frames_in_q;
      5'h17: fixed_d = 32'(OBSERVE);
      5'h18: fixed_d = 32'(memory_q);
      default: fixed_d = '0;
    endcase
  end

  // The marks lie from 0x400 on, one every 4 bytes.
  if (FIFOS > 0) begin : gen_marks
    logic [31:0] words [FIFOS];
    for (genvar i = 0; i < FIFOS; i++) begin : gen_words
      assign words[i] = marks[32*i +: 32];
    end
    always_ff @(posedge ap_clk) begin
      mark_q <= '0;
      if (index_q[13:8] == 6'h01 && 32'(index_q[7:0]) < FIFOS) mark_q <= words[index_q[MARK_BITS-1:0]];
    end
  end else begin : gen_no_marks
    logic unused_marks;
    assign unused_marks = ^marks;
    assign mark_q = '0;
  end

  // Other weights of a model then differ in what memories hold, and in nothing else. The rows that are not read are those
  // of the hash inverted: synthesis would make logic of a column with the same bit in all rows.
  if (HASH_BLOCK) begin : gen_hash
    (* rom_style = "block" *)
    logic [31:0] words [16];
    logic [31:0] word_q;
    logic        chosen_hash_q;
    initial begin
      for (int k = 0; k < 8; k++) begin
        words[k]   = ~HASH[255-32*k-:32];
        words[k+8] = HASH[255-32*k-:32];
      end
    end
    always_ff @(posedge ap_clk) begin
      word_q        <= words[index_q[3:0]];
      chosen_hash_q <= index_q[13:3] == 11'h001;
    end
    assign hash_word = chosen_hash_q ? word_q : '0;
  end else begin : gen_no_hash
    assign hash_word = '0;
  end

  assign s_axi_control_ARREADY = !asked_q && !chosen_q && !offered_q;
  assign s_axi_control_RVALID  = offered_q;
  assign s_axi_control_RDATA   = read_q;
  assign s_axi_control_RRESP   = 2'b00;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      asked_q   <= 1'b0;
      chosen_q  <= 1'b0;
      offered_q <= 1'b0;
    end else begin
      asked_q   <= s_axi_control_ARREADY && s_axi_control_ARVALID;
      chosen_q  <= asked_q;
      offered_q <= chosen_q || (offered_q && !s_axi_control_RREADY);
    end
    if (s_axi_control_ARREADY) index_q <= s_axi_control_ARADDR[15:2];
    fixed_q <= index_q[13:5] == '0 ? fixed_d : '0;
    if (chosen_q) read_q <= fixed_q | mark_q | hash_word;
  end

  logic unused_low_bits;  // of addresses: a register is a whole word
  assign unused_low_bits = ^{write_address_q[1:0], s_axi_control_ARADDR[1:0]};

  if (FIFOS > 256) begin : gen_check
    $error("shell_registers: FIFOS=%0d must be at most 256", FIFOS);
  end

endmodule
