// Depth to space: y[r*BLOCK_H + i, c*BLOCK_W + j, k] = x[r, c, (i*BLOCK_W + j)*CHANNELS + k].
//
// A row of pixels comes as c, i, (j, k) and leaves as i, c, (j, k). `depth_to_space_rows` gives every row of a block a
// stream of its own, `depth_to_space` empties them row after row. The streams hold what waits for its row, as deep as
// their STREAM directives say, and the next row of pixels comes in meanwhile.
#ifndef HEADRACE_DEPTH_TO_SPACE_HPP
#define HEADRACE_DEPTH_TO_SPACE_HPP

#include "words.hpp"

namespace headrace {

// Gives the word to row I if it is its turn.
template <int I, class Word>
int depth_to_space_give(hls::stream<Word>& row, int turn, const Word& word) {
#pragma HLS INLINE
  if (I == turn) row.write(word);
  return I;
}

template <class Word, int... I, class... Rows>
void depth_to_space_give_one(indices<I...>, int turn, const Word& word, Rows&... rows) {
#pragma HLS INLINE
  const int given[] = {depth_to_space_give<I>(rows, turn, word)...};
  (void)given;
}

// Takes the word of row I if it is its turn.
template <int I, class Word>
int depth_to_space_take(hls::stream<Word>& row, int turn, Word& word) {
#pragma HLS INLINE
  if (I == turn) word = row.read();
  return I;
}

template <class Word, int... I, class... Rows>
void depth_to_space_take_one(indices<I...>, int turn, Word& word, Rows&... rows) {
#pragma HLS INLINE
  const int taken[] = {depth_to_space_take<I>(rows, turn, word)...};
  (void)taken;
}

// Invariant: an iteration passes one word on, to the row whose turn it is; a turn has the words of a row of a block.
template <class C, class... Rows>
void depth_to_space_rows(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, Rows&... rows) {
#pragma HLS INLINE
  static_assert(sizeof...(rows) == C::BLOCK_H, "there is a stream for every row of a block");
  static_assert(C::BLOCK_W * C::CHANNELS % C::SIMD == 0, "SIMD must divide BLOCK_W*CHANNELS");
  const int RUN = C::BLOCK_W * C::CHANNELS / C::SIMD;
  index_t<RUN> at          = 0;
  index_t<C::BLOCK_H> turn = 0;
  for (loop_count i = 0; i < frames() * (C::HEIGHT * C::WIDTH * C::BLOCK_H * RUN); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const ap_uint<C::SIMD * C::E_BITS> word = in.read();
    depth_to_space_give_one(typename indices_to<C::BLOCK_H>::type(), int(turn), word, rows...);
    if (at == RUN - 1) turn = following<C::BLOCK_H>(turn);
    at = following<RUN>(at);
  }
}

// Invariant: an iteration passes one word on, from the row whose turn it is; a turn has the words of a row out.
template <class C, class... Rows>
void depth_to_space(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& out, Rows&... rows) {
#pragma HLS INLINE
  const int LINE = C::WIDTH * (C::BLOCK_W * C::CHANNELS / C::SIMD);
  index_t<LINE> at         = 0;
  index_t<C::BLOCK_H> turn = 0;
  for (loop_count i = 0; i < frames() * (C::HEIGHT * C::BLOCK_H * LINE); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    ap_uint<C::SIMD * C::E_BITS> word = 0;
    depth_to_space_take_one(typename indices_to<C::BLOCK_H>::type(), int(turn), word, rows...);
    out.write(word);
    if (at == LINE - 1) turn = following<C::BLOCK_H>(turn);
    at = following<LINE>(at);
  }
}

}  // namespace headrace

#endif
