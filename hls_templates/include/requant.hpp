// Requantizer.
//
//   y = clip(round((x * m + o) / 2^SHIFT), LO, HI)     per channel, ties up or to the even neighbour
//
// The offsets hold the half of the rounding, so a shift rounds half up; a sum whose SHIFT low bits are all zero was a
// tie, which half to even mends by clearing the lowest bit. No sum is wider than SUM_BITS, at most 63.
//
// PE channels per iteration; group g of them has multipliers[0][g], PE lanes of M_BITS, and offsets[0][g], PE lanes of
// B_BITS. GROUPS is 1 where all groups are alike, else CHANNELS / PE.
#ifndef HEADRACE_REQUANT_HPP
#define HEADRACE_REQUANT_HPP

#include "words.hpp"

namespace headrace {

template <int SHIFT, int HALF_EVEN>
int64_t requant_round(int64_t sum) {
#pragma HLS INLINE
  const bool tie = SHIFT > 0 && HALF_EVEN != 0 && (uint64_t(sum) & low_mask(SHIFT)) == 0;
  const int64_t shifted = sum >> SHIFT;
  return tie ? shifted & ~int64_t(1) : shifted;
}

template <int CHANNELS, int PE, int PIXELS, int GROUPS, int A_BITS, int A_KIND, int M_BITS, int B_BITS, int SUM_BITS,
          int SHIFT, int HALF_EVEN, int O_BITS, int LO, int HI>
void requant(hls::stream<ap_uint<PE * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
             const uint64_t (&multipliers)[1][GROUPS][chunks_of(PE * M_BITS)],
             const uint64_t (&offsets)[1][GROUPS][chunks_of(PE * B_BITS)]) {
#pragma HLS INLINE
  static_assert(CHANNELS % PE == 0, "PE must divide CHANNELS");
  static_assert(GROUPS == 1 || GROUPS == CHANNELS / PE, "there is one group or one per word of a pixel");
  static_assert(SHIFT < SUM_BITS && SUM_BITS <= 63, "a sum is wider than the shift and has at most 63 bits");
#pragma HLS ARRAY_PARTITION variable=multipliers complete dim=3
#pragma HLS ARRAY_PARTITION variable=offsets complete dim=3

  int group = 0;
  for (int i = 0; i < PIXELS * (CHANNELS / PE); ++i) {
#pragma HLS PIPELINE II=1
    uint64_t x[chunks_of(PE * A_BITS)];
    uint64_t y[chunks_of(PE * O_BITS)] = {};
    split_word<PE * A_BITS>(in.read(), x);
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      const int64_t value      = decode<A_BITS, A_KIND>(get_lane<A_BITS>(x, p));
      const int64_t multiplier = decode<M_BITS, SIGNED>(get_lane<M_BITS>(multipliers[0][group], p));
      const int64_t offset     = decode<B_BITS, SIGNED>(get_lane<B_BITS>(offsets[0][group], p));
      const ap_int<SUM_BITS> sum = value * multiplier + offset;
      const int64_t rounded    = requant_round<SHIFT, HALF_EVEN>(sum.to_int64());
      const int64_t clipped    = rounded < LO ? int64_t(LO) : rounded > HI ? int64_t(HI) : rounded;
      put_lane<O_BITS>(y, p, uint64_t(clipped) & low_mask(O_BITS));
    }
    out.write(join_word<PE * O_BITS>(y));
    group = group < GROUPS - 1 ? group + 1 : 0;
  }
}

}  // namespace headrace

#endif
