// Executes the commands of good packets one after the other and answers each: registers are accessed, frames go into an
// AXI4-Stream.
//
// Commands, payloads and codes are those of docs/serial.md. A command with a code other than OK takes all of its payload,
// so that the next one begins where it should. Where the accelerator takes no byte for PATIENCE cycles, the rest of RUN
// and every RUN after it are dropped until RESET.
//
// Invariant: bytes move in every other cycle at most, so that what is known of left_q is true when one is offered.
module headrace_serial_commands #(
  parameter int unsigned BUFFER   = 2048,     // bytes that packets may take before they are answered
  parameter int unsigned PATIENCE = 50000000, // cycles
  parameter logic [39:0] IN_WORD  = 40'h0,    // a word in: its bytes (16 bits), bits of a lane (8), lanes (16)
  parameter logic [39:0] OUT_WORD = 40'h0     // a word out
) (
  input  logic        ap_clk,         // clock
  input  logic        ap_rst_n,       // synchronous reset, active low

  input  logic [7:0]  data,           // next byte of packets
  input  logic        valid,          // it is there, not in the cycle after another one was taken
  output logic        take,           // it is taken

  output logic        answer,         // there is an answer
  output logic [7:0]  answer_command, // of its header
  output logic [7:0]  answer_tag,     // of its header
  output logic [7:0]  answer_code,    // of its header
  output logic [15:0] answer_length,  // bytes of its payload
  output logic [7:0]  answer_data,    // next of them
  output logic        answer_valid,   // it is there
  input  logic        answer_take,    // it is taken
  input  logic        answer_done,    // the answer has been sent, in this cycle

  output logic        clear,          // results are to be dropped
  input  logic        results_busy,   // results are on their way

  output logic [7:0]  m_axis_TDATA,   // byte of frames
  output logic        m_axis_TLAST,   // the last of a transfer
  output logic        m_axis_TVALID,  // byte is there
  input  logic        m_axis_TREADY,  // byte is taken

  output logic        read,           // a register is to be read
  output logic        write,          // or written
  output logic [15:0] address,        // its offset
  output logic [31:0] value,          // what is written
  input  logic        done,           // the access has ended, in this cycle
  input  logic [31:0] read_value      // what was read
);

  localparam logic [7:0]  IDENTIFY = 8'h01, READ = 8'h02, WRITE = 8'h03, RUN = 8'h04, RESET = 8'h05, ECHO = 8'h06;
  localparam logic [7:0]  OK = 8'd0, LENGTH = 8'd2, UNKNOWN = 8'd3, TIMEOUT = 8'd5;
  localparam logic [7:0]  PROTOCOL = 8'd1;
  localparam logic [95:0] IDENTITY = {OUT_WORD, IN_WORD, 8'($clog2(BUFFER)), PROTOCOL};
  localparam logic [3:0]  IDENTITY_BYTES     = 4'd12;
  localparam logic [7:0]  IDENTITY_REGISTERS = 8'd16;
  localparam logic [15:0] IDENTITY_LENGTH    = 16'(IDENTITY_BYTES) + 16'(4 * IDENTITY_REGISTERS);
  localparam logic [15:0] CONTROL = 16'h000C;  // a register, and its bit that holds the accelerator
  localparam logic [31:0] HOLD    = 32'h4;
  localparam int unsigned PATIENCE_BITS = $clog2(PATIENCE + 1) + 1;
  localparam int unsigned CLEAR_BITS    = 10;

  // HEAD: its five bytes come. MEASURE, CHOOSE: what is it? ARGUMENTS: offset and count come. VALUE, STORE: a value comes
  // and is written. FEED: frames go. DROP: the payload goes nowhere. CLEAR: a reset lasts. ANSWER: the answer goes.
  typedef enum logic [3:0] {HEAD, MEASURE, CHOOSE, ARGUMENTS, VALUE, STORE, FEED, DROP, CLEAR, ANSWER} state_t;
  state_t state_q, state_d, chosen;

  logic [7:0]               command_q, tag_q, code_q, chosen_code;
  logic                     last_q, failed_q;
  logic [15:0]              left_q, length_q;  // bytes of the payload that come, bytes of that of the answer
  logic                     none_q, one_q, three_q, whole_q, settled_q;  // what left_q is; it is known
  logic [3:0]               place_q;     // of a byte in the state
  logic [15:0]              offset_q;    // of a register
  logic [7:0]               count_q;     // registers that are still to be read
  logic [31:0]              value_q;
  logic [2:0]               have_q;      // bytes of value_q that are to be sent
  logic [PATIENCE_BITS-1:0] patience_q;  // its sign says that it is over
  logic [CLEAR_BITS-1:0]    clear_q;     // likewise
  logic                     echo_q, identify_q;
  logic [7:0]               identity_byte_q;  // that of IDENTITY at place_q, late by a cycle
  logic                     taken_q;     // a byte of the answer was
  logic                     takes_all;   // the state takes every byte
  logic                     moves, gives_up, identifies, restarts, steps;

  assign moves    = take && valid;
  assign gives_up = state_q == FEED && patience_q[PATIENCE_BITS-1] && !moves && !none_q;

  assign takes_all = state_q == HEAD || state_q == ARGUMENTS || state_q == VALUE;
  always_comb begin
    case (state_q)
      HEAD, ARGUMENTS, VALUE: take = 1'b1;
      DROP:    take = !none_q;
      FEED:    take = !none_q && m_axis_TREADY;
      ANSWER:  take = echo_q && answer_take;
      default: take = 1'b0;
    endcase
  end
  assign m_axis_TDATA  = data;
  assign m_axis_TLAST  = last_q && one_q;
  assign m_axis_TVALID = state_q == FEED && valid && !none_q;

  // What a command is to do.
  always_comb begin
    chosen      = DROP;
    chosen_code = LENGTH;
    case (command_q)
      IDENTIFY: if (none_q) chosen = ANSWER;
      READ:     if (three_q) chosen = ARGUMENTS;
      WRITE:    if (whole_q) chosen = ARGUMENTS;
      RUN:      if (failed_q) chosen_code = TIMEOUT;
                else if (!none_q) chosen = FEED;
      RESET:    if (none_q) chosen = STORE;
      ECHO:     chosen = ANSWER;
      default:  chosen_code = UNKNOWN;
    endcase
    if (chosen != DROP) chosen_code = OK;
  end

  always_comb begin
    state_d = state_q;
    case (state_q)
      HEAD:      if (moves && place_q == 4'd4) state_d = MEASURE;
      MEASURE:   state_d = CHOOSE;
      CHOOSE:    state_d = chosen;
      ARGUMENTS: if (moves && command_q == READ && place_q == 4'd2) state_d = ANSWER;
                 else if (moves && command_q == WRITE && place_q == 4'd1) state_d = VALUE;
      VALUE:     if (moves && place_q == 4'd3) state_d = STORE;
      STORE:     if (done) state_d = command_q == RESET ? CLEAR : none_q ? ANSWER : VALUE;
      FEED:      if (settled_q && none_q) state_d = ANSWER;
                 else if (gives_up) state_d = DROP;
      DROP:      if (settled_q && none_q) state_d = ANSWER;
      CLEAR:     if (clear_q[CLEAR_BITS-1] && !results_busy) state_d = ANSWER;
      default:   if (answer_done) state_d = HEAD;
    endcase
  end

  // Where a state needs no place, it may stand still: `take` would come too late.
  assign restarts = state_q == MEASURE || state_q == CHOOSE || state_q == STORE || answer_done
                 || (valid && state_q == ARGUMENTS && command_q == WRITE && place_q[0]);
  assign steps    = (valid && takes_all) || answer_take;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      state_q  <= HEAD;
      failed_q <= 1'b0;
      place_q  <= '0;
    end else begin
      state_q  <= state_d;
      failed_q <= state_q != CLEAR && (failed_q || gives_up);
      if (restarts) place_q <= '0;
      else if (steps && place_q != IDENTITY_BYTES) place_q <= place_q + 1'b1;
    end
  end

  // The packet.
  always_ff @(posedge ap_clk) begin
    settled_q  <= !moves;
    echo_q     <= command_q == ECHO;
    identify_q <= command_q == IDENTIFY;
    identity_byte_q <= IDENTITY[8*place_q +: 8];
    taken_q    <= answer_take;
    none_q     <= left_q == '0;
    one_q      <= left_q == 16'd1;
    three_q    <= left_q == 16'd3;
    whole_q    <= left_q[1:0] == 2'd2 && left_q[15:2] != '0;
    if (moves && state_q == HEAD) begin
      if (place_q == 4'd0) command_q <= data;
      if (place_q == 4'd1) tag_q <= data;
      if (place_q == 4'd2) last_q <= data[0];
      left_q <= {data, left_q[15:8]};
    end else if (moves) begin
      left_q <= left_q - 1'b1;
    end
    if (state_q == CHOOSE) code_q <= chosen_code;
    else if (gives_up) code_q <= TIMEOUT;
    patience_q <= state_q != FEED || moves ? PATIENCE_BITS'(PATIENCE) : patience_q - 1'b1;
    clear_q    <= state_q != CLEAR ? '0 : clear_q + CLEAR_BITS'(!clear_q[CLEAR_BITS-1]);
  end

  // Registers, and the payload of an answer.
  assign identifies   = identify_q && place_q != IDENTITY_BYTES;
  assign read         = state_q == ANSWER && have_q == '0 && count_q != '0;
  assign write        = state_q == STORE;
  assign address      = offset_q;
  assign value        = value_q;
  assign answer_data  = echo_q ? data : identifies ? identity_byte_q : value_q[7:0];
  assign answer_valid = echo_q ? valid : identifies ? !taken_q : have_q != '0;

  always_ff @(posedge ap_clk) begin
    if (state_q == CHOOSE) begin
      offset_q <= command_q == RESET ? CONTROL : '0;
      value_q  <= HOLD;
      have_q   <= '0;
      count_q  <= command_q == IDENTIFY && none_q ? IDENTITY_REGISTERS : '0;
      length_q <= command_q == ECHO ? left_q : command_q == IDENTIFY && none_q ? IDENTITY_LENGTH : '0;
    end else if (moves && state_q == ARGUMENTS && place_q < 4'd2) begin
      offset_q <= {data, offset_q[15:8]};
    end else if (moves && state_q == ARGUMENTS) begin
      count_q  <= data;
      length_q <= 16'({data, 2'b00});
    end else if (moves && state_q == VALUE) begin
      value_q <= {data, value_q[31:8]};
    end else if (done) begin
      offset_q <= offset_q + 16'd4;
      if (state_q == ANSWER) begin
        value_q <= read_value;
        have_q  <= 3'd4;
        count_q <= count_q - 1'b1;
      end
    end else if (answer_take && have_q != '0 && !identifies) begin
      value_q <= value_q >> 8;
      have_q  <= have_q - 1'b1;
    end
  end

  assign answer         = state_q == ANSWER;
  assign answer_command = {1'b1, command_q[6:0]};
  assign answer_tag     = tag_q;
  assign answer_code    = code_q;
  assign answer_length  = length_q;
  assign clear          = state_q == CLEAR;

endmodule
