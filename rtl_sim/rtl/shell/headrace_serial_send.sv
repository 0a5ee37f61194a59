// Packets to a serial line: errors, answers and results in turn, with marker and CRC.
//
// A source says what its packet is, and gives as many bytes as it said; all of it stays until `done`, and is another
// packet or none after it. A byte is sent in the cycle before it is taken, and none is sent in the cycle after another.
// The layout is that of docs/serial.md.
module headrace_serial_send (
  input  logic        ap_clk,        // clock
  input  logic        ap_rst_n,      // synchronous reset, active low

  input  logic        lost,          // a packet was lost, in this cycle
  input  logic [7:0]  lost_code,     // why

  input  logic        answer,        // there is an answer
  input  logic [7:0]  answer_command, // of its header
  input  logic [7:0]  answer_tag,    // of its header
  input  logic [7:0]  answer_code,   // of its header
  input  logic [15:0] answer_length, // bytes of its payload
  input  logic [7:0]  answer_data,   // next of them
  input  logic        answer_valid,  // it is there
  output logic        answer_take,   // it is taken
  output logic        answer_done,   // the packet has ended, in this cycle

  input  logic        result,        // there are results
  input  logic [7:0]  result_number, // of the packet
  input  logic        result_last,   // the last ones of a transfer
  input  logic [15:0] result_length, // bytes of its payload
  input  logic [7:0]  result_data,   // next of them
  input  logic        result_valid,  // it is there
  output logic        result_take,   // it is taken
  output logic        result_done,   // the packet has ended, in this cycle

  output logic [7:0]  m_axis_TDATA,  // byte
  output logic        m_axis_TVALID, // byte is there
  input  logic        m_axis_TREADY  // byte is taken
);

  localparam logic [7:0] MARKER = 8'hA5, RESULT = 8'hC0, ERROR = 8'hC1;

  typedef enum logic [1:0] {HEAD, BODY, CHECK} state_t;
  state_t      state_q;
  logic [2:0]  place_q;            // of a byte in header or CRC
  logic [15:0] left_q;             // bytes of the payload that follow
  logic        error_q;            // a packet was lost
  logic [7:0]  error_code_q;
  logic        chosen_q, is_error_q, is_answer_q;  // what is sent
  logic        free, give, ends, moves_q, end_q;
  logic        given_q, counts_q, body_q;  // a byte was sent; the CRC is to know it; its source is
  logic [7:0]  head, data, byte_q;
  logic [15:0] length;
  logic [31:0] crc;

  // A byte waits in byte_q; the next one follows when it leaves.
  assign free = chosen_q && (!moves_q || m_axis_TREADY);
  assign length = is_error_q ? '0 : is_answer_q ? answer_length : result_length;
  always_comb begin
    case (place_q)
      3'd0:    head = MARKER;
      3'd1:    head = is_error_q ? ERROR : is_answer_q ? answer_command : RESULT;
      3'd2:    head = is_error_q ? '0 : is_answer_q ? answer_tag : result_number;
      3'd3:    head = is_error_q ? error_code_q : is_answer_q ? answer_code : 8'(result_last);
      3'd4:    head = length[7:0];
      default: head = length[15:8];
    endcase
  end

  assign give = free && !given_q && (state_q != BODY || (is_answer_q ? answer_valid : result_valid));
  assign data = state_q == HEAD ? head : state_q == CHECK ? crc[8*place_q[1:0] +: 8]
              : is_answer_q ? answer_data : result_data;
  assign ends = give && state_q == CHECK && place_q == 3'd3;

  assign answer_take = body_q && is_answer_q;
  assign result_take = body_q && !is_answer_q;
  assign answer_done = end_q && is_answer_q;
  assign result_done = end_q && !is_answer_q && !is_error_q;

  headrace_serial_crc u_crc (
    .ap_clk, .clear(!chosen_q), .take(counts_q), .data(byte_q), .crc
  );

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      chosen_q <= 1'b0;
      moves_q  <= 1'b0;
      error_q  <= 1'b0;
      given_q  <= 1'b0;
      counts_q <= 1'b0;
      body_q   <= 1'b0;
      end_q    <= 1'b0;
    end else begin
      chosen_q <= chosen_q ? !ends : !end_q && (error_q || answer || result);
      given_q  <= give;
      counts_q <= give && state_q != CHECK && !(state_q == HEAD && place_q == '0);
      body_q   <= give && state_q == BODY;
      end_q    <= ends;
      moves_q  <= give || (moves_q && !m_axis_TREADY);
      error_q  <= lost || (error_q && !(ends && is_error_q));
    end
  end

  always_ff @(posedge ap_clk) begin
    if (!error_q) error_code_q <= lost_code;
    if (!chosen_q) begin
      is_error_q  <= error_q;
      is_answer_q <= answer && !error_q;
      state_q     <= HEAD;
      place_q     <= '0;
    end else if (give) begin
      place_q <= place_q + 1'b1;
      if (state_q == HEAD && place_q == 3'd5) begin
        state_q <= length == '0 ? CHECK : BODY;
        place_q <= '0;
        left_q  <= length;
      end else if (state_q == BODY) begin
        left_q  <= left_q - 1'b1;
        place_q <= '0;
        if (left_q == 16'd1) state_q <= CHECK;
      end
    end
    if (give) byte_q <= data;
  end

  assign m_axis_TDATA  = byte_q;
  assign m_axis_TVALID = moves_q;

endmodule
