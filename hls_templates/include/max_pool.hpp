// Maximum or minimum over windows of KERNEL_H x KERNEL_W pixels.
//
//   y[r, c, ch] = max or min of x[r*STRIDE_H + i, c*STRIDE_W + j, ch] over i < KERNEL_H, j < KERNEL_W
//   MODE 0: maximum, 1: minimum, 2: minimum in the channels whose bit in `minimum` is set
#ifndef HEADRACE_MAX_POOL_HPP
#define HEADRACE_MAX_POOL_HPP

#include "pooling.hpp"

namespace headrace {

// The larger (or, where MODE and `minimum` say so, the smaller) of every lane.
template <int PE, int E_BITS, int E_KIND, int MODE>
struct max_pool_op {
  static ap_uint<PE * E_BITS> widened(const ap_uint<PE * E_BITS>& word) { return word; }

  static ap_uint<PE * E_BITS> combined(const ap_uint<PE * E_BITS>& left, const ap_uint<PE * E_BITS>& right,
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
};

template <int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W, int PE,
          int E_BITS, int E_KIND, int MODE>
void max_pool(hls::stream<ap_uint<PE * E_BITS> >& in, hls::stream<ap_uint<PE * E_BITS> >& out,
              const uint64_t (&minimum)[1][CHANNELS / PE][chunks_of(PE)]) {
#pragma HLS INLINE
  pooling<max_pool_op<PE, E_BITS, E_KIND, MODE>, HEIGHT, WIDTH, CHANNELS, KERNEL_H, KERNEL_W, STRIDE_H, STRIDE_W, PE,
          E_BITS, E_BITS>(in, out, minimum);
}

// MODE 0 and 1: there is no mask.
template <int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W, int PE,
          int E_BITS, int E_KIND, int MODE>
void max_pool(hls::stream<ap_uint<PE * E_BITS> >& in, hls::stream<ap_uint<PE * E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(MODE != 2, "the mask of the channels that take the minimum is missing");
  static const uint64_t none[1][CHANNELS / PE][chunks_of(PE)] = {};
  max_pool<HEIGHT, WIDTH, CHANNELS, KERNEL_H, KERNEL_W, STRIDE_H, STRIDE_W, PE, E_BITS, E_KIND, MODE>(in, out, none);
}

}  // namespace headrace

#endif
