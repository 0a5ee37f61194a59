// Sliding window unit that emits all taps of SIMD channels of a window in one word, padding made on the fly.
//
//   for r, c (windows), f (words of a pixel): lanes [KERNEL_H][KERNEL_W][SIMD] of
//     y = x[r*STRIDE_H + i*DILATION_H - PAD_T, c*STRIDE_W + j*DILATION_W - PAD_L, f], or PAD_CODE in every lane outside
//
// The lines come from `window_rows`, a stream for every row of taps. A column of a row of windows is a word of each.
// The columns that came last stand in a chain that moves on by one with every column, and a window leaves when its last
// column comes. Where that lies in the padding it leaves with the first columns of the next row, which are then masked.
//
// BANKS_H, BANKS_W and SLOTS are those of the RTL's memories.
//
// Invariants: an iteration is one word of a place of a column; a row has PLACES of them, EARLY of them in front of the
// frame where windows lie wholly in the padding. At most one window ends at a place. Which iteration reads and writes
// does not depend on data or stalls.
#ifndef HEADRACE_PARALLEL_SWU_HPP
#define HEADRACE_PARALLEL_SWU_HPP

#include "window.hpp"

namespace headrace {

// Words that come back after fewer iterations than this are kept in registers.
constexpr int PARALLEL_SWU_DISTANCE = 4;

template <class C>
struct parallel_swu_shape {
  typedef window_shape<C> S;
  static constexpr int EARLY  = window_max(0, S::FIRST - (S::SPAN - 1));
  static constexpr int START  = S::SPAN - 1 - S::FIRST + EARLY;  // place at which the first window of a row ends
  static constexpr int STRIDE = (S::OUT_W - 1) * S::STEP;        // from there to the last one
  static constexpr int PLACES = window_max(EARLY + S::COLUMNS, STRIDE + 1);
  static constexpr int LATE   = window_max(0, STRIDE + START - (PLACES - 1));  // places behind the last row
  static constexpr int LAST_ROW   = LATE > 0 ? S::OUT_H + (LATE - 1) / PLACES : S::OUT_H - 1;  // of the frame's end
  static constexpr int LAST_PLACE = LATE > 0 ? (LATE - 1) % PLACES : PLACES - 1;
};

// The next word of row K, where a row of windows that starts at line y has its taps inside the frame.
template <class C, int K, class Word>
int parallel_swu_take(hls::stream<Word>& row, bool takes, int y, Word (&column)[C::KERNEL_H]) {
#pragma HLS INLINE
  const int line = y + K * C::DILATION_H;
  if (takes && line >= 0 && line < C::HEIGHT) column[K] = row.read();
  return K;
}

template <class C, class Word, int... K, class... Rows>
void parallel_swu_column(indices<K...>, bool takes, int y, Word (&column)[C::KERNEL_H], Rows&... rows) {
#pragma HLS INLINE
  const int taken[] = {parallel_swu_take<C, K>(rows, takes, y, column)...};
  (void)taken;
}

// Tap J of a window out of its row of the chain, behind which the newest column stands.
template <class C, int J>
constexpr int parallel_swu_age() {
  return window_shape<C>::SPAN - 1 - window_shape<C>::rank(J * C::DILATION_W);
}
template <class C, class Window, class Word, int... J>
void parallel_swu_show(indices<J...>, int line, int x, const Word (&aged)[window_shape<C>::SPAN], Window& window) {
#pragma HLS INLINE
  const int BITS = window_shape<C>::BITS;
  // The cast keeps the comma from being that of ap_uint, which joins words.
  const int shown[] = {(void(window.range((line * C::KERNEL_W + J + 1) * BITS - 1, (line * C::KERNEL_W + J) * BITS) =
                                 x + J * C::DILATION_W >= 0 && x + J * C::DILATION_W < C::WIDTH
                                     ? aged[parallel_swu_age<C, J>()]
                                     : window_shape<C>::pad_word()),
                        J)...};
  (void)shown;
}

template <class C, class... Rows>
void parallel_swu(hls::stream<ap_uint<C::KERNEL_H * C::KERNEL_W * C::SIMD * C::E_BITS> >& out, Rows&... rows) {
#pragma HLS INLINE
  typedef window_shape<C> S;
  typedef parallel_swu_shape<C> P;
  typedef ap_uint<S::BITS> Word;
  static_assert(sizeof...(rows) == C::KERNEL_H, "there is a stream for every row of taps");
  const int FOLDS  = S::FOLDS;
  const int CHAIN  = S::SPAN > 1 ? S::SPAN - 1 : 1;
  const int TURN   = P::PLACES - P::STRIDE;  // places from the last window of a row to the first of the next
  const int WAIT   = window_max(P::START, window_max(S::STEP, TURN));
  const bool FEW   = FOLDS < PARALLEL_SWU_DISTANCE;
  typedef ap_int<index_bits((P::LAST_ROW + 2) * C::STRIDE_H + C::PAD_T + 1) + 1> Row;
  typedef ap_int<index_bits(S::OUT_W * C::STRIDE_W + C::PAD_L + 1) + 1> Column;

  Word chain[C::KERNEL_H][CHAIN][FEW ? 1 : FOLDS];
  Word chain_few[C::KERNEL_H][CHAIN][FEW ? FOLDS : 1];
#pragma HLS ARRAY_PARTITION variable=chain complete dim=1
#pragma HLS ARRAY_PARTITION variable=chain complete dim=2
#pragma HLS ARRAY_PARTITION variable=chain_few complete dim=0
#pragma HLS DEPENDENCE variable=chain type=inter direction=RAW distance=FOLDS dependent=true
  index_t<FOLDS> fold          = 0;
  index_t<P::PLACES> place     = 0;
  Row y                        = -C::PAD_T;  // line where this row of windows starts; behind the last one it goes on
  index_t<WAIT + 1> wait       = P::START;   // places until a window ends
  Column x                     = -C::PAD_L;  // column where that window starts
  for (loop_count i = 0; i < frames() * ((S::OUT_H * P::PLACES + P::LATE) * FOLDS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const bool takes = y < S::OUT_H * C::STRIDE_H - C::PAD_T && place >= P::EARLY && place < P::EARLY + S::COLUMNS;
    const bool ends  = wait == 0;
    const int group  = fold;
    Word newest[C::KERNEL_H];
#pragma HLS ARRAY_PARTITION variable=newest complete dim=1
    for (int t = 0; t < C::KERNEL_H; ++t) {
#pragma HLS UNROLL
      newest[t] = S::pad_word();
    }
    parallel_swu_column<C>(typename indices_to<C::KERNEL_H>::type(), takes, int(y), newest, rows...);

    ap_uint<C::KERNEL_H * C::KERNEL_W * S::BITS> window = 0;
    for (int t = 0; t < C::KERNEL_H; ++t) {
#pragma HLS UNROLL
      Word aged[S::SPAN];  // the newest column and those in front of it
#pragma HLS ARRAY_PARTITION variable=aged complete dim=1
      aged[0] = newest[t];
      for (int d = 1; d < S::SPAN; ++d) {
#pragma HLS UNROLL
        aged[d] = FEW ? chain_few[t][d - 1][FEW ? group : 0] : chain[t][d - 1][FEW ? 0 : group];
      }
      for (int d = 1; d < S::SPAN; ++d) {
#pragma HLS UNROLL
        if (FEW) chain_few[t][d - 1][FEW ? group : 0] = aged[d - 1];
        if (!FEW) chain[t][d - 1][FEW ? 0 : group] = aged[d - 1];
      }
      parallel_swu_show<C>(typename indices_to<C::KERNEL_W>::type(), t, int(x), aged, window);
    }
    if (ends) out.write(window);

    if (fold == FOLDS - 1) {
      const bool row_ends    = place == P::PLACES - 1;
      const bool frame_ends  = y == P::LAST_ROW * C::STRIDE_H - C::PAD_T && place == P::LAST_PLACE;
      const bool last_column = x == (S::OUT_W - 1) * C::STRIDE_W - C::PAD_L;
      wait = frame_ends ? P::START : !ends ? int(wait) - 1 : last_column ? TURN - 1 : S::STEP - 1;
      if (ends) x = last_column ? Column(-C::PAD_L) : Column(x + C::STRIDE_W);
      y = frame_ends ? Row(-C::PAD_T) : row_ends ? Row(y + C::STRIDE_H) : y;
      place = frame_ends || row_ends ? 0 : int(place) + 1;
    }
    fold = following<FOLDS>(fold);
  }
}

}  // namespace headrace

#endif
