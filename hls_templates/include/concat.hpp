// Concatenation of channels: of every pixel the C0 channels of input 0, then the C1 of input 1, and so on.
//
// Invariant: an iteration reads one word, from input `turn`, and writes it. Counts behind the last input are 0.
#ifndef HEADRACE_CONCAT_HPP
#define HEADRACE_CONCAT_HPP

#include "words.hpp"

namespace headrace {

// concat_indices_to<N>::type is concat_indices<0, 1, ..., N - 1>.
template <int... K>
struct concat_indices {};
template <int N, int... K>
struct concat_indices_to : concat_indices_to<N - 1, N - 1, K...> {};
template <int... K>
struct concat_indices_to<0, K...> {
  typedef concat_indices<K...> type;
};

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
void concat_step(concat_indices<K...>, int turn, Streams&... ins_and_out) {
#pragma HLS INLINE
  ap_uint<BITS> word = 0;
  const int moved[] = {concat_move<K, INPUTS, BITS>(ins_and_out, turn, word)...};  // from left to right
  (void)moved;
}

template <int INPUTS, int PE, int E_BITS, int PIXELS, int C0, int C1, int C2, int C3, int C4, int C5, int C6, int C7,
          typename... Streams>
void concat(Streams&... ins_and_out) {
#pragma HLS INLINE
  static_assert(sizeof...(ins_and_out) == INPUTS + 1, "INPUTS is the number of input streams");
  const int CHANNELS = C0 + C1 + C2 + C3 + C4 + C5 + C6 + C7;
  const int FOLDS[8] = {C0 / PE, C1 / PE, C2 / PE, C3 / PE, C4 / PE, C5 / PE, C6 / PE, C7 / PE};

  int turn = 0;
  int fold = 0;
  for (int i = 0; i < PIXELS * (CHANNELS / PE); ++i) {
#pragma HLS PIPELINE II=1
    concat_step<INPUTS, PE * E_BITS>(typename concat_indices_to<INPUTS + 1>::type(), turn, ins_and_out...);
    if (fold < FOLDS[turn] - 1) {
      ++fold;
    } else {
      fold = 0;
      turn = turn < INPUTS - 1 ? turn + 1 : 0;
    }
  }
}

}  // namespace headrace

#endif
