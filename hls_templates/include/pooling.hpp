// Pooling: a combination of the words of every window of KERNEL_H x KERNEL_W pixels.
//
//   y[r, c] = x[r*STRIDE_H, c*STRIDE_W] op ... op x[r*STRIDE_H + KERNEL_H - 1, c*STRIDE_W + KERNEL_W - 1]
//
// Op::widened(word) makes PE lanes of O_BITS of an input word, Op::combined(left, right, mask) is the associative and
// commutative operation on such words; it sees the PE bits of the mask that belong to the lanes' channels.
//
// Columns first, then rows. ceil(K / stride) windows may overlap at a point of an axis; window w of the axis uses slot
// w mod SLOTS. A slot's phase is the position relative to the start of its window: 0 starts it, K - 1 completes it,
// and after SLOTS * stride positions the slot's next window starts.
//
// Invariants: one word is read per iteration, HEIGHT * WIDTH * CHANNELS/PE in all; at most one window of an axis ends
// at any position, so at most one word is written. Phases below 0 belong to windows that have not started.
//
// A result is read, combined and written back in one iteration. The next iteration that touches the same place comes
// FOLDS iterations later, or WIDTH * FOLDS for the rows: few results are registers, for the others the distance is
// stated.
#ifndef HEADRACE_POOLING_HPP
#define HEADRACE_POOLING_HPP

#include "words.hpp"

namespace headrace {

// Up to this number results of an axis are registers, because a memory does not give back in time what it just took.
constexpr int POOLING_REGISTERS = 4;

template <int SLOTS, int STRIDE>
using pooling_phase = ap_int<index_bits(SLOTS * STRIDE) + 1>;

// Phases of the slots at position 0 of an axis.
template <int SLOTS, int STRIDE>
void pooling_restart(pooling_phase<SLOTS, STRIDE> (&phase)[SLOTS]) {
#pragma HLS INLINE
  for (int s = 0; s < SLOTS; ++s) {
#pragma HLS UNROLL
    phase[s] = -s * STRIDE;
  }
}

template <int SLOTS, int STRIDE>
void pooling_advance(pooling_phase<SLOTS, STRIDE> (&phase)[SLOTS]) {
#pragma HLS INLINE
  for (int s = 0; s < SLOTS; ++s) {
#pragma HLS UNROLL
    phase[s] = phase[s] == SLOTS * STRIDE - 1 ? pooling_phase<SLOTS, STRIDE>(0)
                                              : pooling_phase<SLOTS, STRIDE>(phase[s] + 1);
  }
}

// Mask: a memory, no_memory where there is none.
template <typename Op, class C, int O_BITS, class Mask>
void pooling(hls::stream<ap_uint<C::PE * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * O_BITS> >& out, Mask& mask) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::PE == 0, "PE must divide CHANNELS");
  typedef ap_uint<C::PE * O_BITS> Word;
  const int FOLDS   = C::CHANNELS / C::PE;
  const int SLOTS_H = ceil_div(C::KERNEL_H, C::STRIDE_H);
  const int SLOTS_W = ceil_div(C::KERNEL_W, C::STRIDE_W);
  const int COLUMNS = ((C::WIDTH - C::KERNEL_W) / C::STRIDE_W + 1) * FOLDS;
  const int ROW_DISTANCE = C::WIDTH * FOLDS;
  const bool ACROSS_REGISTERS = FOLDS <= POOLING_REGISTERS;
  const bool DOWN_REGISTERS   = COLUMNS <= POOLING_REGISTERS;

  Word across[SLOTS_W][ACROSS_REGISTERS ? 1 : FOLDS];
  Word across_few[SLOTS_W][ACROSS_REGISTERS ? FOLDS : 1];
  Word down[SLOTS_H][DOWN_REGISTERS ? 1 : COLUMNS];
  Word down_few[SLOTS_H][DOWN_REGISTERS ? COLUMNS : 1];
  pooling_phase<SLOTS_H, C::STRIDE_H> phase_h[SLOTS_H];
  pooling_phase<SLOTS_W, C::STRIDE_W> phase_w[SLOTS_W];
