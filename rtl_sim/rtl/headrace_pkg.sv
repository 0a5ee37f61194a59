// What the modules of the library have in common: names of kinds, cores and modes, the bus for new words of memories,
// and sizes that many of them derive from their parameters.
package headrace_pkg;

  /* verilator lint_off UNUSEDPARAM */ // no design uses all of them

  // Kinds of an element: how a code is read.
  localparam int UNSIGNED = 0;
  localparam int SIGNED   = 1;  // two's complement
  localparam int BIPOLAR  = 2;  // one bit: code 1 is +1, code 0 is -1

  // Cores: arithmetic of a matrix unit, the same integers in all of them.
  localparam int PLAIN  = 0;  // multipliers, or XNOR popcounts of two bipolar operands
  localparam int PARITY = 1;  // free-parity popcounts of recoded bipolar operands
  localparam int PAIRS  = 2;  // sums of two activations, shared by all rows
  localparam int DSP    = 3;  // several products in one DSP
  localparam int PLANES = 4;  // XNOR matches of recoded bit planes
  localparam int HALVES = 5;  // PAIRS for the high and the low bits of wider weights
  localparam int TABLES = 6;  // functions of the word's number and a few bits of the activations
  localparam int MIXED  = 7;  // DSP for some rows of every word, PAIRS or HALVES for the others

  localparam int unsigned PAIR_PLANES = 4;  // bit planes of weights that core PAIRS is built for

  // What a core asks of the unit around it: activations that are recoded (headrace_parity_encode.sv),
  function automatic bit core_recodes(input int core);
    return core == PARITY || core == PLANES;
  endfunction
  // an accumulator that adds two numbers of every word: those of the last plane, of an offset, of the activations,
  function automatic bit core_adds_two(input int core, input int w_kind, input int w_bits, input bit scaled);
    return core == DSP || core == HALVES || core == TABLES || core == MIXED || (core == PLANES && w_kind != BIPOLAR)
           || (core == PAIRS && !scaled && (w_kind == BIPOLAR || w_bits % 2 == 0));
  endfunction
  // and one more, for a complement among these; of core MIXED the rows that are not in DSP blocks.
  function automatic bit core_adds_one(input int core, input int w_kind, input int w_bits);
    return (core == PAIRS && w_kind != UNSIGNED) || (core == PLANES && w_kind == SIGNED)
           || (core == MIXED && w_kind == SIGNED && w_bits <= PAIR_PLANES && w_bits % 2 == 0);
  endfunction

  // The port of a unit's weights has the bits of a word, or of its number where the core holds the weights.
  function automatic int unsigned weight_port_bits(input int core, input int unsigned word_bits,
                                                   input int unsigned words);
    return core == TABLES ? index_bits(words) : word_bits;
  endfunction
  // Columns of a table of core TABLES: with the number of one of up to 32 words they are the inputs of a LUT of six.
  function automatic int unsigned table_columns(input int unsigned words);
    return words > 32 ? 1 : 6 - $clog2(words);
  endfunction

  // Modes of a maximum pooling.
  localparam int MAXIMUM     = 0;
  localparam int MINIMUM     = 1;
  localparam int PER_CHANNEL = 2;

  // Forms of a channel map.
  localparam int MAP_FILTER = 0;
  localparam int MAP_BUFFER = 1;
  localparam int MAP_WIRES  = 2;

  // What a block RAM of 18 Kb is worth: LUTs of logic where words are read only, LUTs that serve as memory where they
  // are written. A build has those of its device here (generator/headrace/memory.py).
  localparam int unsigned ROM_BLOCK_LUTS = 129;
  localparam int unsigned RAM_BLOCK_LUTS = 100;
  // 1: block RAMs answer late in a cycle, so that a register follows before a multiplexer does.
  localparam int unsigned LATE_BLOCKS = 0;
  // Inputs of a LUT of the device.
  localparam int unsigned LUT_INPUTS = 6;

  localparam int unsigned PRODUCT_STAGES = 3;   // enabled cycles of a product in a DSP block (headrace_multiplier.sv)
  localparam int unsigned LUT_WORDS      = 64;  // what one LUT holds of a ROM
  localparam int unsigned BLOCK_BITS     = 16384;  // of a block RAM, with a parity bit for every 8 in columns above 4

  /* verilator lint_on UNUSEDPARAM */

  // The bus that brings new words to all memories of a design, 32 bits at a time (headrace_memory_port.sv).
  typedef struct packed {
    logic        start;   // chooses the word at address `data`
    logic        push;    // `data` is the next part of the word
    logic [7:0]  memory;  // number of the memory that is meant
    logic [31:0] data;
  } load_t;

  // Bits of a number below n: of an index, of a counter; at least 1.
  function automatic int unsigned index_bits(input int unsigned n);
    return n > 1 ? $clog2(n) : 1;
  endfunction

  // The greatest number that divides both.
  function automatic int unsigned gcd(input int unsigned a, input int unsigned b);
    int unsigned x, y, rest;
    x = a;
    y = b;
    while (y != 0) begin
      rest = x % y;
      x    = y;
      y    = rest;
    end
    return x;
  endfunction

  // Enabled cycles of headrace_ones_count for so many bits, and levels of a headrace_ternary_tree of so many leaves.
  function automatic int unsigned count_stages(input int unsigned bits);
    return 1 + ($clog2((bits + 8) / 8) + 1) / 2;
  endfunction
  function automatic int unsigned ternary_levels(input int unsigned leaves);
    int unsigned levels;
    levels = 0;
    for (int unsigned reach = 1; reach < leaves; reach *= 3) levels++;
    return levels;
  endfunction

  // A headrace_adder_tree adds four numbers in a cycle, or two where the sums of more than three are wide: the logarithm of
  // how many, and its levels.
  function automatic int unsigned adder_radix(input int unsigned leaves, input int unsigned leaf_bits);
    return leaves > 3 && leaf_bits + 2 * (($clog2(leaves) + 1) / 2) > 17 ? 1 : 2;
  endfunction
  function automatic int unsigned adder_levels(input int unsigned leaves, input int unsigned leaf_bits);
    return ($clog2(leaves) + adder_radix(leaves, leaf_bits) - 1) / adder_radix(leaves, leaf_bits);
  endfunction

  // Enabled cycles of headrace_plane_sum: two for its two sums of four planes.
  function automatic int unsigned plane_sum_stages(input int unsigned planes, input int unsigned kind, input bit split);
    return planes == 1 && kind == UNSIGNED ? 0 : planes == 4 && !split ? 2 : 1;
  endfunction

  // Enabled cycles of headrace_dot_pairs, whose wide columns have a register behind their pair sums.
  function automatic int unsigned pair_stages(input int unsigned simd, input int unsigned a_bits, input int unsigned w_bits,
                                              input int unsigned w_kind, input bit split);
    return (simd > 2 && a_bits >= 7 ? 2 : 1) + ternary_levels((simd + 3) / 4) + plane_sum_stages(w_bits, w_kind, split);
  endfunction

  // True if a product is worth a DSP block: it is wide, and neither factor is one bit. The bit without sign of a factor of
  // one bit gets one from a signed factor beside it.
  function automatic bit in_block(input int w_bits, input int w_kind, input int a_bits, input int a_kind);
    bit has_sign;
    has_sign = w_kind == SIGNED || a_kind == SIGNED;
    return w_bits + a_bits + 1 >= 9 && w_bits + int'(has_sign && w_kind != SIGNED) > 1
           && a_bits + int'(has_sign && a_kind != SIGNED) > 1;
  endfunction

  // Memories that are read only (headrace_rom.sv): bits of a row of a block RAM of 18 Kb with 2^rows_log2 rows, LUTs of
  // one bit of a ROM in LUTs, and of one of `words` that are multiplexed.
  function automatic int unsigned block_columns(input int unsigned rows_log2);
    return rows_log2 < 12 ? (BLOCK_BITS + BLOCK_BITS / 8) >> rows_log2 : BLOCK_BITS >> rows_log2;
  endfunction
  function automatic int unsigned rom_bit_luts(input int unsigned words);
    return (words + 63) / 64 + ((words + 63) / 64 - 1) / 3;
  endfunction
  function automatic int unsigned mux_bit_luts(input int unsigned words);
    return (words + 1) / 3;
  endfunction

  // Memories that are written (headrace_ram.sv): LUTs, of which eight hold 32 words of 14 bits or 64 of 7, those that
  // choose between four such, one for each bit, and blocks of 18 Kb. In blocks with 2^rows_log2 rows, words beyond these
  // stand beside the others, in bytes of 9 bits that are written by themselves. Blocks where LUTs would be many for it.
  function automatic int unsigned ram_luts(input int unsigned depth, input int unsigned bits);
    return depth <= 32 ? 8 * ((bits + 13) / 14) : 8 * ((depth + 63) / 64) * ((bits + 6) / 7);
  endfunction
  function automatic int unsigned ram_choice_luts(input int unsigned depth, input int unsigned bits);
    return bits * mux_bit_luts((depth + 63) / 64);
  endfunction
  function automatic int unsigned ram_blocks(input int unsigned depth, input int unsigned bits);
    int unsigned fewest, columns, slots, blocks;
    fewest = 0;
    for (int unsigned rows_log2 = 9; rows_log2 <= 14; rows_log2++) begin
      columns = block_columns(rows_log2);
      slots   = (depth + (1 << rows_log2) - 1) >> rows_log2;
      if (slots == 1 || columns < 9) blocks = slots * ((bits + columns - 1) / columns);
      else blocks = (slots * ((bits + 8) / 9) * 9 + columns - 1) / columns;
      if (rows_log2 == 9 || blocks < fewest) fewest = blocks;
    end
    return fewest;
  endfunction
  function automatic bit ram_in_block(input int unsigned depth, input int unsigned bits);
    return ram_luts(depth, bits) + ram_choice_luts(depth, bits) > RAM_BLOCK_LUTS * ram_blocks(depth, bits);
  endfunction

  // Search of thresholds (headrace_thresholds.sv). Most words of a table of bounds that a comparator with a number of
  // so many bits reads at once: what one LUT holds of a ROM, or half of it, which leaves a LUT room for a place of the
  // comparator; the carries of a wide one would come too late behind another LUT.
  function automatic int unsigned bound_words(input int unsigned a_bits);
    return a_bits > 16 ? LUT_WORDS / 2 : LUT_WORDS;
  endfunction
  // The first of the stages whose bounds come out of block RAM where that costs less than their tables: a block has a
  // line of all these bounds for every count so far, and bounds of later stages wait in registers. `stages`: none do.
  function automatic int unsigned block_stage(input int unsigned groups, input int unsigned stages,
                                              input int unsigned acc_bits, input bit writable);
    int unsigned found, saved, tables, waits, lines_log2, bounds, columns, cost;
    found  = stages;
    saved  = 0;
    tables = 0;  // LUTs of a bit: of tables that go, and of bounds that wait and are chosen
    waits  = 0;
    if (writable || groups > LUT_WORDS) return found;
    for (int unsigned root = stages - 1; root > 0; root--) begin
      tables    += rom_bit_luts(groups << root);
      bounds     = (1 << (stages - root)) - 1;
      if (bounds > 1) waits += bounds / 2 + 1 + mux_bit_luts(bounds / 2 + 1);
      lines_log2 = $clog2(groups << root);
      columns    = block_columns(lines_log2 < 9 ? 9 : lines_log2);
      if (columns > 0) begin
        cost = acc_bits * waits + ROM_BLOCK_LUTS * ((bounds * acc_bits + columns - 1) / columns);
        if (acc_bits * tables > cost + saved) begin
          saved = acc_bits * tables - cost;
          found = root;
        end
      end
    end
    return found;
  endfunction
  // Enabled cycles in which a stage reads its bound before it compares. The first stage reads it while its accumulators
  // come, but where very many row groups have one ROM.
  function automatic int unsigned bound_cycles(input int unsigned groups, input int unsigned stages,
                                               input int unsigned stage, input int unsigned acc_bits,
                                               input int unsigned a_bits, input bit writable);
    int unsigned root;
    root = block_stage(groups, stages, acc_bits, writable);
    if (stage >= root) return stage == root ? 2 : 0;
    if (stage == 0) return !writable && groups > LUT_WORDS ? 1 : 0;
    if (writable) return groups << stages > LUT_WORDS ? 1 : 0;
    return groups <= LUT_WORDS && groups << stage > bound_words(a_bits) ? 1 : 0;
  endfunction
  function automatic int unsigned search_cycles(input int unsigned groups, input int unsigned stages,
                                                input int unsigned acc_bits, input int unsigned a_bits,
                                                input bit writable);
    int unsigned cycles;
    cycles = stages - 1;
    for (int unsigned k = 0; k < stages; k++) cycles += bound_cycles(groups, stages, k, acc_bits, a_bits, writable);
    return cycles;
  endfunction

  // Windows of a kernel: elements from its first to its last tap, and windows along so many elements and pads.
  function automatic int kernel_reach(input int taps, input int dilation);
    return (taps - 1) * dilation;
  endfunction
  function automatic int window_count(input int size, input int pads, input int reach, input int stride);
    return (size + pads - reach - 1) / stride + 1;
  endfunction

  // Bits of a signed place from the padding in front to `more` behind that at the end.
  function automatic int place_bits(input int front, input int size, input int back, input int more);
    return $clog2((front > size + back ? front : size + back) + more) + 1;
  endfunction

  function automatic int smaller(input int one, input int other);
    return one < other ? one : other;
  endfunction
  function automatic int larger(input int one, input int other);
    return one > other ? one : other;
  endfunction
  // A number moved between 0 and the limit.
  function automatic int limited(input int number, input int limit);
    return number < 0 ? 0 : number > limit ? limit : number;
  endfunction

  // An axis of a frame with windows on it.
  typedef struct packed {
    int size;      // elements
    int front;     // pads in front of them
    int back;      // pads behind them
    int taps;      // taps of the kernel
    int stride;    // elements from window to window
    int dilation;  // elements from tap to tap
    int words;     // words from element to element
  } axis_t;
  // Defaults of modules, so that each elaborates by itself.
  /* verilator lint_off UNUSEDPARAM */ // no module uses both
  localparam axis_t SMALL_X = '{size: 4, front: 1, back: 1, taps: 3, stride: 1, dilation: 1, words: 2};
  localparam axis_t SMALL_Y = '{size: 4, front: 1, back: 1, taps: 3, stride: 1, dilation: 1, words: 8};
  /* verilator lint_on UNUSEDPARAM */
  /* verilator lint_off UNUSEDSIGNAL */ // none needs all of the axis
  function automatic int reach_of(input axis_t axis);
    return kernel_reach(axis.taps, axis.dilation);
  endfunction
  function automatic int windows_of(input axis_t axis);
    return window_count(axis.size, axis.front + axis.back, reach_of(axis), axis.stride);
  endfunction
  function automatic int place_bits_of(input axis_t axis, input int more);
    return place_bits(axis.front, axis.size, axis.back, more);
  endfunction
  // Words along an axis to the last tap of a window, which is moved into the frame where it lies in the padding.
  function automatic int words_to(input axis_t axis, input int window);
    return limited(window * axis.stride - axis.front + reach_of(axis), axis.size - 1) * axis.words;
  endfunction
  /* verilator lint_on UNUSEDSIGNAL */

  // What a tap of a window leads to when it leaves: one of the first five, or the next frame.
  typedef struct packed {
    logic run;          // the next word of its run
    logic column;       // the next tap of its row
    logic row;          // the first tap of the next row
    logic window;       // the next window of its line
    logic line;         // the first window of the next line
    logic ends_window;  // it is the last tap of its window
    logic last_window;  // its window is the last one of the line
    logic last_line;    // its line is the last one of the frame
  } window_step_t;

endpackage
