// Concatenation of channels: of every pixel the C0 channels of input 0, then the C1 of input 1, and so on.
//
// Invariant: an iteration reads one word, from input `turn`, and writes it. Counts behind the last input are 0.
#ifndef HEADRACE_CONCAT_HPP
#define HEADRACE_CONCAT_HPP

#include "words.hpp"

namespace headrace {

// What stream K does in an iteration: an input gives its word if it is its turn, the output behind the inputs takes it.
template <int K, int INPUTS, int BITS>
int concat_move(hls::stream<ap_uint<BITS> >& stream, int turn, ap_uint<BITS>& word) {
#pragma HLS INLINE
  if (K == INPUTS) {
    stream.write(word);
  } else if (K == turn) {
    word = stream.read();
  }
  return K;
}

template <int INPUTS, int BITS, int... K, typename... Streams>
void concat_step(indices<K...>, int turn, Streams&... ins_and_out) {
#pragma HLS INLINE
  ap_uint<BITS> word = 0;
  const int moved[] = {concat_move<K, INPUTS, BITS>(ins_and_out, turn, word)...};  // from left to right
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
    concat_step<C::INPUTS, C::PE * C::E_BITS>(typename indices_to<C::INPUTS + 1>::type(), int(turn), ins_and_out...);
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
