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
#ifndef HEADRACE_POOLING_HPP
#define HEADRACE_POOLING_HPP

#include "words.hpp"

namespace headrace {

// Phases of the slots at position 0 of an axis.
template <int SLOTS, int STRIDE>
void pooling_restart(int (&phase)[SLOTS]) {
#pragma HLS INLINE
  for (int s = 0; s < SLOTS; ++s) {
#pragma HLS UNROLL
    phase[s] = -s * STRIDE;
  }
}

template <int SLOTS, int STRIDE>
void pooling_advance(int (&phase)[SLOTS]) {
#pragma HLS INLINE
  for (int s = 0; s < SLOTS; ++s) {
#pragma HLS UNROLL
    phase[s] = phase[s] == SLOTS * STRIDE - 1 ? 0 : phase[s] + 1;
  }
}

template <typename Op, int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W,
          int PE, int E_BITS, int O_BITS>
void pooling(hls::stream<ap_uint<PE * E_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
             const uint64_t (&mask)[1][CHANNELS / PE][chunks_of(PE)]) {
  static_assert(CHANNELS % PE == 0, "PE must divide CHANNELS");
  const int FOLDS   = CHANNELS / PE;
  const int SLOTS_H = ceil_div(KERNEL_H, STRIDE_H);
  const int SLOTS_W = ceil_div(KERNEL_W, STRIDE_W);
  const int OUT_W   = (WIDTH - KERNEL_W) / STRIDE_W + 1;

  ap_uint<PE * O_BITS> across[SLOTS_W][FOLDS];
  ap_uint<PE * O_BITS> down[SLOTS_H][OUT_W * FOLDS];
  int phase_h[SLOTS_H];
  int phase_w[SLOTS_W];
#pragma HLS ARRAY_PARTITION variable=across complete dim=1
#pragma HLS ARRAY_PARTITION variable=down complete dim=1
#pragma HLS ARRAY_PARTITION variable=phase_h complete dim=1
#pragma HLS ARRAY_PARTITION variable=phase_w complete dim=1
  pooling_restart<SLOTS_H, STRIDE_H>(phase_h);
  pooling_restart<SLOTS_W, STRIDE_W>(phase_w);

  int fold = 0;
  int x = 0;
  int done = 0;  // windows that this row has completed so far
  for (int i = 0; i < HEIGHT * WIDTH * FOLDS; ++i) {
#pragma HLS PIPELINE II=1
    const ap_uint<PE * O_BITS> word = Op::widened(in.read());

    bool row_ends = false;
    ap_uint<PE * O_BITS> row_result = 0;
    for (int s = 0; s < SLOTS_W; ++s) {
#pragma HLS UNROLL
      if (phase_w[s] >= 0 && phase_w[s] < KERNEL_W) {
        const ap_uint<PE * O_BITS> result =
            phase_w[s] == 0 ? word : Op::combined(across[s][fold], word, mask[0][fold]);
        across[s][fold] = result;
        if (phase_w[s] == KERNEL_W - 1) {
          row_ends = true;
          row_result = result;
        }
      }
    }

    bool window_ends = false;
    ap_uint<PE * O_BITS> window_result = 0;
    for (int s = 0; s < SLOTS_H; ++s) {
#pragma HLS UNROLL
      if (row_ends && phase_h[s] >= 0 && phase_h[s] < KERNEL_H) {
        const int column = done * FOLDS + fold;
        const ap_uint<PE * O_BITS> result =
            phase_h[s] == 0 ? row_result : Op::combined(down[s][column], row_result, mask[0][fold]);
        down[s][column] = result;
        if (phase_h[s] == KERNEL_H - 1) {
          window_ends = true;
          window_result = result;
        }
      }
    }
    if (window_ends) out.write(window_result);

    if (fold < FOLDS - 1) {
      ++fold;
    } else {
      fold = 0;
      if (row_ends) ++done;
      if (x < WIDTH - 1) {
        ++x;
        pooling_advance<SLOTS_W, STRIDE_W>(phase_w);
      } else {
        x = 0;
        done = 0;
        pooling_restart<SLOTS_W, STRIDE_W>(phase_w);
        pooling_advance<SLOTS_H, STRIDE_H>(phase_h);
      }
    }
  }
}

}  // namespace headrace

#endif
