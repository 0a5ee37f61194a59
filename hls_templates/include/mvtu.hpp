// Matrix-vector-threshold unit.
//
//   acc_i = sum_j W_ij * x_j          (both bipolar: the number of j with W_ij == x_j)
//   y_i   = BASE + #{n : acc_i >= T_in}  modulo 2^O_BITS     for N > 0
//   y_i   = acc_i                     (both bipolar: 2 * acc_i - MW)   for N = 0
//
// Row i = nf*PE + p belongs to processing element p, column j = sf*SIMD + s to lane s. Weights lie at
// weights[p][nf*SF + sf], SIMD lanes of W_BITS; thresholds at thresholds[p][nf], N lanes of ACC_BITS, ascending, in
// the domain of acc.
//
// Invariants: a vector is read while nf = 0 and replayed from a buffer for the other row groups, so every iteration of
// the loop is one fold, VECTORS * NF * SF in all, and vectors follow each other without a bubble. Accumulators wrap
// modulo 2^ACC_BITS: partial sums may leave the range, the full sum does not.
#ifndef HEADRACE_MVTU_HPP
#define HEADRACE_MVTU_HPP

#include "dot_product.hpp"
#include "thresholds.hpp"
#include "words.hpp"

namespace headrace {

template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&weights)[PE][(MH / PE) * (MW / SIMD)][chunks_of(SIMD * W_BITS)],
          const uint64_t (&thresholds)[PE][MH / PE][chunks_of(N * ACC_BITS)]) {
  static_assert(MW % SIMD == 0 && MH % PE == 0, "SIMD must divide MW and PE must divide MH");
  static_assert(N < 65536, "the binary search has 16 steps");
  const int SF = MW / SIMD;
  const int NF = MH / PE;
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS ARRAY_PARTITION variable=weights complete dim=3
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=3

  ap_uint<SIMD * A_BITS> vector[SF];
  ap_int<ACC_BITS> acc[PE];
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1

  int sf = 0;
  int nf = 0;
  for (int fold = 0; fold < VECTORS * NF * SF; ++fold) {
#pragma HLS PIPELINE II=1
    ap_uint<SIMD * A_BITS> word;
    if (nf == 0) {
      word = in.read();
      vector[sf] = word;
    } else {
      word = vector[sf];
    }
    uint64_t x[chunks_of(SIMD * A_BITS)];
    split_word<SIMD * A_BITS>(word, x);

    uint64_t y[chunks_of(PE * O_BITS)] = {};
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      const int64_t before = sf == 0 ? int64_t(0) : acc[p].to_int64();
      acc[p] = before + dot_product<SIMD, W_BITS, W_KIND, A_BITS, A_KIND>(weights[p][nf * SF + sf], x);
      if (sf == SF - 1) {
        const int64_t sum = acc[p].to_int64();
        const int64_t raw = W_KIND == BIPOLAR && A_KIND == BIPOLAR ? 2 * sum - MW : sum;
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
template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&weights)[PE][(MH / PE) * (MW / SIMD)][chunks_of(SIMD * W_BITS)]) {
  static_assert(N == 0, "thresholds are missing");
  static const uint64_t none[PE][MH / PE][1] = {};
  mvtu<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE>(in, out, weights, none);
}

}  // namespace headrace

#endif
