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
// GROUPS > 0: the columns stand in groups of MW/GROUPS with a scale each, and
//   acc_i = sum_g scale_ig * sum_{j in g} W_ij * x_j          (real sums, not matches, for bipolar operands too)
// Scales lie at scales[p][nf*GROUPS + g], or at scales[0][g] where all rows share them (SCALE_ROWS = 1).
//
// The weights may come as a stream instead, a word of PE rows of SIMD lanes for every fold.
//
// CORE is the arithmetic of the RTL and SERIAL its search; here the compiler chooses, the integers are the same.
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

constexpr int scale_lanes(int rows, int pe) { return rows == 1 ? 1 : pe; }
constexpr int scale_depth(int groups, int rows, int pe) {
  return groups > 0 ? rows / scale_lanes(rows, pe) * groups : 1;
}

// The lanes of all rows at an address: out of a memory, or the next word of a stream in the order of the addresses.
template <int PE, int DEPTH, int CHUNKS>
void fetch_weights(const uint64_t (&weights)[PE][DEPTH][CHUNKS], int address, uint64_t (&word)[PE][CHUNKS]) {
#pragma HLS INLINE
  for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
    for (int k = 0; k < CHUNKS; ++k) word[p][k] = weights[p][address][k];
  }
}

template <int PE, int BITS, int CHUNKS>
void fetch_weights(hls::stream<ap_uint<BITS> >& weights, int, uint64_t (&word)[PE][CHUNKS]) {
#pragma HLS INLINE
  const ap_uint<BITS> lanes = weights.read();
  for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
    split_word<BITS / PE>(ap_uint<BITS / PE>(lanes.range((p + 1) * (BITS / PE) - 1, p * (BITS / PE))), word[p]);
  }
}

// All folds of a frame; Weights is a memory or a stream.
template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int GROUPS, int SCALE_ROWS, int SUM_BITS, class Weights>
void mvtu_folds(hls::stream<ap_uint<SIMD * A_BITS> >& in, Weights& weights, hls::stream<ap_uint<PE * O_BITS> >& out,
                const uint64_t (&scales)[scale_lanes(SCALE_ROWS, PE)][scale_depth(GROUPS, SCALE_ROWS, PE)][1],
                const uint64_t (&thresholds)[PE][MH / PE][chunks_of(N * ACC_BITS)]) {
#pragma HLS INLINE
  static_assert(MW % SIMD == 0 && MH % PE == 0, "SIMD must divide MW and PE must divide MH");
  static_assert(N < 65536, "the binary search has 16 steps");
  const int SF = MW / SIMD;
  const int NF = MH / PE;
  const int SG = GROUPS > 0 ? SF / (GROUPS > 0 ? GROUPS : 1) : SF;
  static_assert(GROUPS == 0 || SG * GROUPS == SF, "SIMD must divide the columns of a group");
  const bool XNOR = W_KIND == BIPOLAR && A_KIND == BIPOLAR;
#pragma HLS ARRAY_PARTITION variable=scales complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=3

  ap_uint<SIMD * A_BITS> vector[SF];
  ap_int<SUM_BITS> part[PE];
  ap_int<ACC_BITS> acc[PE];
#pragma HLS ARRAY_PARTITION variable=part complete dim=1
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1

  int sg = 0;
  int group = 0;
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

    uint64_t w[PE][chunks_of(SIMD * W_BITS)];
#pragma HLS ARRAY_PARTITION variable=w complete dim=0
    fetch_weights(weights, nf * SF + sf, w);

    uint64_t y[chunks_of(PE * O_BITS)] = {};
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      const int64_t before = sg == 0 ? int64_t(0) : part[p].to_int64();
      part[p] = before + dot_product<SIMD, W_BITS, W_KIND, A_BITS, A_KIND>(w[p], x);
      if (GROUPS > 0 && sg == SG - 1) {
        const int64_t others = group == 0 ? int64_t(0) : acc[p].to_int64();
        const int64_t sum = XNOR ? 2 * part[p].to_int64() - SG * SIMD : part[p].to_int64();
        const uint64_t scale = scales[SCALE_ROWS == 1 ? 0 : p][(SCALE_ROWS == 1 ? 0 : nf * GROUPS) + group][0];
        acc[p] = others + int64_t(scale) * sum;
      }
      if (sf == SF - 1) {
        const int64_t sum = GROUPS > 0 ? acc[p].to_int64() : part[p].to_int64();
        const int64_t raw = XNOR && GROUPS == 0 ? 2 * sum - MW : sum;
        const int64_t value = N == 0 ? raw : BASE + count_thresholds<ACC_BITS, N>(sum, thresholds[p][nf]);
        put_lane<O_BITS>(y, p, uint64_t(value) & low_mask(O_BITS));
      }
    }
    if (sf == SF - 1) out.write(join_word<PE * O_BITS>(y));

    if (sg < SG - 1) {
      ++sg;
    } else {
      sg = 0;
      group = group < GROUPS - 1 ? group + 1 : 0;
    }
    if (sf < SF - 1) {
      ++sf;
    } else {
      sf = 0;
      nf = nf < NF - 1 ? nf + 1 : 0;
    }
  }
}