#pragma HLS ARRAY_PARTITION variable=across complete dim=1
#pragma HLS ARRAY_PARTITION variable=across_few complete dim=0
#pragma HLS ARRAY_PARTITION variable=down complete dim=1
#pragma HLS ARRAY_PARTITION variable=down_few complete dim=0
#pragma HLS ARRAY_PARTITION variable=phase_h complete dim=1
#pragma HLS ARRAY_PARTITION variable=phase_w complete dim=1
#pragma HLS DEPENDENCE variable=across type=inter direction=RAW distance=FOLDS dependent=true
#pragma HLS DEPENDENCE variable=down type=inter direction=RAW distance=ROW_DISTANCE dependent=true
  pooling_restart<SLOTS_H, C::STRIDE_H>(phase_h);
  pooling_restart<SLOTS_W, C::STRIDE_W>(phase_w);

  index_t<FOLDS> fold     = 0;
  index_t<C::WIDTH> x     = 0;
  index_t<C::HEIGHT> y    = 0;
  index_t<COLUMNS> column = 0;  // word of the row of results that ends next
  for (loop_count i = 0; i < frames() * (C::HEIGHT * C::WIDTH * FOLDS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const Word word = Op::widened(in.read());
    const int group = fold, place = column;

    bool row_ends = false;
    Word row_result = 0;
    for (int s = 0; s < SLOTS_W; ++s) {
#pragma HLS UNROLL
      if (phase_w[s] >= 0 && phase_w[s] < C::KERNEL_W) {
        const Word before = ACROSS_REGISTERS ? across_few[s][ACROSS_REGISTERS ? group : 0]
                                             : across[s][ACROSS_REGISTERS ? 0 : group];
        const Word result = phase_w[s] == 0 ? word : Op::combined(before, word, mask[0][Op::MASKED ? group : 0]);
        if (ACROSS_REGISTERS) across_few[s][ACROSS_REGISTERS ? group : 0] = result;
        if (!ACROSS_REGISTERS) across[s][ACROSS_REGISTERS ? 0 : group] = result;
        if (phase_w[s] == C::KERNEL_W - 1) {
          row_ends = true;
          row_result = result;
        }
      }
    }

    bool window_ends = false;
    Word window_result = 0;
    for (int s = 0; s < SLOTS_H; ++s) {
#pragma HLS UNROLL
      if (row_ends && phase_h[s] >= 0 && phase_h[s] < C::KERNEL_H) {
        const Word before = DOWN_REGISTERS ? down_few[s][DOWN_REGISTERS ? place : 0]
                                           : down[s][DOWN_REGISTERS ? 0 : place];
        const Word result =
            phase_h[s] == 0 ? row_result : Op::combined(before, row_result, mask[0][Op::MASKED ? group : 0]);
        if (DOWN_REGISTERS) down_few[s][DOWN_REGISTERS ? place : 0] = result;
        if (!DOWN_REGISTERS) down[s][DOWN_REGISTERS ? 0 : place] = result;
        if (phase_h[s] == C::KERNEL_H - 1) {
          window_ends = true;
          window_result = result;
        }
      }
    }
    if (window_ends) out.write(window_result);

    if (row_ends) column = following<COLUMNS>(column);
    if (fold == FOLDS - 1) {
      if (x == C::WIDTH - 1) {
        pooling_restart<SLOTS_W, C::STRIDE_W>(phase_w);
        if (y == C::HEIGHT - 1) {
          pooling_restart<SLOTS_H, C::STRIDE_H>(phase_h);
        } else {
          pooling_advance<SLOTS_H, C::STRIDE_H>(phase_h);
        }
        y = following<C::HEIGHT>(y);
      } else {
        pooling_advance<SLOTS_W, C::STRIDE_W>(phase_w);
      }
      x = following<C::WIDTH>(x);
    }
    fold = following<FOLDS>(fold);
  }
}

}  // namespace headrace

#endif
