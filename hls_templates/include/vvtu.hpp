// Vector-vector-threshold unit for depthwise convolutions: one kernel of TAPS weights per channel.
//
//   acc_c = sum_t W_ct * x_tc         (both bipolar: the number of t with W_ct == x_tc)
//   y_c   = BASE + #{n : acc_c >= T_cn}  modulo 2^O_BITS     for N > 0
//   y_c   = acc_c                     (both bipolar: 2 * acc_c - TAPS)   for N = 0
//
// Channel c = nf*PE + p belongs to processing element p, tap t = sf*SIMD + s to lane s. Weights lie at
// weights[p][nf*SF + sf], SIMD lanes of W_BITS; thresholds, ACC_BITS each, ascending, in the domain of acc, in the
// memories that thresholds.hpp describes; the groups are the nf. A word in has lanes [SIMD][PE]: lane s*PE + p is tap s of channel p.
//
// CORE is the arithmetic of the RTL and SERIAL its search; here the compiler chooses, the integers are the same.
//
// Invariants: every iteration reads one word and is one fold, WINDOWS * NF * SF in all. Accumulators wrap modulo
// 2^ACC_BITS: partial sums may leave the range, the full sum does not.
#ifndef HEADRACE_VVTU_HPP
#define HEADRACE_VVTU_HPP

#include "dot_product.hpp"
#include "thresholds.hpp"
#include "words.hpp"

namespace headrace {

// Thresholds: a memory, no_memory where there are none.
template <class C, class Chunk, int DEPTH, int CHUNKS, class... Thresholds>
void vvtu(hls::stream<ap_uint<C::PE * C::SIMD * C::A_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out,
          const Chunk (&weights)[C::PE][DEPTH][CHUNKS], Thresholds&... thresholds) {
#pragma HLS INLINE
  static_assert(C::TAPS % C::SIMD == 0 && C::CHANNELS % C::PE == 0,
                "SIMD must divide TAPS and PE must divide CHANNELS");
  const int SF = C::TAPS / C::SIMD;
  const int NF = C::CHANNELS / C::PE;
  static_assert(DEPTH == NF * SF, "there is a word of weights for every fold");
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS ARRAY_PARTITION variable=weights complete dim=3

  ap_int<C::ACC_BITS> acc[C::PE];
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1

  index_t<SF> sf           = 0;
  index_t<NF> nf           = 0;
  index_t<NF * SF> address = 0;
  for (loop_count i = 0; i < frames() * (C::WINDOWS * NF * SF); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    uint64_t word[chunks_of(C::PE * C::SIMD * C::A_BITS)];
    uint64_t y[chunks_of(C::PE * C::O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=word complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::PE * C::SIMD * C::A_BITS>(in.read(), word);

    const bool window_ends = sf == SF - 1;
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      uint64_t x[chunks_of(C::SIMD * C::A_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
      for (int s = 0; s < C::SIMD; ++s) {
#pragma HLS UNROLL
        put_lane<C::A_BITS>(x, s, get_lane<C::A_BITS>(word, s * C::PE + p));
      }
      const int64_t before = SF == 1 || sf == 0 ? int64_t(0) : acc[p].to_int64();
      acc[p] = before + dot_product<C::SIMD, C::W_BITS, C::W_KIND, C::A_BITS, C::A_KIND>(weights[p][int(address)], x);
      if (window_ends) {
        const int64_t sum = acc[p].to_int64();
        const int64_t raw = C::W_KIND == BIPOLAR && C::A_KIND == BIPOLAR ? 2 * sum - C::TAPS : sum;
        const int64_t value =
            C::N == 0 ? raw : C::BASE + count_thresholds<C::ACC_BITS, C::N>(sum, p, int(nf), thresholds...);
        put_lane<C::O_BITS>(y, p, uint64_t(value) & low_mask(C::O_BITS));
      }
    }
    if (window_ends) out.write(join_word<C::PE * C::O_BITS>(y));

    sf = following<SF>(sf);
    if (window_ends) nf = following<NF>(nf);
    address = following<NF * SF>(address);
  }
}

}  // namespace headrace

#endif
