// Maximum or minimum over windows of KERNEL_H x KERNEL_W pixels.
//
//   y[r, c, ch] = max or min of x[r*STRIDE_H + i, c*STRIDE_W + j, ch] over i < KERNEL_H, j < KERNEL_W
//   MODE 0: maximum, 1: minimum, 2: minimum in the channels whose bit in `minimum` is set
//
// Columns first, then rows. ceil(K / stride) windows may overlap at a point of an axis; window w of the axis uses slot
// w mod SLOTS. A slot's phase is the position relative to the start of its window: 0 starts it, K - 1 completes it,
// and after SLOTS * stride positions the slot's next window starts.
//
// Invariants: one word is read per iteration, HEIGHT * WIDTH * CHANNELS/PE in all; at most one window of an axis ends
// at any position, so at most one word is written. Phases below 0 belong to windows that have not started.
#ifndef HEADRACE_MAX_POOL_HPP
#define HEADRACE_MAX_POOL_HPP

#include "words.hpp"

namespace headrace {

// The larger (or, where MODE and `minimum` say so, the smaller) of every lane.
template <int PE, int E_BITS, int E_KIND, int MODE>
ap_uint<PE * E_BITS> max_pool_pick(const ap_uint<PE * E_BITS>& left, const ap_uint<PE * E_BITS>& right,
                                   const uint64_t (&minimum)[chunks_of(PE)]) {
#pragma HLS INLINE
  uint64_t a[chunks_of(PE * E_BITS)];
  uint64_t b[chunks_of(PE * E_BITS)];
  uint64_t y[chunks_of(PE * E_BITS)] = {};
  split_word<PE * E_BITS>(left, a);
  split_word<PE * E_BITS>(right, b);
  for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
    const uint64_t code_a = get_lane<E_BITS>(a, p);
    const uint64_t code_b = get_lane<E_BITS>(b, p);
    const bool a_is_larger = decode<E_BITS, E_KIND>(code_a) > decode<E_BITS, E_KIND>(code_b);
    const bool take_smaller = MODE == 1 || (MODE == 2 && get_lane<1>(minimum, p) != 0);
    put_lane<E_BITS>(y, p, a_is_larger != take_smaller ? code_a : code_b);
  }
  return join_word<PE * E_BITS>(y);
}

// Phases of the slots at position 0 of an axis.
template <int SLOTS, int STRIDE>
void max_pool_restart(int (&phase)[SLOTS]) {
#pragma HLS INLINE
  for (int s = 0; s < SLOTS; ++s) {
#pragma HLS UNROLL
    phase[s] = -s * STRIDE;
  }
}

template <int SLOTS, int STRIDE>
void max_pool_advance(int (&phase)[SLOTS]) {
#pragma HLS INLINE
  for (int s = 0; s < SLOTS; ++s) {
#pragma HLS UNROLL
    phase[s] = phase[s] == SLOTS * STRIDE - 1 ? 0 : phase[s] + 1;
  }
}

template <int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W, int PE,
          int E_BITS, int E_KIND, int MODE>
void max_pool(hls::stream<ap_uint<PE * E_BITS> >& in, hls::stream<ap_uint<PE * E_BITS> >& out,
              const uint64_t (&minimum)[1][CHANNELS / PE][chunks_of(PE)]) {
  static_assert(CHANNELS % PE == 0, "PE must divide CHANNELS");
  const int FOLDS   = CHANNELS / PE;
  const int SLOTS_H = ceil_div(KERNEL_H, STRIDE_H);
  const int SLOTS_W = ceil_div(KERNEL_W, STRIDE_W);
  const int OUT_W   = (WIDTH - KERNEL_W) / STRIDE_W + 1;

  ap_uint<PE * E_BITS> across[SLOTS_W][FOLDS];
  ap_uint<PE * E_BITS> down[SLOTS_H][OUT_W * FOLDS];
  int phase_h[SLOTS_H];
  int phase_w[SLOTS_W];
#pragma HLS ARRAY_PARTITION variable=across complete dim=1
#pragma HLS ARRAY_PARTITION variable=down complete dim=1
#pragma HLS ARRAY_PARTITION variable=phase_h complete dim=1
#pragma HLS ARRAY_PARTITION variable=phase_w complete dim=1
  max_pool_restart<SLOTS_H, STRIDE_H>(phase_h);
  max_pool_restart<SLOTS_W, STRIDE_W>(phase_w);

  int fold = 0;
  int x = 0;
  int done = 0;  // windows that this row has completed so far
  for (int i = 0; i < HEIGHT * WIDTH * FOLDS; ++i) {
#pragma HLS PIPELINE II=1
    const ap_uint<PE * E_BITS> word = in.read();

    bool row_ends = false;
    ap_uint<PE * E_BITS> row_result = 0;
    for (int s = 0; s < SLOTS_W; ++s) {
#pragma HLS UNROLL
      if (phase_w[s] >= 0 && phase_w[s] < KERNEL_W) {
        const ap_uint<PE * E_BITS> result =
            phase_w[s] == 0 ? word : max_pool_pick<PE, E_BITS, E_KIND, MODE>(across[s][fold], word, minimum[0][fold]);
        across[s][fold] = result;
        if (phase_w[s] == KERNEL_W - 1) {
          row_ends = true;
          row_result = result;
        }
      }
    }

    bool window_ends = false;
    ap_uint<PE * E_BITS> window_result = 0;
    for (int s = 0; s < SLOTS_H; ++s) {
#pragma HLS UNROLL
      if (row_ends && phase_h[s] >= 0 && phase_h[s] < KERNEL_H) {
        const int column = done * FOLDS + fold;
        const ap_uint<PE * E_BITS> result =
            phase_h[s] == 0 ? row_result
                            : max_pool_pick<PE, E_BITS, E_KIND, MODE>(down[s][column], row_result, minimum[0][fold]);
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
        max_pool_advance<SLOTS_W, STRIDE_W>(phase_w);
      } else {
        x = 0;
        done = 0;
        max_pool_restart<SLOTS_W, STRIDE_W>(phase_w);
        max_pool_advance<SLOTS_H, STRIDE_H>(phase_h);
      }
    }
  }
}

// MODE 0 and 1: there is no mask.
template <int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W, int PE,
          int E_BITS, int E_KIND, int MODE>
void max_pool(hls::stream<ap_uint<PE * E_BITS> >& in, hls::stream<ap_uint<PE * E_BITS> >& out) {
  static_assert(MODE != 2, "the mask of the channels that take the minimum is missing");
  static const uint64_t none[1][CHANNELS / PE][chunks_of(PE)] = {};
  max_pool<HEIGHT, WIDTH, CHANNELS, KERNEL_H, KERNEL_W, STRIDE_H, STRIDE_W, PE, E_BITS, E_KIND, MODE>(in, out, none);
}

}  // namespace headrace

#endif
