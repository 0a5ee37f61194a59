// Part of every frame: of its WORDS words the COUNT words from FIRST on go through, the others are dropped.
//
// Elements become narrower: the low bits of a code, or for bipolar its sign.
#ifndef HEADRACE_TAKE_HPP
#define HEADRACE_TAKE_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void take(hls::stream<ap_uint<C::PE * C::I_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out) {
#pragma HLS INLINE
  static_assert(C::FIRST >= 0 && C::COUNT >= 1 && C::FIRST + C::COUNT <= C::WORDS, "the part lies in the frame");

  index_t<C::WORDS> at = 0;
  for (loop_count i = 0; i < frames() * C::WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    uint64_t x[chunks_of(C::PE * C::I_BITS)];
    uint64_t y[chunks_of(C::PE * C::O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::PE * C::I_BITS>(in.read(), x);
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      const uint64_t code = get_lane<C::I_BITS>(x, p);
      const uint64_t sign = code >> (C::I_BITS - 1);
      put_lane<C::O_BITS>(y, p, C::O_KIND == BIPOLAR ? 1 - sign : code & low_mask(C::O_BITS));
    }
    if (int(at) >= C::FIRST && int(at) < C::FIRST + C::COUNT) out.write(join_word<C::PE * C::O_BITS>(y));
    at = following<C::WORDS>(at);
  }
}

}  // namespace headrace

#endif