template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int SERIAL, int CORE, int GROUPS, int SCALE_ROWS, int SCALE_BITS,
          int SUM_BITS>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&scales)[scale_lanes(SCALE_ROWS, PE)][scale_depth(GROUPS, SCALE_ROWS, PE)][1],
          const uint64_t (&weights)[PE][(MH / PE) * (MW / SIMD)][chunks_of(SIMD * W_BITS)],
          const uint64_t (&thresholds)[PE][MH / PE][chunks_of(N * ACC_BITS)]) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS ARRAY_PARTITION variable=weights complete dim=3
  mvtu_folds<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, GROUPS, SCALE_ROWS,
             SUM_BITS>(in, weights, out, scales, thresholds);
}

// GROUPS = 0: there are no scales.
template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int SERIAL, int CORE, int GROUPS, int SCALE_ROWS, int SCALE_BITS,
          int SUM_BITS>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&weights)[PE][(MH / PE) * (MW / SIMD)][chunks_of(SIMD * W_BITS)],
          const uint64_t (&thresholds)[PE][MH / PE][chunks_of(N * ACC_BITS)]) {
#pragma HLS INLINE
  static_assert(GROUPS == 0 && SCALE_ROWS == 1, "scales are missing");
  static const uint64_t none[1][1][1] = {};
  mvtu<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, SERIAL, CORE,
       GROUPS, SCALE_ROWS, SCALE_BITS, SUM_BITS>(in, out, none, weights, thresholds);
}

// N = 0: there are no thresholds. The negative bound takes this overload away from layers without scales.
template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int SERIAL, int CORE, int GROUPS, int SCALE_ROWS, int SCALE_BITS,
          int SUM_BITS>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&scales)[scale_lanes(SCALE_ROWS, PE)]
                                  [GROUPS > 0 ? scale_depth(GROUPS, SCALE_ROWS, PE) : -1][1],
          const uint64_t (&weights)[PE][(MH / PE) * (MW / SIMD)][chunks_of(SIMD * W_BITS)]) {
#pragma HLS INLINE
  static_assert(N == 0, "thresholds are missing");
  static const uint64_t none[PE][MH / PE][1] = {};
  mvtu<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, SERIAL, CORE,
       GROUPS, SCALE_ROWS, SCALE_BITS, SUM_BITS>(in, out, scales, weights, none);
}

// Neither.
template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int SERIAL, int CORE, int GROUPS, int SCALE_ROWS, int SCALE_BITS,
          int SUM_BITS>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * O_BITS> >& out,
          const uint64_t (&weights)[PE][(MH / PE) * (MW / SIMD)][chunks_of(SIMD * W_BITS)]) {
#pragma HLS INLINE
  static_assert(N == 0, "thresholds are missing");
  static const uint64_t none[PE][MH / PE][1] = {};
  mvtu<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, SERIAL, CORE,
       GROUPS, SCALE_ROWS, SCALE_BITS, SUM_BITS>(in, out, weights, none);
}

// Weights from a stream, for every vector all words in the order of the memory.
template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int SERIAL, int CORE, int GROUPS, int SCALE_ROWS, int SCALE_BITS,
          int SUM_BITS>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * SIMD * W_BITS> >& weights,
          hls::stream<ap_uint<PE * O_BITS> >& out, const uint64_t (&thresholds)[PE][MH / PE][chunks_of(N * ACC_BITS)]) {
#pragma HLS INLINE
  static_assert(GROUPS == 0 && SCALE_ROWS == 1, "weights from a stream have no scales");
  static const uint64_t none[1][1][1] = {};
  mvtu_folds<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, GROUPS, SCALE_ROWS,
             SUM_BITS>(in, weights, out, none, thresholds);
}

template <int MW, int MH, int PE, int SIMD, int VECTORS, int W_BITS, int W_KIND, int A_BITS, int A_KIND, int ACC_BITS,
          int N, int O_BITS, int BASE, int SERIAL, int CORE, int GROUPS, int SCALE_ROWS, int SCALE_BITS,
          int SUM_BITS>
void mvtu(hls::stream<ap_uint<SIMD * A_BITS> >& in, hls::stream<ap_uint<PE * SIMD * W_BITS> >& weights,
          hls::stream<ap_uint<PE * O_BITS> >& out) {
#pragma HLS INLINE
  static_assert(N == 0, "thresholds are missing");
  static const uint64_t none[PE][MH / PE][1] = {};
  mvtu<MW, MH, PE, SIMD, VECTORS, W_BITS, W_KIND, A_BITS, A_KIND, ACC_BITS, N, O_BITS, BASE, SERIAL, CORE,
       GROUPS, SCALE_ROWS, SCALE_BITS, SUM_BITS>(in, weights, out, none);
}

}  // namespace headrace

#endif
