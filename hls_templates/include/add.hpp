// Addition, element by element: y = left + right.
//
// Kinds: of the elements on the left and on the right, as in words.hpp; O_BITS holds every sum.
#ifndef HEADRACE_ADD_HPP
#define HEADRACE_ADD_HPP

#include "words.hpp"

namespace headrace {

template <int PE, int L_BITS, int L_KIND, int R_BITS, int R_KIND, int O_BITS, int WORDS>
void add(hls::stream<ap_uint<PE * L_BITS> >& left, hls::stream<ap_uint<PE * R_BITS> >& right,
         hls::stream<ap_uint<PE * O_BITS> >& out) {
#pragma HLS INLINE
  for (int i = 0; i < WORDS; ++i) {
#pragma HLS PIPELINE II=1
    uint64_t a[chunks_of(PE * L_BITS)];
    uint64_t b[chunks_of(PE * R_BITS)];
    uint64_t y[chunks_of(PE * O_BITS)] = {};
    split_word<PE * L_BITS>(left.read(), a);
    split_word<PE * R_BITS>(right.read(), b);
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      const int64_t x_left  = decode<L_BITS, L_KIND>(get_lane<L_BITS>(a, p));
      const int64_t x_right = decode<R_BITS, R_KIND>(get_lane<R_BITS>(b, p));
      put_lane<O_BITS>(y, p, uint64_t(x_left + x_right) & low_mask(O_BITS));
    }
    out.write(join_word<PE * O_BITS>(y));
  }
}

}  // namespace headrace

#endif
