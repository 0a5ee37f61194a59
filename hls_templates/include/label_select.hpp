// Indices of the K largest of LABELS elements, the largest first; among equals the lowest index first.
//
// The elements seen so far stand in a list of K places, best first. A word of PE elements is sorted, and its K largest
// are merged with the list: element e of the list and element q of the word come to place e + q if just q elements of
// the word come before the one, or e + 1 of the list before the other. Only the merge lies in the recurrence, a
// comparison of all pairs and a choice for each place.
//
// Invariants: an element of the list comes before one of the word if it is not smaller, because its index is lower;
// places that hold nothing come last. The list leaves as one word, and a process of its own puts its K indices, so that
// the next frame is read meanwhile.
#ifndef HEADRACE_LABEL_SELECT_HPP
#define HEADRACE_LABEL_SELECT_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void label_select(hls::stream<ap_uint<C::PE * C::E_BITS> >& in, hls::stream<ap_uint<C::K * C::O_BITS> >& out) {
#pragma HLS INLINE
  static_assert(C::LABELS % C::PE == 0 && C::K <= C::LABELS, "PE must divide LABELS, and K must not exceed it");
  typedef ap_int<C::E_BITS + 1> Value;
  typedef index_t<C::LABELS> Label;
  const int WORDS  = C::LABELS / C::PE;
  const int SORTED = C::PE < C::K ? C::PE : C::K;  // elements of a word that can come into the list

  Value best[C::K];
  Label labels[C::K];
  bool holds[C::K];
#pragma HLS ARRAY_PARTITION variable=best complete dim=1
#pragma HLS ARRAY_PARTITION variable=labels complete dim=1
#pragma HLS ARRAY_PARTITION variable=holds complete dim=1
  for (int e = 0; e < C::K; ++e) {
#pragma HLS UNROLL
    best[e] = 0;
    labels[e] = 0;
    holds[e] = false;
  }

  index_t<WORDS> word = 0;
  Label first_label   = 0;
  for (loop_count i = 0; i < frames() * WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    uint64_t x[chunks_of(C::PE * C::E_BITS)];
    Value lane[C::PE];
    int rank[C::PE];
    Value sorted[SORTED];
    Label sorted_labels[SORTED];
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=lane complete dim=1
#pragma HLS ARRAY_PARTITION variable=rank complete dim=1
#pragma HLS ARRAY_PARTITION variable=sorted complete dim=1
#pragma HLS ARRAY_PARTITION variable=sorted_labels complete dim=1
    split_word<C::PE * C::E_BITS>(in.read(), x);
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      lane[p] = decode<C::E_BITS, C::E_KIND>(get_lane<C::E_BITS>(x, p));
      rank[p] = 0;
    }
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      for (int q = 0; q < C::PE; ++q) {
#pragma HLS UNROLL
        // The lanes that come before lane p: the larger ones, and equal ones of a lower index.
        if (q != p) rank[p] += q < p ? lane[q] >= lane[p] : lane[q] > lane[p];
      }
    }
    for (int q = 0; q < SORTED; ++q) {
#pragma HLS UNROLL
      sorted[q] = 0;
      sorted_labels[q] = 0;
      for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
        if (rank[p] == q) {
          sorted[q] = lane[p];
          sorted_labels[q] = Label(first_label + p);
        }
      }
    }

    const bool starts = word == 0;
    bool listed[C::K][SORTED];  // element e of the list comes before element q of the word
    Value next_best[C::K];
    Label next_labels[C::K];
    bool next_holds[C::K];
#pragma HLS ARRAY_PARTITION variable=listed complete dim=0
#pragma HLS ARRAY_PARTITION variable=next_best complete dim=1
#pragma HLS ARRAY_PARTITION variable=next_labels complete dim=1
#pragma HLS ARRAY_PARTITION variable=next_holds complete dim=1
    for (int e = 0; e < C::K; ++e) {
#pragma HLS UNROLL
      for (int q = 0; q < SORTED; ++q) {
#pragma HLS UNROLL
        listed[e][q] = !starts && holds[e] && best[e] >= sorted[q];
      }
    }
    for (int place = 0; place < C::K; ++place) {
#pragma HLS UNROLL
      Value value = 0;
      Label label = 0;
      bool filled = false;
      for (int e = 0; e < C::K; ++e) {
#pragma HLS UNROLL
        // From the list: q of the word come before it. From the word: e of the list come before its element q.
        const int q = e <= place ? place - e : SORTED + 1;
        const bool stays = q <= SORTED && (q == 0 || !listed[e][q > 0 ? q - 1 : 0]) && !starts && holds[e] &&
                           (q == SORTED || listed[e][q < SORTED ? q : 0]);
        const bool comes = q < SORTED && (e == 0 || listed[e > 0 ? e - 1 : 0][q < SORTED ? q : 0]) &&
                           !listed[e][q < SORTED ? q : 0];
        value |= stays ? best[e] : Value(0);
        label |= stays ? labels[e] : Label(0);
        value |= comes ? sorted[q < SORTED ? q : 0] : Value(0);
        label |= comes ? sorted_labels[q < SORTED ? q : 0] : Label(0);
        filled = filled || stays || comes;
      }
      next_best[place] = value;
      next_labels[place] = label;
      next_holds[place] = filled;
    }
    ap_uint<C::K * C::O_BITS> list = 0;
    for (int place = 0; place < C::K; ++place) {
#pragma HLS UNROLL
      best[place] = next_best[place];
      labels[place] = next_labels[place];
      holds[place] = next_holds[place];
      list.range((place + 1) * C::O_BITS - 1, place * C::O_BITS) = ap_uint<C::O_BITS>(next_labels[place]);
    }
    if (word == WORDS - 1) out.write(list);

    first_label = word == WORDS - 1 ? Label(0) : Label(first_label + C::PE);
    word = following<WORDS>(word);
  }
}

// The K indices of a list, one after the other.
template <class C>
void label_results(hls::stream<ap_uint<C::K * C::O_BITS> >& in, hls::stream<ap_uint<C::O_BITS> >& out) {
#pragma HLS INLINE
  ap_uint<C::K * C::O_BITS> list = 0;
  index_t<C::K> place = 0;
  for (loop_count i = 0; i < frames() * C::K; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    if (place == 0) {
      list = in.read();
    } else {
      list >>= C::O_BITS;
    }
    out.write(ap_uint<C::O_BITS>(list));
    place = following<C::K>(place);
  }
}

}  // namespace headrace

#endif
