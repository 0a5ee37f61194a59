// Sum over windows of KERNEL_H x KERNEL_W pixels, for average pooling.
//
//   y[r, c, ch] = sum of x[r*STRIDE_H + i, c*STRIDE_W + j, ch] over i < KERNEL_H, j < KERNEL_W
//
// Sums are kept modulo 2^O_BITS, which holds the full ones.
#ifndef HEADRACE_ACC_POOL_HPP
#define HEADRACE_ACC_POOL_HPP

#include "pooling.hpp"

namespace headrace {

template <int PE, int E_BITS, int E_KIND, int O_BITS>
struct acc_pool_op {
  static constexpr bool MASKED = false;

  static ap_uint<PE * O_BITS> widened(const ap_uint<PE * E_BITS>& word) {
#pragma HLS INLINE
    uint64_t x[chunks_of(PE * E_BITS)];
    uint64_t y[chunks_of(PE * O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<PE * E_BITS>(word, x);
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      put_lane<O_BITS>(y, p, uint64_t(decode<E_BITS, E_KIND>(get_lane<E_BITS>(x, p))) & low_mask(O_BITS));
    }
    return join_word<PE * O_BITS>(y);
  }

  static ap_uint<PE * O_BITS> combined(const ap_uint<PE * O_BITS>& left, const ap_uint<PE * O_BITS>& right,
                                       const uint64_t (&)[1]) {
#pragma HLS INLINE
    uint64_t a[chunks_of(PE * O_BITS)];
    uint64_t b[chunks_of(PE * O_BITS)];
    uint64_t y[chunks_of(PE * O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=a complete dim=1
#pragma HLS ARRAY_PARTITION variable=b complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<PE * O_BITS>(left, a);
    split_word<PE * O_BITS>(right, b);
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      put_lane<O_BITS>(y, p, (get_lane<O_BITS>(a, p) + get_lane<O_BITS>(b, p)) & low_mask(O_BITS));
    }
    return join_word<PE * O_BITS>(y);
  }
};

template <class C>
void acc_pool(hls::stream<ap_uint<C::PE * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out) {
#pragma HLS INLINE
  pooling<acc_pool_op<C::PE, C::E_BITS, C::E_KIND, C::O_BITS>, C, C::O_BITS>(in, out, no_memory);
}

}  // namespace headrace

#endif
