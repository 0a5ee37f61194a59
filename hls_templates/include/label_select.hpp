// Indices of the K largest of LABELS elements, the largest first; among equals the lowest index first.
//
// The elements seen so far stand in a list of K places, best first. A word of PE elements finds for every element, of
// the list and of the word, its rank: how many of the others come before it. Ranks below K are the places of the new
// list.
//
// Invariants: element e of the list comes before element p of the word if it is not smaller, because its index is
// lower; places from `filled` on hold nothing. A call is one frame: its K indices follow its words.
#ifndef HEADRACE_LABEL_SELECT_HPP
#define HEADRACE_LABEL_SELECT_HPP

#include "words.hpp"

namespace headrace {

template <int LABELS, int PE, int K, int E_BITS, int E_KIND, int O_BITS>
void label_select(hls::stream<ap_uint<PE * E_BITS> >& in, hls::stream<ap_uint<O_BITS> >& out) {
#pragma HLS INLINE
  static_assert(LABELS % PE == 0 && K <= LABELS, "PE must divide LABELS, and K must not exceed it");
  int64_t best[K];
  int labels[K];
#pragma HLS ARRAY_PARTITION variable=best complete dim=1
#pragma HLS ARRAY_PARTITION variable=labels complete dim=1

  int filled = 0;
  for (int i = 0; i < LABELS / PE; ++i) {
#pragma HLS PIPELINE II=1
    uint64_t word[chunks_of(PE * E_BITS)];
    split_word<PE * E_BITS>(in.read(), word);
    int64_t lane[PE];
    int lane_rank[PE];
    int64_t next_best[K];
    int next_labels[K];
#pragma HLS ARRAY_PARTITION variable=lane complete dim=1
#pragma HLS ARRAY_PARTITION variable=lane_rank complete dim=1
#pragma HLS ARRAY_PARTITION variable=next_best complete dim=1
#pragma HLS ARRAY_PARTITION variable=next_labels complete dim=1
    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
      lane[p] = decode<E_BITS, E_KIND>(get_lane<E_BITS>(word, p));
      lane_rank[p] = 0;
      for (int q = 0; q < PE; ++q) {
#pragma HLS UNROLL
        const bool p_is_larger = lane[p] > lane[q];
        if (q < p) lane_rank[p] += !p_is_larger;
        if (q < p) lane_rank[q] += p_is_larger;
      }
    }
    for (int e = 0; e < K; ++e) {
#pragma HLS UNROLL
      int rank = e;
      for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
        const bool listed_first = e < filled && best[e] >= lane[p];
        lane_rank[p] += listed_first;
        rank += !listed_first;
      }
      for (int place = 0; place < K; ++place) {
#pragma HLS UNROLL
        if (e < filled && rank == place) {
          next_best[place] = best[e];
          next_labels[place] = labels[e];
        }
      }
    }
    for (int place = 0; place < K; ++place) {
#pragma HLS UNROLL
      for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
        if (lane_rank[p] == place) {
          next_best[place] = lane[p];
          next_labels[place] = i * PE + p;
        }
      }
    }
    filled = filled + PE < K ? filled + PE : K;
    for (int place = 0; place < K; ++place) {
#pragma HLS UNROLL
      best[place] = next_best[place];
      labels[place] = next_labels[place];
    }
  }

  for (int place = 0; place < K; ++place) {
#pragma HLS PIPELINE II=1
    out.write(ap_uint<O_BITS>(labels[place]));
  }
}

}  // namespace headrace

#endif
