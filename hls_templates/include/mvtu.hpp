// Matrix-vector-threshold unit.
//
//   acc_i = sum_j W_ij * x_j          (both bipolar: the number of j with W_ij == x_j)
//   y_i   = BASE + #{n : acc_i >= T_in}  modulo 2^O_BITS     for N > 0
//   y_i   = acc_i                     (both bipolar: 2 * acc_i - MW)   for N = 0
//
// Row i = nf*PE + p belongs to processing element p, column j = sf*SIMD + s to lane s. Weights lie at
// weights[p][nf*SF + sf], SIMD lanes of W_BITS, or come as a stream, a word of PE rows of SIMD lanes for every fold.
// Thresholds, ACC_BITS each, ascending, in the domain of acc, lie in the memories that thresholds.hpp describes; the
// groups are the nf.
//
// GROUPS > 0: the columns stand in groups of MW/GROUPS with a scale each, and
//   acc_i = sum_g scale_ig * sum_{j in g} W_ij * x_j          (real sums, not matches, for bipolar operands too)
// Scales lie at scales[p][nf*GROUPS + g], or at scales[0][g] where all rows share them (SCALE_ROWS = 1).
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

// The lanes of all rows at an address: out of a memory, or the next word of a stream in the order of the addresses.
template <class Chunk, int PE, int DEPTH, int CHUNKS>
void fetch_weights(const Chunk (&weights)[PE][DEPTH][CHUNKS], int address, uint64_t (&word)[PE][CHUNKS]) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=weights complete dim=1
#pragma HLS ARRAY_PARTITION variable=weights complete dim=3
  for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
    for (int k = 0; k < CHUNKS; ++k) {
#pragma HLS UNROLL
      word[p][k] = weights[p][address][k];
    }
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

// Weights: a memory or a stream. Scales and thresholds: memories, no_memory where there are none.
template <class C, class Weights, class Scales, class... Thresholds>
void mvtu(hls::stream<ap_uint<C::SIMD * C::A_BITS> >& in, hls::stream<ap_uint<C::PE * C::O_BITS> >& out,
          Weights& weights, Scales& scales, Thresholds&... thresholds) {
#pragma HLS INLINE
  static_assert(C::MW % C::SIMD == 0 && C::MH % C::PE == 0, "SIMD must divide MW and PE must divide MH");
  const int SF = C::MW / C::SIMD;
  const int NF = C::MH / C::PE;
  const int SG = C::GROUPS > 0 ? SF / (C::GROUPS > 0 ? C::GROUPS : 1) : SF;  // folds of a group
  static_assert(C::GROUPS == 0 || SG * C::GROUPS == SF, "SIMD must divide the columns of a group");
  const int SCALES = C::GROUPS == 0 ? 1 : C::SCALE_ROWS == 1 ? C::GROUPS : NF * C::GROUPS;
  const bool XNOR  = C::W_KIND == BIPOLAR && C::A_KIND == BIPOLAR;
#pragma HLS ARRAY_PARTITION variable=scales complete dim=1

  ap_uint<C::SIMD * C::A_BITS> vector[SF];
  ap_int<C::SUM_BITS> part[C::PE];
  ap_int<C::ACC_BITS> acc[C::PE];
#pragma HLS ARRAY_PARTITION variable=part complete dim=1
#pragma HLS ARRAY_PARTITION variable=acc complete dim=1

  index_t<SG> sg           = 0;
  index_t<SCALES> scale_at = 0;
  index_t<SF> sf           = 0;
  index_t<NF> nf           = 0;
  index_t<NF * SF> address = 0;
  bool first_group         = true;
  for (loop_count i = 0; i < frames() * (C::VECTORS * NF * SF); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    ap_uint<C::SIMD * C::A_BITS> word;
    if (nf == 0) {
      word = in.read();
      vector[sf] = word;
    } else {
      word = vector[sf];
    }
    uint64_t x[chunks_of(C::SIMD * C::A_BITS)];
    uint64_t w[C::PE][chunks_of(C::SIMD * C::W_BITS)];
    uint64_t y[chunks_of(C::PE * C::O_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=w complete dim=0
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::SIMD * C::A_BITS>(word, x);
    fetch_weights(weights, int(address), w);

    const bool group_ends  = sg == SG - 1;
    const bool vector_ends = sf == SF - 1;
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      const int64_t before = SG == 1 || sg == 0 ? int64_t(0) : part[p].to_int64();
      part[p] = before + dot_product<C::SIMD, C::W_BITS, C::W_KIND, C::A_BITS, C::A_KIND>(w[p], x);
      int64_t sum = part[p].to_int64();
      if (C::GROUPS > 0) {
        if (group_ends) {
          const int64_t others = first_group ? int64_t(0) : acc[p].to_int64();
          const uint64_t scale = scales[C::SCALE_ROWS == 1 ? 0 : p][int(scale_at)][0];
          acc[p] = others + int64_t(scale) * (XNOR ? 2 * sum - SG * C::SIMD : sum);
        }
        sum = acc[p].to_int64();
      }
      if (vector_ends) {
        const int64_t raw = XNOR && C::GROUPS == 0 ? 2 * sum - C::MW : sum;
        const int64_t value =
            C::N == 0 ? raw : C::BASE + count_thresholds<C::ACC_BITS, C::N>(sum, p, int(nf), thresholds...);
        put_lane<C::O_BITS>(y, p, uint64_t(value) & low_mask(C::O_BITS));
      }
    }
    if (vector_ends) out.write(join_word<C::PE * C::O_BITS>(y));

    sg = following<SG>(sg);
    if (group_ends) {
      scale_at = following<SCALES>(scale_at);
      first_group = vector_ends;
    }
    sf = following<SF>(sf);
    if (vector_ends) nf = following<NF>(nf);
    address = following<NF * SF>(address);
  }
}

}  // namespace headrace

#endif
