// Geometry of sliding windows, and the rows that they are made of.
//
// A window unit is two processes. `window_rows` passes every word of the frame on to the streams of rows: rows[i] gets,
// for every row of windows, the line that its taps of row i show. The streams hold the lines that wait for each other,
// as deep as their STREAM directives say, so that the frame is read at its own pace, into the next frame too, while
// the process behind it makes windows at its own. It reads from rows[i] what tap row i needs, and nothing ahead of a
// frame.
//
// Columns that no window shows are left out: of STRIDE_W columns those whose distance from a window's edge is that of a
// tap. The others are counted from the left edge of the first window, in the padding: column `rank(x + PAD_L)` is x.
#ifndef HEADRACE_WINDOW_HPP
#define HEADRACE_WINDOW_HPP

#include "words.hpp"

namespace headrace {

constexpr int window_max(int a, int b) { return a > b ? a : b; }
constexpr int window_min(int a, int b) { return a < b ? a : b; }

// Windows along an axis; pads: before and after it together.
constexpr int window_count(int size, int kernel, int stride, int dilation, int pads) {
  return (size + pads - dilation * (kernel - 1) - 1) / stride + 1;
}

// 1 if a column at this distance from a window's left edge, modulo the stride, is shown by any tap, else 0.
constexpr int window_shows(int distance, int kernel, int stride, int dilation) {
  int shows = 0;
  for (int j = 0; j < kernel; ++j) shows = j * dilation % stride == distance ? 1 : shows;
  return shows;
}

// How many of the columns in front of x, counted from the left edge of the first window, are shown.
constexpr int window_rank(int x, int kernel, int stride, int dilation) {
  int all = 0;
  int last = 0;
  for (int d = 0; d < stride; ++d) {
    all += window_shows(d, kernel, stride, dilation);
    last += d < x % stride ? window_shows(d, kernel, stride, dilation) : 0;
  }
  return x / stride * all + last;
}

// First and last row of the frame that tap row i shows; last < first where it shows none.
constexpr int window_first_row(int i, int stride, int dilation, int pad) {
  const int above = pad - i * dilation;
  return (above > 0 ? ceil_div(above, stride) : 0) * stride - above;
}
constexpr int window_last_row(int i, int height, int stride, int dilation, int pad, int out_h) {
  const int above = pad - i * dilation;
  return height - 1 + above < 0 ? -1 : window_min(out_h - 1, (height - 1 + above) / stride) * stride - above;
}

template <class C>
struct window_shape {
  static constexpr int BITS  = C::SIMD * C::E_BITS;
  static constexpr int FOLDS = C::CHANNELS / C::SIMD;
  static constexpr int OUT_H = window_count(C::HEIGHT, C::KERNEL_H, C::STRIDE_H, C::DILATION_H, C::PAD_T + C::PAD_B);
  static constexpr int OUT_W = window_count(C::WIDTH, C::KERNEL_W, C::STRIDE_W, C::DILATION_W, C::PAD_L + C::PAD_R);
  // Columns from one window to the next, from a window's first tap to behind its last, and in front of the frame.
  static constexpr int rank(int x) { return window_rank(x, C::KERNEL_W, C::STRIDE_W, C::DILATION_W); }
  static constexpr int STEP  = window_rank(C::STRIDE_W, C::KERNEL_W, C::STRIDE_W, C::DILATION_W);
  static constexpr int SPAN  =
      window_rank((C::KERNEL_W - 1) * C::DILATION_W, C::KERNEL_W, C::STRIDE_W, C::DILATION_W) + 1;
  static constexpr int FIRST = window_rank(C::PAD_L, C::KERNEL_W, C::STRIDE_W, C::DILATION_W);
  // Last column that any window shows, and the number of those that are passed on.
  static constexpr int LAST_X =
      window_min(C::WIDTH - 1, (OUT_W - 1) * C::STRIDE_W + (C::KERNEL_W - 1) * C::DILATION_W - C::PAD_L);
  static constexpr int COLUMNS = window_max(
      0, window_rank(window_max(0, LAST_X + C::PAD_L + 1), C::KERNEL_W, C::STRIDE_W, C::DILATION_W) - FIRST);
  static_assert(C::CHANNELS % C::SIMD == 0, "SIMD must divide CHANNELS");

