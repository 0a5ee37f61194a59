// Packets from a serial line: those whose CRC is right come out as a stream of bytes, without marker and CRC.
//
// A packet is written into a ring of bytes behind what is to be read, and becomes readable at its end or never. What is
// wrong with a packet that is lost is said for one cycle. A packet in which no byte comes for IDLE cycles is lost, so that
// a line that was cut gets into step again. The codes are those of docs/serial.md.
module headrace_serial_receive #(
  parameter int unsigned BUFFER = 2048,   // bytes of the ring, a power of two
  parameter int unsigned IDLE   = 1250000 // cycles without a byte that end a packet
) (
  input  logic       ap_clk,       // clock
  input  logic       ap_rst_n,     // synchronous reset, active low
  input  logic       byte_valid,   // a byte came, at most in every fourth cycle
  input  logic [7:0] byte_data,    // the byte
  input  logic       byte_broken,  // a byte came without a stop bit
  output logic [7:0] data,         // next byte of good packets
  output logic       valid,        // it is there
  input  logic       take,         // it is taken
  output logic       lost,         // a packet was lost, in this cycle
  output logic [7:0] lost_code     // why
);

  localparam int unsigned PLACE_BITS = $clog2(BUFFER) + 1;
  localparam int unsigned IDLE_BITS  = $clog2(IDLE + 1) + 1;
  localparam logic [15:0] MOST       = 16'(BUFFER / 2 - 8);  // bytes of a payload
  localparam logic [31:0] RIGHT      = 32'h2144DF1C;         // CRC of a packet and its CRC
  localparam logic [7:0]  MARKER     = 8'hA5;
  localparam logic [7:0]  CRC = 8'd1, LENGTH = 8'd2, OVERRUN = 8'd4, TIMEOUT = 8'd5, LINE = 8'd6;

  typedef enum logic [2:0] {HUNT, HEAD, MEASURE, BODY, CHECK, DECIDE} state_t;
  state_t state_q;

  logic [PLACE_BITS-1:0] write_q, good_q, read_q;
  logic [IDLE_BITS-1:0]  idle_q;    // its sign says that it is over
  logic [15:0]           length_q;  // bytes of the payload that come
  logic [2:0]            place_q;   // of a byte in header or CRC
  logic                  valid_q, overrun_q, long_q, empty_q, full_q, right_q, wants, store, over, moves;
  logic                  lost_q;
  logic [7:0]            code_q;
  logic [31:0]           crc;

  assign wants = byte_valid && (state_q == HEAD || state_q == BODY);
  assign store = wants && !full_q;
  assign moves = take && valid_q;
  assign over  = idle_q[IDLE_BITS-1];

  headrace_serial_crc u_crc (
    .ap_clk, .clear(state_q == HUNT), .take(byte_valid && state_q != HUNT), .data(byte_data), .crc
  );

  headrace_ram #(.DEPTH(BUFFER), .BITS(8)) u_ring (
    .ap_clk, .write(store), .write_address(write_q[PLACE_BITS-2:0]), .write_data(byte_data),
    .read(1'b1), .read_address(read_q[PLACE_BITS-2:0]), .clear(1'b0), .read_data(data)
  );

  // What comes.
  always_ff @(posedge ap_clk) begin
    lost_q <= 1'b0;
    if (!ap_rst_n) begin
      state_q <= HUNT;
    end else if (state_q == HUNT) begin
      if (byte_valid && byte_data == MARKER) state_q <= HEAD;
    end else if (byte_broken || over) begin
      state_q <= HUNT;
      lost_q  <= 1'b1;
      code_q  <= byte_broken ? LINE : TIMEOUT;
    end else begin
      case (state_q)
        HEAD:    if (byte_valid && place_q == 3'd4) state_q <= MEASURE;
        MEASURE: begin
          if (place_q == 3'd6) state_q <= long_q ? HUNT : empty_q ? CHECK : BODY;
          lost_q <= place_q == 3'd6 && long_q;
          code_q <= LENGTH;
        end
        BODY:    if (byte_valid && empty_q) state_q <= CHECK;
        CHECK:   if (byte_valid && place_q == 3'd3) state_q <= DECIDE;
        default: begin
          if (place_q == 3'd5) state_q <= HUNT;
          lost_q <= place_q == 3'd5 && (overrun_q || !right_q);
          code_q <= right_q ? OVERRUN : CRC;
        end
      endcase
    end
  end

  // Its length and places. `empty_q`: in MEASURE that no byte of the payload comes, in BODY that the next is the last.
  always_ff @(posedge ap_clk) begin
    long_q  <= length_q > MOST;
    empty_q <= state_q == BODY ? length_q == 16'd1 : length_q == '0;
    case (state_q)
      HUNT:    place_q <= '0;
      HEAD:    if (byte_valid) place_q <= place_q + 1'b1;
      MEASURE: place_q <= place_q == 3'd6 ? '0 : place_q + 1'b1;  // 5, 6: while the comparisons are made
      BODY:    place_q <= '0;
      default: if (byte_valid || state_q == DECIDE) place_q <= place_q + 1'b1;  // 4, 5: while the CRC is looked at
    endcase
    full_q  <= write_q == {!read_q[PLACE_BITS-1], read_q[PLACE_BITS-2:0]};
    right_q <= crc == RIGHT;
    if (byte_valid) begin
      if (state_q == HEAD) length_q <= {byte_data, length_q[15:8]};
      else if (state_q == BODY) length_q <= length_q - 1'b1;
    end
    idle_q <= byte_valid || state_q == HUNT ? IDLE_BITS'(IDLE) : idle_q - 1'b1;
    overrun_q <= state_q != HUNT && (overrun_q || (wants && full_q));
  end

  // Places of the ring.
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      write_q <= '0;
      good_q  <= '0;
      read_q  <= '0;
      valid_q <= 1'b0;
    end else begin
      if (state_q == HUNT) write_q <= good_q;
      else if (store) write_q <= write_q + 1'b1;
      if (state_q == DECIDE && place_q == 3'd5 && !overrun_q && right_q && !byte_broken && !over) good_q <= write_q;
      if (moves) read_q <= read_q + 1'b1;
      valid_q <= !moves && good_q != read_q;  // the ring gives a byte a cycle after its place
    end
  end

  assign valid     = valid_q;
  assign lost      = lost_q;
  assign lost_code = code_q;

  if (BUFFER < 64 || 2**$clog2(BUFFER) != BUFFER || BUFFER > 65536) begin : gen_check
    $error("serial_receive: BUFFER=%0d must be a power of two from 64 to 65536", BUFFER);
  end

endmodule
