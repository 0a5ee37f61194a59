// Dot product of SIMD weights and SIMD activations.
//
//   sum_s w_s * x_s          (both bipolar: the number of s with w_s == x_s)
//
// Operands come as chunks (words.hpp), lane s at place s; those of weights may be as in their memory.
#ifndef HEADRACE_DOT_PRODUCT_HPP
#define HEADRACE_DOT_PRODUCT_HPP

#include "popcount.hpp"
#include "words.hpp"

namespace headrace {

// w * x without a multiplier where one of them is bipolar.
template <int W_BITS, int W_KIND, int A_BITS, int A_KIND>
int64_t product(uint64_t w, uint64_t x) {
#pragma HLS INLINE
  if (W_KIND == BIPOLAR) return w ? decode<A_BITS, A_KIND>(x) : -decode<A_BITS, A_KIND>(x);
  if (A_KIND == BIPOLAR) return x ? decode<W_BITS, W_KIND>(w) : -decode<W_BITS, W_KIND>(w);
  return decode<W_BITS, W_KIND>(w) * decode<A_BITS, A_KIND>(x);
}

// SIMD products, or matches where both operands are bipolar.
template <int SIMD, int W_BITS, int W_KIND, int A_BITS, int A_KIND, class Chunk>
int64_t dot_product(const Chunk (&w)[chunks_of(SIMD * W_BITS)], const uint64_t (&x)[chunks_of(SIMD * A_BITS)]) {
#pragma HLS INLINE
  int64_t sum = 0;
  if (W_KIND == BIPOLAR && A_KIND == BIPOLAR) {
    for (int k = 0; k < chunks_of(SIMD); ++k) {
#pragma HLS UNROLL
      sum += popcount64(~(uint64_t(w[k]) ^ x[k]) & low_mask(SIMD - 64 * k));
    }
  } else {
    for (int s = 0; s < SIMD; ++s) {
#pragma HLS UNROLL
      sum += product<W_BITS, W_KIND, A_BITS, A_KIND>(get_lane<W_BITS>(w, s), get_lane<A_BITS>(x, s));
    }
  }
  return sum;
}

}  // namespace headrace

#endif