  static ap_uint<BITS> pad_word() {
#pragma HLS INLINE
    uint64_t chunks[chunks_of(BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=chunks complete dim=1
    for (int s = 0; s < C::SIMD; ++s) {
#pragma HLS UNROLL
      put_lane<C::E_BITS>(chunks, s, uint64_t(C::PAD_CODE) & low_mask(C::E_BITS));
    }
    return join_word<BITS>(chunks);
  }
};

// Passes a word on to row I if a row of windows shows this line there.
template <class C, int I, class Word>
int window_pass(hls::stream<Word>& row, int y, int phase, const Word& word) {
#pragma HLS INLINE
  constexpr int FIRST_ROW = window_first_row(I, C::STRIDE_H, C::DILATION_H, C::PAD_T);
  constexpr int LAST_ROW =
      window_last_row(I, C::HEIGHT, C::STRIDE_H, C::DILATION_H, C::PAD_T, window_shape<C>::OUT_H);
  constexpr int PHASE = FIRST_ROW % C::STRIDE_H;
  if (phase == PHASE && y >= FIRST_ROW && y <= LAST_ROW) row.write(word);
  return I;
}

template <class C, class Word, int... I, class... Rows>
void window_pass_all(indices<I...>, int y, int phase, const Word& word, Rows&... rows) {
#pragma HLS INLINE
  const int passed[] = {window_pass<C, I>(rows, y, phase, word)...};
  (void)passed;
}

template <class C, int D>
constexpr int window_shown_at() {
  return window_shows(D, C::KERNEL_W, C::STRIDE_W, C::DILATION_W);
}

// True if columns of this phase are shown.
template <class C, int... D>
bool window_shown(indices<D...>, int phase) {
#pragma HLS INLINE
  bool shown = false;
  const bool any[] = {(shown = shown || (phase == D && window_shown_at<C, D>() != 0))...};
  (void)any;
  return shown;
}

template <class C, class... Rows>
void window_rows(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, Rows&... rows) {
#pragma HLS INLINE
  typedef window_shape<C> S;
  static_assert(sizeof...(rows) == C::KERNEL_H, "there is a stream for every row of taps");
  constexpr int PHASE_W = C::PAD_L % C::STRIDE_W;

  index_t<S::FOLDS> fold       = 0;
  index_t<C::WIDTH> x          = 0;
  index_t<C::HEIGHT> y         = 0;
  index_t<C::STRIDE_W> phase_w = PHASE_W;
  index_t<C::STRIDE_H> phase_h = 0;
  for (loop_count i = 0; i < frames() * (C::HEIGHT * C::WIDTH * S::FOLDS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const ap_uint<S::BITS> word = in.read();
    if (int(x) <= S::LAST_X && window_shown<C>(typename indices_to<C::STRIDE_W>::type(), int(phase_w))) {
      window_pass_all<C>(typename indices_to<C::KERNEL_H>::type(), int(y), int(phase_h), word, rows...);
    }
    if (fold == S::FOLDS - 1) {
      if (x == C::WIDTH - 1) {
        phase_w = PHASE_W;
        phase_h = y == C::HEIGHT - 1 ? index_t<C::STRIDE_H>(0) : following<C::STRIDE_H>(phase_h);
        y = following<C::HEIGHT>(y);
      } else {
        phase_w = following<C::STRIDE_W>(phase_w);
      }
      x = following<C::WIDTH>(x);
    }
    fold = following<S::FOLDS>(fold);
  }
}

// Takes the word of row `tap`.
template <int K, class Word>
int window_take_one(hls::stream<Word>& row, bool takes, int tap, Word& word) {
#pragma HLS INLINE
  if (takes && K == tap) word = row.read();
  return K;
}

template <class Word, int... K, class... Rows>
void window_take(indices<K...>, bool takes, int tap, Word& word, Rows&... rows) {
#pragma HLS INLINE
  const int taken[] = {window_take_one<K>(rows, takes, tap, word)...};
  (void)taken;
}

}  // namespace headrace

#endif
