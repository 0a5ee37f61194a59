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
  static constexpr bool MASKED = MODE == 2;

  static ap_uint<PE * E_BITS> widened(const ap_uint<PE * E_BITS>& word) { return word; }

  template <class Chunk>
  static ap_uint<PE * E_BITS> combined(const ap_uint<PE * E_BITS>& left, const ap_uint<PE * E_BITS>& right,
                                       const Chunk (&minimum)[MASKED ? chunks_of(PE) : 1]) {
#pragma HLS INLINE
    uint64_t a[chunks_of(PE * E_BITS)];
    uint64_t b[chunks_of(PE * E_BITS)];
    uint64_t y[chunks_of(PE * E_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=a complete dim=1
#pragma HLS ARRAY_PARTITION variable=b complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<PE * E_BITS>(left, a);
    split_word<PE * E_BITS>(right, b);
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      const uint64_t code_a = get_lane<E_BITS>(a, p);
      const uint64_t code_b = get_lane<E_BITS>(b, p);
      const bool a_is_larger = decode<E_BITS, E_KIND>(code_a) > decode<E_BITS, E_KIND>(code_b);
      const bool take_smaller = MODE == 1 || (MASKED && get_lane<1>(minimum, MASKED ? p : 0) != 0);
      put_lane<E_BITS>(y, p, a_is_larger != take_smaller ? code_a : code_b);
    }
    return join_word<PE * E_BITS>(y);
  }
};

// Minimum: the mask, no_memory where MODE is not 2.
template <class C, class Minimum>
void max_pool(hls::stream<ap_uint<C::PE * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::E_BITS> >& out,
              Minimum& minimum) {
#pragma HLS INLINE
  pooling<max_pool_op<C::PE, C::E_BITS, C::E_KIND, C::MODE>, C, C::E_BITS>(in, out, minimum);
}

}  // namespace headrace

#endif
