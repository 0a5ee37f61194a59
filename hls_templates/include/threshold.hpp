// Stand-alone multi-threshold.
//
//   y = BASE + #{n : x >= T_n}       modulo 2^O_BITS, per channel
//   y = BASE + N - #{n : x >= T_n}   in the inverted channels
//
// x < T is ~x >= -T, so an inverted channel complements x, and `thresholds` holds its -T, ascending.
//
// PE channels per iteration; group g of them has its bits of inversion at inverted[0][g], and its thresholds, ACC_BITS
// each, in the memories that thresholds.hpp describes. GROUPS is 1 where all groups are alike, else CHANNELS / PE.
#ifndef HEADRACE_THRESHOLD_HPP
#define HEADRACE_THRESHOLD_HPP

#include "thresholds.hpp"
#include "words.hpp"

namespace headrace {

template <class C, class Inverted, class... Thresholds>
void threshold(hls::stream<ap_uint<C::PE * C::A_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out,
               Inverted& inverted, Thresholds&... thresholds) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::PE == 0, "PE must divide CHANNELS");
  static_assert(C::GROUPS == 1 || C::GROUPS == C::CHANNELS / C::PE, "there is one group or one per word of a pixel");
#pragma HLS ARRAY_PARTITION variable=inverted complete dim=3

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
      const int64_t value = decode<C::A_BITS, C::A_KIND>(get_lane<C::A_BITS>(x, p));
      const bool inverts  = C::INVERTS != 0 && get_lane<1>(inverted[0][int(group)], C::INVERTS != 0 ? p : 0) != 0;
      const int64_t code =
          C::BASE + count_thresholds<C::ACC_BITS, C::N>(inverts ? ~value : value, p, int(group), thresholds...);
      put_lane<C::O_BITS>(y, p, uint64_t(code) & low_mask(C::O_BITS));
    }
    out.write(join_word<C::PE * C::O_BITS>(y));
    group = following<C::GROUPS>(group);
  }
}

}  // namespace headrace

#endif
