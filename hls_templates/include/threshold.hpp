// Stand-alone multi-threshold.
//
//   y = BASE + #{n : x >= T_n}       modulo 2^O_BITS, per channel
//   y = BASE + N - #{n : x >= T_n}   in the inverted channels
//
// x < T is ~x >= -T, so an inverted channel complements x, and `thresholds` holds its -T, ascending.
//
// PE channels per iteration; group g of them has its thresholds at thresholds[p][g], N lanes of ACC_BITS, and its bits
// of inversion at inverted[0][g]. GROUPS is 1 where all groups are alike, else CHANNELS / PE.
#ifndef HEADRACE_THRESHOLD_HPP
#define HEADRACE_THRESHOLD_HPP

#include "thresholds.hpp"
#include "words.hpp"

namespace headrace {

template <int CHANNELS, int PE, int PIXELS, int GROUPS, int A_BITS, int A_KIND, int ACC_BITS, int N, int O_BITS,
          int BASE, int INVERTS>
void threshold(hls::stream<ap_uint<PE * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
               const uint64_t (&thresholds)[PE][GROUPS][chunks_of(N * ACC_BITS)],
               const uint64_t (&inverted)[1][GROUPS][chunks_of(PE)]) {
#pragma HLS INLINE
  static_assert(CHANNELS % PE == 0, "PE must divide CHANNELS");
  static_assert(GROUPS == 1 || GROUPS == CHANNELS / PE, "there is one group or one per word of a pixel");
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=3
#pragma HLS ARRAY_PARTITION variable=inverted complete dim=3

  int group = 0;
  for (int i = 0; i < PIXELS * (CHANNELS / PE); ++i) {
#pragma HLS PIPELINE II=1
    uint64_t x[chunks_of(PE * A_BITS)];
    uint64_t y[chunks_of(PE * O_BITS)] = {};
    split_word<PE * A_BITS>(in.read(), x);
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      const int64_t value = decode<A_BITS, A_KIND>(get_lane<A_BITS>(x, p));
      const bool inverts  = INVERTS != 0 && get_lane<1>(inverted[0][group], p) != 0;
      const int64_t code  = BASE + count_thresholds<ACC_BITS, N>(inverts ? ~value : value, thresholds[p][group]);
      put_lane<O_BITS>(y, p, uint64_t(code) & low_mask(O_BITS));
    }
    out.write(join_word<PE * O_BITS>(y));
    group = group < GROUPS - 1 ? group + 1 : 0;
  }
}

// INVERTS = 0: no channel is inverted.
template <int CHANNELS, int PE, int PIXELS, int GROUPS, int A_BITS, int A_KIND, int ACC_BITS, int N, int O_BITS,
          int BASE, int INVERTS>
void threshold(hls::stream<ap_uint<PE * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
               const uint64_t (&thresholds)[PE][GROUPS][chunks_of(N * ACC_BITS)]) {
#pragma HLS INLINE
  static_assert(INVERTS == 0, "the bits of the inverted channels are missing");
  static const uint64_t none[1][GROUPS][chunks_of(PE)] = {};
  threshold<CHANNELS, PE, PIXELS, GROUPS, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, INVERTS>(in, out, thresholds,
                                                                                              none);
}

}  // namespace headrace

#endif
