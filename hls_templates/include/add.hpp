// Addition, element by element: y = left + right.
//
// Kinds: of the elements on the left and on the right, as in words.hpp; O_BITS holds every sum.
#ifndef HEADRACE_ADD_HPP
#define HEADRACE_ADD_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void add(hls::stream<ap_uint<C::PE * C::L_BITS> >& left, hls::stream<ap_uint<C::PE * C::R_BITS> >& right,
         hls::stream<ap_uint<C::PE * C::O_BITS> >& out) {
#pragma HLS INLINE
  for (loop_count i = 0; i < frames() * C::WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    uint64_t a[chunks_of(C::PE * C::L_BITS)];
    uint64_t b[chunks_of(C::PE * C::R_BITS)];
    uint64_t y[chunks_of(C::PE * C::O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=a complete dim=1
#pragma HLS ARRAY_PARTITION variable=b complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::PE * C::L_BITS>(left.read(), a);
    split_word<C::PE * C::R_BITS>(right.read(), b);
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      const int64_t x_left  = decode<C::L_BITS, C::L_KIND>(get_lane<C::L_BITS>(a, p));
      const int64_t x_right = decode<C::R_BITS, C::R_KIND>(get_lane<C::R_BITS>(b, p));
      put_lane<C::O_BITS>(y, p, uint64_t(x_left + x_right) & low_mask(C::O_BITS));
    }
    out.write(join_word<C::PE * C::O_BITS>(y));
  }
}

}  // namespace headrace

#endif
