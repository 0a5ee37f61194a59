// Concatenation of channels: of every pixel the C0 channels of input 0, then the C1 of input 1, and so on.
//
// Invariant: an iteration reads one word, from input `turn`, and writes it, its elements widened to those of the output.
// Counts behind the last input are 0.
#ifndef HEADRACE_CONCAT_HPP
#define HEADRACE_CONCAT_HPP

#include "words.hpp"

namespace headrace {

// Width and kind of the elements of input K; those of the output are taken as they are.
template <class C, int K>
struct concat_input {
  static constexpr int BITS = K == 0 ? C::C0_BITS : K == 1 ? C::C1_BITS : K == 2 ? C::C2_BITS : K == 3 ? C::C3_BITS
                              : K == 4 ? C::C4_BITS : K == 5 ? C::C5_BITS : K == 6 ? C::C6_BITS : C::C7_BITS;
  static constexpr int KIND = K == 0 ? C::C0_KIND : K == 1 ? C::C1_KIND : K == 2 ? C::C2_KIND : K == 3 ? C::C3_KIND
                              : K == 4 ? C::C4_KIND : K == 5 ? C::C5_KIND : K == 6 ? C::C6_KIND : C::C7_KIND;
};

template <class C, int K, bool SAME>
struct concat_word {  // an input of narrower elements
  static ap_uint<C::PE * C::E_BITS> of(const ap_uint<C::PE * concat_input<C, K>::BITS>& word) {
#pragma HLS INLINE
    const int BITS = concat_input<C, K>::BITS;
    uint64_t x[chunks_of(C::PE * BITS)];
    uint64_t y[chunks_of(C::PE * C::E_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::PE * BITS>(word, x);
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      const int64_t value = decode<BITS, concat_input<C, K>::KIND>(get_lane<BITS>(x, p));
      put_lane<C::E_BITS>(y, p, uint64_t(value) & low_mask(C::E_BITS));
    }
    return join_word<C::PE * C::E_BITS>(y);
  }
};

template <class C, int K>
struct concat_word<C, K, true> {
  static ap_uint<C::PE * C::E_BITS> of(const ap_uint<C::PE * C::E_BITS>& word) {
#pragma HLS INLINE
    return word;
  }
};

// What stream K does in an iteration: an input gives its word if it is its turn, the output behind the inputs takes it.
template <class C, int K, bool IS_OUTPUT>
struct concat_stream {
  template <typename Stream>
  static int move(Stream& stream, int turn, ap_uint<C::PE * C::E_BITS>& word) {
#pragma HLS INLINE
    if (K == turn) word = concat_word<C, K, concat_input<C, K>::BITS == C::E_BITS>::of(stream.read());
    return K;
  }
};

template <class C, int K>
struct concat_stream<C, K, true> {
  template <typename Stream>
  static int move(Stream& stream, int, ap_uint<C::PE * C::E_BITS>& word) {
#pragma HLS INLINE
    stream.write(word);
    return K;
  }
};

template <class C, int... K, typename... Streams>
void concat_step(indices<K...>, int turn, Streams&... ins_and_out) {
#pragma HLS INLINE
  ap_uint<C::PE * C::E_BITS> word = 0;
  const int moved[] = {concat_stream<C, K, K == C::INPUTS>::move(ins_and_out, turn, word)...};  // from left to right
  (void)moved;
}

// Words of a pixel on input `turn`; a choice between constants, so that no memory lies in the loop's recurrence.
template <class C>
constexpr int concat_words(int turn) {
  return (turn == 0 ? C::C0 : turn == 1 ? C::C1 : turn == 2 ? C::C2 : turn == 3 ? C::C3 : turn == 4 ? C::C4
                    : turn == 5 ? C::C5 : turn == 6 ? C::C6 : C::C7) / C::PE;
}

template <class C, int K>
bool concat_ends(int turn, int fold) {
#pragma HLS INLINE
  return turn == K && fold == concat_words<C>(K) - 1;
}

template <class C, typename... Streams>
void concat(Streams&... ins_and_out) {
#pragma HLS INLINE
  static_assert(sizeof...(ins_and_out) == C::INPUTS + 1, "INPUTS is the number of input streams");
  const int CHANNELS = C::C0 + C::C1 + C::C2 + C::C3 + C::C4 + C::C5 + C::C6 + C::C7;

  index_t<C::INPUTS> turn = 0;
  index_t<CHANNELS / C::PE> fold = 0;
  for (loop_count i = 0; i < frames() * (C::PIXELS * (CHANNELS / C::PE)); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    concat_step<C>(typename indices_to<C::INPUTS + 1>::type(), int(turn), ins_and_out...);
    const int of = turn, at = fold;
    const bool ends = concat_ends<C, 0>(of, at) || concat_ends<C, 1>(of, at) || concat_ends<C, 2>(of, at) ||
                      concat_ends<C, 3>(of, at) || concat_ends<C, 4>(of, at) || concat_ends<C, 5>(of, at) ||
                      concat_ends<C, 6>(of, at) || concat_ends<C, 7>(of, at);
    fold = ends ? index_t<CHANNELS / C::PE>(0) : index_t<CHANNELS / C::PE>(fold + 1);
    if (ends) turn = following<C::INPUTS>(turn);
  }
}

}  // namespace headrace

#endif
