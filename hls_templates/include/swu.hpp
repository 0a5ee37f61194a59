// Sliding window unit: im2col as a stream, padding made on the fly.
//
//   for r, c (windows), i, j (taps), f (words of a pixel); DEPTHWISE: f, i, j:
//     y = x[r*STRIDE_H + i*DILATION_H - PAD_T, c*STRIDE_W + j*DILATION_W - PAD_L, f], or PAD_CODE in every lane outside
//
// The lines come from `window_rows`, a stream for every row of taps. Where they bring the words in the order in which
// windows show them first, `swu_direct` passes a new word on as it comes and keeps it for the windows to its right.
// Else (dilated windows, or depthwise ones of several words per pixel) `swu_ahead` reads a window ahead of the one that
// it shows.
//
// DEPTH and OVERLAP are those of the RTL's buffer. Which iteration reads and writes does not depend on data or stalls.
#ifndef HEADRACE_SWU_HPP
#define HEADRACE_SWU_HPP

#include "window.hpp"

namespace headrace {

// Words that are shown again earlier than this many iterations after they came are kept in registers: a memory does
// not give back in time what it just took.
constexpr int SWU_DISTANCE = 4;

// The taps of a window, one after the other.
template <class C>
struct swu_taps {
  index_t<C::CHANNELS / C::SIMD> fold;
  index_t<C::KERNEL_W> w;
  index_t<C::KERNEL_H> h;
};

// Invariants: every iteration writes the next tap. One inside the frame is new if no window to the left has shown its
// column, and then read in the same iteration; else it comes from the buffer, where its column has a place of KERNEL_W.
template <class C, class... Rows>
void swu_direct(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& out, Rows&... rows) {
#pragma HLS INLINE
  typedef window_shape<C> S;
  typedef ap_uint<S::BITS> Word;
  typedef typename indices_to<C::KERNEL_H>::type Lines;
  const int FOLDS    = S::FOLDS;
  const int REUSED   = C::KERNEL_W > C::STRIDE_W ? C::KERNEL_W - C::STRIDE_W : 0;  // taps that the next window shows
  const int STEP     = C::STRIDE_W % C::KERNEL_W;  // places from one window to the next
  const int WORDS    = C::KERNEL_H * C::KERNEL_W * FOLDS;
  const int DISTANCE = REUSED > 0 ? WORDS - C::STRIDE_W * FOLDS : SWU_DISTANCE;
  const bool FEW     = DISTANCE < SWU_DISTANCE;
  typedef ap_int<index_bits(S::OUT_H * C::STRIDE_H + C::PAD_T + (C::KERNEL_H - 1) * C::DILATION_H + 1) + 1> Row;
  typedef ap_int<index_bits(S::OUT_W * C::STRIDE_W + C::PAD_L + C::KERNEL_W + 1) + 1> Column;

  Word kept[REUSED > 0 && !FEW ? WORDS : 1];
  Word kept_few[REUSED > 0 && FEW ? WORDS : 1];
#pragma HLS ARRAY_PARTITION variable=kept_few complete dim=1
#pragma HLS DEPENDENCE variable=kept type=inter direction=RAW distance=DISTANCE dependent=true
  index_t<FOLDS> fold       = 0;
  index_t<C::KERNEL_W> tap  = 0;  // in its row
  index_t<C::KERNEL_H> line = 0;  // row of taps
  index_t<C::KERNEL_W> place = 0, window_place = 0;  // of the tap's column, and of the window's first
  index_t<S::OUT_W> column  = 0;
  index_t<S::OUT_H> row     = 0;
  Column x = -C::PAD_L, window_x = -C::PAD_L;  // of the tap, and of the window's first
  Row y = -C::PAD_T, window_y = -C::PAD_T;
  for (loop_count i = 0; i < frames() * (S::OUT_H * S::OUT_W * WORDS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const bool inside = x >= 0 && x < C::WIDTH && y >= 0 && y < C::HEIGHT;
    const bool fresh  = inside && (column == 0 || tap >= REUSED);
    const int address = (int(line) * C::KERNEL_W + int(place)) * FOLDS + int(fold);
    Word word = S::pad_word();
    if (REUSED > 0 && inside && !fresh) word = FEW ? kept_few[FEW ? address : 0] : kept[FEW ? 0 : address];
    window_take(Lines(), fresh, int(line), word, rows...);
    if (REUSED > 0 && fresh) {
      if (FEW) kept_few[FEW ? address : 0] = word;
      if (!FEW) kept[FEW ? 0 : address] = word;
    }
    out.write(word);

    // The folds are the innermost loop, or (DEPTHWISE) the one around the taps.
    const bool fold_last = fold == FOLDS - 1;
    const bool tap_last  = tap == C::KERNEL_W - 1;
    const bool line_last = line == C::KERNEL_H - 1;
    const bool tap_turns = C::DEPTHWISE != 0 || fold_last;
    const bool ends      = fold_last && tap_last && line_last;
    const bool row_ends  = ends && column == S::OUT_W - 1;
    const bool all_ends  = row_ends && row == S::OUT_H - 1;
    const Column next_x  = row_ends ? Column(-C::PAD_L) : ends ? Column(window_x + C::STRIDE_W) : window_x;
    const Row next_y     = all_ends ? Row(-C::PAD_T) : row_ends ? Row(window_y + C::STRIDE_H) : window_y;
    const int moved      = int(window_place) + STEP;
    const int next_place = row_ends ? 0 : !ends ? int(window_place) : moved < C::KERNEL_W ? moved : moved - C::KERNEL_W;
    if (tap_turns) {
      place = tap_last ? index_t<C::KERNEL_W>(next_place) : following<C::KERNEL_W>(place);
      x = tap_last ? next_x : Column(x + 1);
      if (tap_last) y = line_last ? next_y : Row(y + C::DILATION_H);
      if (tap_last) line = following<C::KERNEL_H>(line);
      tap = following<C::KERNEL_W>(tap);
    }
    if (C::DEPTHWISE == 0 || (tap_last && line_last)) fold = following<FOLDS>(fold);
    window_x = next_x;
    window_y = next_y;
    window_place = next_place;
    if (ends) column = following<S::OUT_W>(column);
    if (row_ends) row = following<S::OUT_H>(row);
  }
}

// How the columns of a row are read: a step reads at most KERNEL_W of them, so that where a row's first window needs
// more, EMPTY steps in front of it only read. `columns` are those read in the first `steps` steps. A step that shows no
// window reads all rows of taps at once, a word in every iteration; FILL are the words of the one in front of a row's
// first window.
template <class C>
struct swu_reading {
  typedef window_shape<C> S;
  static constexpr int FIRST_COLUMNS = window_max(0, window_min(S::COLUMNS, S::SPAN - S::FIRST));
  static constexpr int EMPTY = window_max(0, ceil_div(FIRST_COLUMNS, C::KERNEL_W) - 1);
  static constexpr int STEPS = S::OUT_W + EMPTY;
  static constexpr int MOST  = EMPTY > 0 ? C::KERNEL_W : window_max(FIRST_COLUMNS, S::STEP);  // of a step
  static constexpr int FILL  = (FIRST_COLUMNS - EMPTY * C::KERNEL_W) * S::FOLDS;
  static constexpr int columns(int steps) {
    return steps <= EMPTY ? steps * C::KERNEL_W
                          : window_max(0, window_min(S::COLUMNS, S::SPAN - S::FIRST + (steps - 1 - EMPTY) * S::STEP));
  }
  // Iterations from where a frame's first window has been read to where it shows a word, the word's own included.
  static constexpr int soonest() {
    int least = FIRST_COLUMNS * S::FOLDS + C::KERNEL_W * S::FOLDS;
    for (int j = 0; j < C::KERNEL_W; ++j) {
      const int column = S::rank(j * C::DILATION_W) - S::FIRST;
      const int shown  = (FIRST_COLUMNS - column) * S::FOLDS + (C::DEPTHWISE != 0 ? j : j * S::FOLDS);
      if (column >= 0 && column < FIRST_COLUMNS) least = window_min(least, shown);
    }
    return least;
  }
};

// Place of a tap in its window, in columns that are passed on.
template <class C, int J>
constexpr int swu_offset_of() {
  return window_shape<C>::rank(J * C::DILATION_W);
}
template <class C, int... J>
int swu_offset(indices<J...>, int tap) {
#pragma HLS INLINE
  int offset = 0;
  const int all[] = {(offset = tap == J ? swu_offset_of<C, J>() : offset)...};
  (void)all;
  return offset;
}

// Takes the word of row K, if it is its turn, to the row's circle.
template <class C, int K, class Word, int PLACES, int FEW_PLACES>
int swu_keep_one(hls::stream<Word>& row, bool takes, int y, int at, Word (&kept)[C::KERNEL_H][PLACES],
                 Word (&kept_few)[C::KERNEL_H][FEW_PLACES]) {
#pragma HLS INLINE
  const int line = y + K * C::DILATION_H;
  if (takes && line >= 0 && line < C::HEIGHT) {
    const Word word = row.read();
    if (FEW_PLACES > 1) kept_few[K][FEW_PLACES > 1 ? at : 0] = word;
    if (FEW_PLACES <= 1) kept[K][FEW_PLACES > 1 ? 0 : at] = word;
  }
  return K;
}

template <class C, class Word, int PLACES, int FEW_PLACES, int... K, class... Rows>
void swu_keep(indices<K...>, bool takes, bool all, int tap, int y, int at, Word (&kept)[C::KERNEL_H][PLACES],
              Word (&kept_few)[C::KERNEL_H][FEW_PLACES], Rows&... rows) {
#pragma HLS INLINE
  const int taken[] = {swu_keep_one<C, K>(rows, takes && (all || tap == K), y, at, kept, kept_few)...};
  (void)taken;
}

// Invariants: a step is a window that is written, tap by tap, and the one behind it, or the first of the next row,
// whose new columns are read. Every row of taps has a circle of PLACES words; the first tap of the window stands at
// `window_at`, and the first word that the step reads goes to `fresh_at`. A frame's first step, and EMPTY ones, write
// nothing and end with their last word; PAUSE iterations behind it keep it from being shown too soon for a memory.
template <class C, class... Rows>
void swu_ahead(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& out, Rows&... rows) {
#pragma HLS INLINE
  typedef window_shape<C> S;
  typedef swu_reading<C> R;
  typedef ap_uint<S::BITS> Word;
  typedef typename indices_to<C::KERNEL_H>::type Lines;
  const int FOLDS    = S::FOLDS;
  const int TAPS     = C::KERNEL_H * C::KERNEL_W * FOLDS;
  const int PLACES   = (S::SPAN + R::MOST) * FOLDS;
  const int LEAST    = C::DEPTHWISE != 0 ? C::KERNEL_H * FOLDS - (C::KERNEL_W - 1) : TAPS - (C::KERNEL_W - 1) * FOLDS;
  const bool FEW     = LEAST < SWU_DISTANCE;
  const int PAUSE    = FEW ? 0 : window_max(0, SWU_DISTANCE - R::soonest());
  const int DISTANCE = FEW ? 1 : window_min(LEAST, R::soonest() + PAUSE);
  const int READ     = C::KERNEL_W * FOLDS;                  // iterations of an empty step
  const int FILLED   = window_max(1, R::FILL + PAUSE);       // and of the last one that shows no window
  const int WITHOUT  = R::EMPTY > 0 ? READ + S::OUT_H * ((R::EMPTY - 1) * READ + FILLED) : FILLED;  // in a frame
  const int IN_FRONT = S::FIRST * FOLDS % PLACES;  // words in front of a row that its first window would show
  typedef ap_int<index_bits(S::OUT_H * C::STRIDE_H + C::PAD_T + (C::KERNEL_H - 1) * C::DILATION_H + 1) + 1> Row;
  typedef ap_int<index_bits(S::OUT_W * C::STRIDE_W + C::PAD_L + C::KERNEL_W * C::DILATION_W + 1) + 1> Column;
  typedef index_t<PLACES> Place;

  Word kept[C::KERNEL_H][FEW ? 1 : PLACES];
  Word kept_few[C::KERNEL_H][FEW ? PLACES : 1];
#pragma HLS ARRAY_PARTITION variable=kept complete dim=1
#pragma HLS ARRAY_PARTITION variable=kept_few complete dim=0
#pragma HLS DEPENDENCE variable=kept type=inter direction=RAW distance=DISTANCE dependent=true
  index_t<FOLDS> fold        = 0;
  index_t<C::KERNEL_W> tap   = 0;
  index_t<C::KERNEL_H> line  = 0;
  index_t<window_max(READ, FILLED)> filled = 0;  // iteration of a step that writes nothing
  index_t<TAPS + 1> gone     = 0;  // DEPTHWISE: words of a row of taps that the folds in front have read in this step
  bool reading = true, writing = false;
  index_t<R::STEPS> step  = 0;  // of the row that is read
  index_t<S::OUT_H> row   = 0;
  Row read_y = -C::PAD_T, y = -C::PAD_T;
  Column x = -C::PAD_L;  // of the window's first tap
  Place row_at = 0, fresh_at = 0, window_at = 0;
  for (loop_count i = 0; i < frames() * (S::OUT_H * S::OUT_W * TAPS + WITHOUT); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const int columns   = R::columns(int(step) + 1) - R::columns(int(step));
    const bool in_front = step == R::EMPTY;  // of a row's first window
    const bool takes    = writing ? reading && int(tap) < columns : int(filled) < (in_front ? R::FILL : READ);
    const int ahead     = int(fresh_at) + (!writing ? int(filled) : C::DEPTHWISE != 0 ? int(gone) + int(tap)
                                                                                      : int(tap) * FOLDS + int(fold));
    const int to        = ahead < PLACES ? ahead : ahead - PLACES;
    const int shown_x   = int(x) + int(tap) * C::DILATION_W;
    const int shown_y   = int(y) + int(line) * C::DILATION_H;
    const bool inside   = shown_x >= 0 && shown_x < C::WIDTH && shown_y >= 0 && shown_y < C::HEIGHT;
    const int shown     = int(window_at) + swu_offset<C>(typename indices_to<C::KERNEL_W>::type(), int(tap)) * FOLDS +
                          int(fold);
    const int from      = shown < PLACES ? shown : shown - PLACES;

    Word word = S::pad_word();
    if (writing && inside) word = FEW ? kept_few[int(line)][FEW ? from : 0] : kept[int(line)][FEW ? 0 : from];
    swu_keep<C>(Lines(), takes, !writing, int(line), int(read_y), to, kept, kept_few, rows...);
    if (writing) out.write(word);

    const bool fold_last  = fold == FOLDS - 1;
    const bool tap_last   = tap == C::KERNEL_W - 1;
    const bool line_last  = line == C::KERNEL_H - 1;
    const bool tap_turns  = writing && (C::DEPTHWISE != 0 || fold_last);
    const bool fold_turns = writing && (C::DEPTHWISE == 0 || (tap_last && line_last));
    const bool ends = writing ? fold_last && tap_last && line_last : filled == (in_front ? FILLED : READ) - 1;
    if (fold_turns) gone = fold_last ? 0 : int(gone) + columns;
    if (!writing) filled = ends ? 0 : int(filled) + 1;
    if (ends) {
      const bool row_ends = step == R::STEPS - 1;
      const bool all_ends = row_ends && row == S::OUT_H - 1;
      // What has been read is written next.
      if (in_front) {
        const int at = int(row_at) - IN_FRONT;
        window_at = at < 0 ? at + PLACES : at;
        x = -C::PAD_L;
        y = read_y;
      } else {
        const int at = int(window_at) + S::STEP * FOLDS;
        window_at = at < PLACES ? at : at - PLACES;
        x += C::STRIDE_W;
      }
      writing = reading && step >= R::EMPTY;
      const int next = int(fresh_at) + columns * FOLDS;
      if (reading) fresh_at = next < PLACES ? next : next - PLACES;
      if (row_ends) row_at = fresh_at;
      read_y = !reading || all_ends ? Row(-C::PAD_T) : row_ends ? Row(read_y + C::STRIDE_H) : read_y;
      if (reading && row_ends) row = following<S::OUT_H>(row);
      step = reading ? following<R::STEPS>(step) : index_t<R::STEPS>(0);
      reading = !reading || !all_ends;
    }
    if (fold_turns) fold = following<FOLDS>(fold);
    if (tap_turns) {
      if (tap_last) line = following<C::KERNEL_H>(line);
      tap = following<C::KERNEL_W>(tap);
    }
  }
}

template <class C>
constexpr bool swu_is_direct() {
  return C::KERNEL_W == 1 || (C::DILATION_W == 1 && (C::DEPTHWISE == 0 || C::CHANNELS == C::SIMD));
}

template <class C, class... Rows>
void swu(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& out, Rows&... rows) {
#pragma HLS INLINE
  if (swu_is_direct<C>()) {
    swu_direct<C>(out, rows...);
  } else {
    swu_ahead<C>(out, rows...);
  }
}

}  // namespace headrace

#endif
