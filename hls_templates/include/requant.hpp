// Requantizer.
//
//   y = clip(round((x * m + o) / 2^SHIFT), LO, HI)     per channel, ties up or to the even neighbour
//
// The offsets hold the half of the rounding, so a shift rounds half up; a sum whose SHIFT low bits are all zero was a
// tie, which half to even mends by clearing the lowest bit. No sum is wider than SUM_BITS, at most 63.
//
// KINKED: the offsets are without the half, which is added behind them; below 0 below[0][g], PE lanes of K_BITS, is added
// instead. ZERO is added behind the shift.
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

// Below: a memory, no_memory where there is none.
template <class C, class M, class B, int DEPTH, int M_CHUNKS, int B_CHUNKS, class Below>
void requant(hls::stream<ap_uint<C::PE * C::A_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out,
             const M (&multipliers)[1][DEPTH][M_CHUNKS], const B (&offsets)[1][DEPTH][B_CHUNKS], Below& below) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::PE == 0, "PE must divide CHANNELS");
  static_assert(C::GROUPS == 1 || C::GROUPS == C::CHANNELS / C::PE, "there is one group or one per word of a pixel");
  static_assert(C::SHIFT < C::SUM_BITS && C::SUM_BITS <= 63, "a sum is wider than the shift and has at most 63 bits");
#pragma HLS ARRAY_PARTITION variable=multipliers complete dim=3
#pragma HLS ARRAY_PARTITION variable=offsets complete dim=3
#pragma HLS ARRAY_PARTITION variable=below complete dim=3

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
      const int64_t value      = decode<C::A_BITS, C::A_KIND>(get_lane<C::A_BITS>(x, p));
      const int64_t multiplier = decode<C::M_BITS, SIGNED>(get_lane<C::M_BITS>(multipliers[0][int(group)], p));
      const int64_t offset     = decode<C::B_BITS, SIGNED>(get_lane<C::B_BITS>(offsets[0][int(group)], p));
      const ap_int<C::SUM_BITS> sum = value * multiplier + offset;
      const int64_t half       = C::KINKED != 0 ? int64_t(1) << C::SHIFT >> 1 : 0;
      const int64_t less =
          C::KINKED != 0 ? decode<C::K_BITS, SIGNED>(get_lane<C::K_BITS>(below[0][int(group)], C::KINKED != 0 ? p : 0))
                         : 0;
      const ap_int<C::SUM_BITS> bent = sum.to_int64() + (sum.to_int64() < 0 ? less : half);
      const int64_t rounded    = requant_round<C::SHIFT, C::HALF_EVEN>(bent.to_int64()) + C::ZERO;
      const int64_t clipped    = rounded < C::LO ? int64_t(C::LO) : rounded > C::HI ? int64_t(C::HI) : rounded;
      put_lane<C::O_BITS>(y, p, uint64_t(clipped) & low_mask(C::O_BITS));
    }
    out.write(join_word<C::PE * C::O_BITS>(y));
    group = following<C::GROUPS>(group);
  }
}

}  // namespace headrace

#endif
