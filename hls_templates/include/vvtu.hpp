// Vector-vector-threshold unit for depthwise convolutions: one kernel of TAPS weights per channel.
//
//   acc_c = sum_t W_ct * x_tc         (both bipolar: the number of t with W_ct == x_tc)
//   y_c   = BASE + #{n : acc_c >= T_cn}  modulo 2^O_BITS     for N > 0
//   y_c   = acc_c                     (both bipolar: 2 * acc_c - TAPS)   for N = 0
//
// Channel c = nf*PE + p belongs to processing element p, tap t = sf*SIMD + s to lane s. Weights lie at
// weights[p][nf*SF + sf], SIMD lanes of W_BITS; thresholds at thresholds[p][nf], N lanes of ACC_BITS, ascending, in
// the domain of acc. A word in has lanes [SIMD][PE]: lane s*PE + p is tap s of channel p.
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

template <int CHANNELS, int TAPS, int PE, int SIMD, int WINDOWS, int W_BITS, int W_KIND, int A_BITS, int A_KIND,
          int ACC_BITS, int N, int O_BITS, int BASE, int SERIAL, int CORE>
void vvtu(hls::stream<ap_uint<PE * SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&weights)[PE][(CHANNELS / PE) * (TAPS / SIMD)][chunks_of(SIMD * W_BITS)],
          const uint64_t (&thresholds)[PE][CHANNELS / PE][chunks_of(N * ACC_BITS)]) {
#pragma HLS INLINE
  static_assert(TAPS % SIMD == 0 && CHANNELS % PE == 0, "SIMD must divide TAPS and PE must divide CHANNELS");
  static_assert(N < 65536, "the binary search has 16 steps");
  const int SF = TAPS / SIMD;
  const int NF = CHANNELS / PE;
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS ARRAY_PARTITION variable=weights complete dim=3
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=3

  ap_int<ACC_BITS> acc[PE];
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1

  int sf = 0;
  int nf = 0;
  for (int fold = 0; fold < WINDOWS * NF * SF; ++fold) {
#pragma HLS PIPELINE II=1
    uint64_t word[chunks_of(PE * SIMD * A_BITS)];
    split_word<PE * SIMD * A_BITS>(in.read(), word);

    uint64_t y[chunks_of(PE * O_BITS)] = {};
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      uint64_t x[chunks_of(SIMD * A_BITS)] = {};
      for (int s = 0; s < SIMD; ++s) {
#pragma HLS UNROLL
        put_lane<A_BITS>(x, s, get_lane<A_BITS>(word, s * PE + p));
      }
      const int64_t before = sf == 0 ? int64_t(0) : acc[p].to_int64();
      acc[p] = before + dot_product<SIMD, W_BITS, W_KIND, A_BITS, A_KIND>(weights[p][nf * SF + sf], x);
      if (sf == SF - 1) {
        const int64_t sum = acc[p].to_int64();
        const int64_t raw = W_KIND == BIPOLAR && A_KIND == BIPOLAR ? 2 * sum - TAPS : sum;
        const int64_t value = N == 0 ? raw : BASE + count_thresholds<ACC_BITS, N>(sum, thresholds[p][nf]);
        put_lane<O_BITS>(y, p, uint64_t(value) & low_mask(O_BITS));
      }
    }
    if (sf == SF - 1) out.write(join_word<PE * O_BITS>(y));

    if (sf < SF - 1) {
      ++sf;
    } else {
      sf = 0;
      nf = nf < NF - 1 ? nf + 1 : 0;
    }
  }
}

// N = 0: there are no thresholds.
template <int CHANNELS, int TAPS, int PE, int SIMD, int WINDOWS, int W_BITS, int W_KIND, int A_BITS, int A_KIND,
          int ACC_BITS, int N, int O_BITS, int BASE, int SERIAL, int CORE>
void vvtu(hls::stream<ap_uint<PE * SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&weights)[PE][(CHANNELS / PE) * (TAPS / SIMD)][chunks_of(SIMD * W_BITS)]) {
#pragma HLS INLINE
  static_assert(N == 0, "thresholds are missing");
  static const uint64_t none[PE][CHANNELS / PE][1] = {};
  vvtu<CHANNELS, TAPS, PE, SIMD, WINDOWS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, SERIAL, CORE>(
      in, out, weights, none);
}

}  // namespace headrace

#endif
