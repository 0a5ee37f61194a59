// Sliding window unit: im2col as a stream, padding made on the fly.
//
//   for r, c (windows), i, j (taps), f (words of a pixel); DEPTHWISE: f, i, j:
//     y = x[r*STRIDE_H + i*DILATION_H - PAD_T, c*STRIDE_W + j*DILATION_W - PAD_L, f], or PAD_CODE in every lane outside
//
// A circular buffer of DEPTH words, a power of two, holds word k of the frame at address k mod DEPTH.
//
// Invariants: an iteration writes at most one word, the next tap, if it lies in the padding or was read in an earlier
// iteration; and reads at most one word, if the place of word k - DEPTH is free, that is older than any word that this
// or a later window shows. Which iteration reads and writes does not depend on data or stalls, so a frame that passes
// C simulation passes always. A call is one frame: the fill of the next one does not overlap its end.
#ifndef HEADRACE_SWU_HPP
#define HEADRACE_SWU_HPP

#include "window.hpp"
#include "words.hpp"

namespace headrace {

// First and last window along an axis whose tap, `shift` before the frame's edge in window 0, lies inside the frame.
constexpr int swu_first(int shift, int stride) { return shift > 0 ? ceil_div(shift, stride) : 0; }
constexpr int swu_last(int shift, int stride, int size, int windows) {
  return size - 1 + shift < 0 ? -1 : window_min(windows - 1, (size - 1 + shift) / stride);
}

// By how many words reading must be ahead of writing so that no write waits: the maximum over all output words v of
// (words read when v can be shown) - v. For a given tap it is linear in window row and column, so it lies at a corner,
// and does not grow with f. `tap_folds` words are written from tap to tap.
constexpr int swu_fill(int height, int width, int folds, int kernel_h, int kernel_w, int stride_h, int stride_w,
                       int dilation_h, int dilation_w, int pad_t, int pad_l, int out_h, int out_w, int tap_folds) {
  int fill = 0;
  for (int i = 0; i < kernel_h; ++i) {
    for (int j = 0; j < kernel_w; ++j) {
      const int shift_h = pad_t - i * dilation_h;
      const int shift_w = pad_l - j * dilation_w;
      const int first_h = swu_first(shift_h, stride_h);
      const int first_w = swu_first(shift_w, stride_w);
      const int last_h  = swu_last(shift_h, stride_h, height, out_h);
      const int last_w  = swu_last(shift_w, stride_w, width, out_w);
      const int r = stride_h * width > out_w * kernel_h * kernel_w ? last_h : first_h;
      const int c = stride_w > kernel_h * kernel_w ? last_w : first_w;
      if (first_h <= last_h && first_w <= last_w) {
        const int needed  = ((r * stride_h - shift_h) * width + c * stride_w - shift_w) * folds + 1;
        const int written = (r * out_w + c) * kernel_h * kernel_w * folds + (i * kernel_w + j) * tap_folds;
        fill = window_max(fill, needed - written);
      }
    }
  }
  return fill;
}

template <int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W, int DILATION_H,
          int DILATION_W, int PAD_T, int PAD_L, int PAD_B, int PAD_R, int SIMD, int E_BITS, int PAD_CODE, int DEPTH,
          int OVERLAP, int DEPTHWISE>
void swu(hls::stream<ap_uint<SIMD * E_BITS> >& in, hls::stream<ap_uint<SIMD * E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(CHANNELS % SIMD == 0, "SIMD must divide CHANNELS");
  static_assert((DEPTH & (DEPTH - 1)) == 0, "DEPTH must be a power of two");
  const int FOLDS  = CHANNELS / SIMD;
  const int OUT_H  = window_count(HEIGHT, KERNEL_H, STRIDE_H, DILATION_H, PAD_T + PAD_B);
  const int OUT_W  = window_count(WIDTH, KERNEL_W, STRIDE_W, DILATION_W, PAD_L + PAD_R);
  const int READS  = HEIGHT * WIDTH * FOLDS;
  const int WRITES = OUT_H * OUT_W * KERNEL_H * KERNEL_W * FOLDS;
  // Distances in words.
  const int LINE     = WIDTH * FOLDS;
  const int TAP_H    = DILATION_H * LINE;
  const int TAP_W    = DILATION_W * FOLDS;
  const int WINDOW_H = STRIDE_H * LINE;
  const int WINDOW_W = STRIDE_W * FOLDS;
  // With room for two live windows no write waits for a word that had no room, unless whole windows lie in the padding:
  // while they are written the buffer fills and reading stops. READS + WRITES always suffices, because every iteration
  // reads or writes.
  constexpr int FILL = swu_fill(HEIGHT, WIDTH, FOLDS, KERNEL_H, KERNEL_W, STRIDE_H, STRIDE_W, DILATION_H, DILATION_W,
                                PAD_T, PAD_L, OUT_H, OUT_W, DEPTHWISE != 0 ? 1 : FOLDS);
  const bool STEADY = OVERLAP != 0 && window_max(PAD_T, PAD_B) <= (KERNEL_H - 1) * DILATION_H &&
                      window_max(PAD_L, PAD_R) <= (KERNEL_W - 1) * DILATION_W;
  const int ITERATIONS = STEADY ? window_max(READS, WRITES + FILL) : READS + WRITES;

  uint64_t pad_chunks[chunks_of(SIMD * E_BITS)] = {};
  for (int s = 0; s < SIMD; ++s) {
#pragma HLS UNROLL
    put_lane<E_BITS>(pad_chunks, s, uint64_t(PAD_CODE) & low_mask(E_BITS));
  }
  const ap_uint<SIMD * E_BITS> pad_word = join_word<SIMD * E_BITS>(pad_chunks);

  ap_uint<SIMD * E_BITS> buffer[DEPTH];
  int read = 0;
  int written = 0;
  int fold = 0, tap_w = 0, tap_h = 0, column = 0;
  int window_row    = -PAD_T * LINE;   // word at the left edge of the window's first row
  int window_column = -PAD_L * FOLDS;  // and the window's offset from it
  int tap_row       = window_row;      // the same of the current tap
  int tap_column    = window_column;
  for (int i = 0; i < ITERATIONS; ++i) {
#pragma HLS PIPELINE II=1
    const int next_row = window_max(0, window_row + WINDOW_H);
    const int live     = window_min(window_max(0, window_row) + window_max(0, window_column), next_row);
    const int oldest   = written < WRITES ? live : READS;
    const bool inside  = tap_row >= 0 && tap_row < HEIGHT * LINE && tap_column >= 0 && tap_column < LINE;
    const int shown    = tap_row + tap_column + fold;
    const bool writes  = written < WRITES && (!inside || shown < read);
    const bool reads   = read < READS && read - oldest < DEPTH;

    if (writes) {
      const ap_uint<SIMD * E_BITS> word = inside ? buffer[shown & (DEPTH - 1)] : pad_word;
      out.write(word);
    }
    if (reads) {
      buffer[read & (DEPTH - 1)] = in.read();
      ++read;
    }

    if (writes) {
      ++written;
      // The folds are the innermost loop, or (DEPTHWISE) the one around the taps.
      const bool fold_last  = fold == FOLDS - 1;
      const bool tap_w_last = tap_w == KERNEL_W - 1;
      const bool tap_h_last = tap_h == KERNEL_H - 1;
      const bool tap_turns  = DEPTHWISE != 0 || fold_last;
      const bool fold_turns = DEPTHWISE == 0 || (tap_w_last && tap_h_last);
      if (fold_last && tap_w_last && tap_h_last) {
        if (column < OUT_W - 1) {
          ++column;
          window_column += WINDOW_W;
        } else {
          column = 0;
          window_column = -PAD_L * FOLDS;
          window_row += WINDOW_H;
        }
      }
      if (fold_turns) fold = fold_last ? 0 : fold + 1;
      if (tap_turns) {
        if (tap_w_last) {
          tap_w = 0;
          tap_h = tap_h_last ? 0 : tap_h + 1;
          tap_row = tap_h_last ? window_row : tap_row + TAP_H;
          tap_column = window_column;
        } else {
          ++tap_w;
          tap_column += TAP_W;
        }
      }
    }
  }
}

}  // namespace headrace

#endif
