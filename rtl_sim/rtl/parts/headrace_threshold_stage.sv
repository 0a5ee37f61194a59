// One stage of a binary search of thresholds: decides the next bit of every row's count (headrace_thresholds.sv).
module headrace_threshold_stage #(
  parameter int unsigned PE           = 2,  // rows
  parameter int unsigned STAGES       = 2,  // bits of a count
  parameter int unsigned STAGE        = 1,  // number of the stage; 0 decides the highest bit and has no registers
  parameter int unsigned ACC_BITS     = 8,  // width of a bound, two's complement
  parameter int unsigned A_BITS       = 8,  // width of an accumulator, two's complement
  parameter int unsigned ADDRESS_BITS = 1,  // of the logic that a bound comes from; more than 5: a memory
  parameter int unsigned READ         = 0   // enabled cycles in which the bound is read, before the comparison
) (
  input  logic                     ap_clk,         // clock
  input  logic                     ap_rst_n,       // synchronous reset, active low
  input  logic [PE-1:0]            en,             // moves the pipeline by one: each row's copy
  input  logic signed [A_BITS-1:0] acc_in [PE],    // accumulators of the stage before
  input  logic                     valid_in,       // they are there
  input  logic [STAGES-1:0]        count_in [PE],  // what it counted
  input  logic [ACC_BITS-1:0]      bound [PE],     // threshold that decides the bit of the accumulators here
  output logic [STAGES-1:0]        early [PE],     // decided bits of the counts here READ (0: 1) enabled cycles later
  output logic signed [A_BITS-1:0] acc [PE],       // accumulators here
  output logic                     valid,          // they are there
  output logic [STAGES-1:0]        known [PE],     // the bits of their counts that are decided
  output logic [STAGES-1:0]        count [PE]      // with the bit of this stage
);

  localparam logic [STAGES-1:0] STEP = STAGES'(1) << (STAGES - 1 - STAGE);
  // Without row groups the highest bit is kept inverted, since synthesis would move the registers of an address behind
  // their ROM, and the ROM behind the comparator of the stage before.
  localparam logic [STAGES-1:0] INVERTED = ADDRESS_BITS == STAGE ? STAGES'(1) << (STAGES - 1) : '0;
  // A comparator takes in what its LUTs have inputs for beside the address of its bound.
  localparam int unsigned PLACE = ADDRESS_BITS < 5 ? 6 - ADDRESS_BITS : ADDRESS_BITS == 5 ? 1 : 3;

  // The cycles in which the bound is read.
  logic signed [A_BITS-1:0] acc_before [PE];
  logic [STAGES-1:0]        known_before [PE];
  logic                     valid_before;
  if (READ > 0) begin : gen_read
    logic [READ-1:0]          valids_q;
    logic signed [A_BITS-1:0] accs_q [READ][PE];
    logic [STAGES-1:0]        knowns_q [READ][PE];
    for (genvar r = 0; r < READ; r++) begin : gen_cycle
      if (r == 0) begin : gen_first
        always_ff @(posedge ap_clk) begin
          if (!ap_rst_n) valids_q[r] <= 1'b0;
          else if (en[0]) valids_q[r] <= valid_in;
          for (int unsigned p = 0; p < PE; p++) begin
            if (en[p]) begin
              accs_q[r][p]   <= acc_in[p];
              knowns_q[r][p] <= count_in[p];
            end
          end
        end
      end else begin : gen_later
        always_ff @(posedge ap_clk) begin
          if (!ap_rst_n) valids_q[r] <= 1'b0;
          else if (en[0]) valids_q[r] <= valids_q[r-1];
          for (int unsigned p = 0; p < PE; p++) begin
            if (en[p]) begin
              accs_q[r][p]   <= accs_q[r-1][p];
              knowns_q[r][p] <= knowns_q[r-1][p];
            end
          end
        end
      end
    end
    assign valid_before = valids_q[READ-1];
    assign acc_before   = accs_q[READ-1];
    assign known_before = knowns_q[READ-1];
    assign early        = knowns_q[0];
  end else begin : gen_at_once
    assign valid_before = valid_in;
    assign acc_before   = acc_in;
    assign known_before = count_in;
    assign early        = count_in;
  end

  if (STAGE == 0) begin : gen_first
    logic unused;
    assign acc   = acc_before;
    assign valid = valid_before;
    assign known = '{default: '0};
    always_comb begin
      unused = ap_clk ^ ap_rst_n ^ ^en;
      for (int unsigned p = 0; p < PE; p++) unused ^= ^known_before[p];
    end
  end else begin : gen_next
    logic                     valid_q;
    logic signed [A_BITS-1:0] acc_q [PE];
    logic [STAGES-1:0]        other_known_q [PE];
    always_ff @(posedge ap_clk) begin
      if (!ap_rst_n) valid_q <= 1'b0;
      else if (en[0]) valid_q <= valid_before;
    end
    always_ff @(posedge ap_clk) begin
      for (int unsigned p = 0; p < PE; p++) begin
        if (en[p]) begin
          acc_q[p]         <= acc_before[p];
          other_known_q[p] <= known_before[p] ^ INVERTED;
        end
      end
    end
    assign acc   = acc_q;
    assign valid = valid_q;
    for (genvar p = 0; p < PE; p++) begin : gen_known
      assign known[p] = other_known_q[p] ^ INVERTED;
    end
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic reached;
    if (ADDRESS_BITS > 5 && ACC_BITS <= A_BITS + 1) begin : gen_pairs
      headrace_pair_compare #(.A_BITS(A_BITS), .B_BITS(ACC_BITS)) u_compare (.a(acc[p]), .b(bound[p]), .reached);
    end else begin : gen_places
      headrace_at_least #(.A_BITS(A_BITS), .B_BITS(ACC_BITS), .GROUP(PLACE)) u_compare (
        .a(acc[p]), .b(bound[p]), .reached
      );
    end
    assign count[p] = known[p] | (reached ? STEP : '0);
  end

  if (PE < 1 || STAGE >= STAGES) begin : gen_check
    $error("threshold_stage: PE=%0d must be at least 1, and STAGE=%0d below STAGES=%0d", PE, STAGE, STAGES);
  end

endmodule
