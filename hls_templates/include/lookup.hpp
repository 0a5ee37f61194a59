// Table.
//
//   y = TABLE[x]     per channel
//
// PE channels per iteration. Row p of group g of them has its 2^A_BITS entries, one for every code, from
// table[p][g << A_BITS] on. GROUPS is 1 where all groups are alike, else CHANNELS / PE.
#ifndef HEADRACE_LOOKUP_HPP
#define HEADRACE_LOOKUP_HPP

#include "words.hpp"

namespace headrace {

template <class C, class T, int DEPTH>
void lookup(hls::stream<ap_uint<C::PE * C::A_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out,
            const T (&table)[C::PE][DEPTH][1]) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::PE == 0, "PE must divide CHANNELS");
  static_assert(C::LANES == C::PE || (C::LANES == 1 && C::GROUPS == 1), "all rows share a table or each has its own");
  static_assert(C::GROUPS == 1 || C::GROUPS == C::CHANNELS / C::PE, "there is one group or one per word of a pixel");
#pragma HLS ARRAY_PARTITION variable=table complete dim=1
#pragma HLS ARRAY_PARTITION variable=table complete dim=3

  index_t<C::GROUPS> group = 0;
  for (loop_count i = 0; i < frames() * (C::PIXELS * (C::CHANNELS / C::PE)); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    uint64_t x[chunks_of(C::PE * C::A_BITS)];
    uint64_t y[chunks_of(C::PE * C::O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::PE * C::A_BITS>(in.read(), x);
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      const int entry = (int(group) << C::A_BITS) | int(get_lane<C::A_BITS>(x, p));
      put_lane<C::O_BITS>(y, p, table[p][entry][0]);
    }
    out.write(join_word<C::PE * C::O_BITS>(y));
    group = following<C::GROUPS>(group);
  }
}

}  // namespace headrace

#endif
