// Sliding window unit that emits all taps of SIMD channels of a window in one word, padding made on the fly.
//
//   for r, c (windows), f (words of a pixel): lanes [KERNEL_H][KERNEL_W][SIMD] of
//     y = x[r*STRIDE_H + i*DILATION_H - PAD_T, c*STRIDE_W + j*DILATION_W - PAD_L, f], or PAD_CODE in every lane outside
//
// BANKS_H x BANKS_W memories hold pixel (y, x) in bank (y mod BANKS_H, x mod BANKS_W). The numbers of banks are prime
// to the dilations and not less than the kernel, so the taps of a window lie in different banks: tap (i, j) of a window
// whose first tap lies in bank (b, c) is in bank ((b + i*DILATION_H) mod BANKS_H, (c + j*DILATION_W) mod BANKS_W). A
// bank holds SLOTS of its rows in a circle.
//
// Invariants: an iteration writes at most one word, if the word of the window's last tap, moved into the frame, was
// read in an earlier iteration; and reads at most one word, if its row lies less than SLOTS * BANKS_H above the
// window's first row. Which iteration reads and writes does not depend on data or stalls, so a frame that passes C
// simulation passes always. A call is one frame: the fill of the next one does not overlap its end.
#ifndef HEADRACE_PARALLEL_SWU_HPP
#define HEADRACE_PARALLEL_SWU_HPP

#include "window.hpp"
#include "words.hpp"

namespace headrace {

constexpr int window_clip(int value, int high) { return window_max(0, window_min(value, high)); }

// Along one axis the largest lead that reading needs over writing, in steps of `read` and `write` words: the maximum
// over all windows of (place of the last tap, moved into the axis) * read - window * write.
constexpr int parallel_swu_lead(int size, int windows, int stride, int last, int read, int write) {
  int lead = 0;
  for (int w = 0; w < windows; ++w) {
    lead = window_max(lead, window_clip(w * stride + last, size - 1) * read - w * write);
  }
  return lead;
}

// Quotient and remainder by a positive number, the remainder not negative.
constexpr int floor_mod(int a, int b) { return (a % b + b) % b; }
constexpr int floor_div(int a, int b) { return (a - floor_mod(a, b)) / b; }

constexpr int next_power_of_two(int size) {
  int power = 1;
  for (int bit = 0; bit < 30; ++bit) power = power < size ? 2 * power : power;
  return power;
}

template <int HEIGHT, int WIDTH, int CHANNELS, int KERNEL_H, int KERNEL_W, int STRIDE_H, int STRIDE_W, int DILATION_H,
          int DILATION_W, int PAD_T, int PAD_L, int PAD_B, int PAD_R, int SIMD, int E_BITS, int PAD_CODE, int BANKS_H,
          int BANKS_W, int SLOTS>
void parallel_swu(hls::stream<ap_uint<SIMD * E_BITS> >& in,
                  hls::stream<ap_uint<KERNEL_H * KERNEL_W * SIMD * E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(CHANNELS % SIMD == 0, "SIMD must divide CHANNELS");
  static_assert(BANKS_H >= KERNEL_H && BANKS_W >= KERNEL_W, "there are at least as many banks as taps");
  static_assert((SLOTS & (SLOTS - 1)) == 0, "SLOTS must be a power of two");
  const int BITS   = SIMD * E_BITS;
  const int FOLDS  = CHANNELS / SIMD;
  const int OUT_H  = window_count(HEIGHT, KERNEL_H, STRIDE_H, DILATION_H, PAD_T + PAD_B);
  const int OUT_W  = window_count(WIDTH, KERNEL_W, STRIDE_W, DILATION_W, PAD_L + PAD_R);
  const int LINE   = WIDTH * FOLDS;
  const int READS  = HEIGHT * LINE;
  const int WRITES = OUT_H * OUT_W * FOLDS;
  const int ROWS   = SLOTS * BANKS_H;
  const int LAST_H = (KERNEL_H - 1) * DILATION_H - PAD_T;  // place of the last tap of the first window
  const int LAST_W = (KERNEL_W - 1) * DILATION_W - PAD_L;
  const int PITCH  = next_power_of_two(ceil_div(WIDTH, BANKS_W) * FOLDS);  // words of a row in a bank
  // Where windows do not set the pace and no row is skipped, reading never stops, and FILL words are ahead. Else
  // READS + WRITES suffices, because every iteration reads or writes.
  constexpr int FILL = parallel_swu_lead(HEIGHT, OUT_H, STRIDE_H, LAST_H, LINE, OUT_W * FOLDS) +
                       parallel_swu_lead(WIDTH, OUT_W, STRIDE_W, LAST_W, FOLDS, FOLDS) + 1;
  const bool STEADY = WRITES <= READS && STRIDE_H <= (KERNEL_H - 1) * DILATION_H + 1 &&
                      PAD_T + PAD_B <= (KERNEL_H - 1) * DILATION_H && PAD_L + PAD_R <= (KERNEL_W - 1) * DILATION_W;
  const int ITERATIONS = STEADY ? window_max(READS, WRITES + FILL) : READS + WRITES;

  ap_uint<BITS> pad_word = 0;
  for (int s = 0; s < SIMD; ++s) {
#pragma HLS UNROLL
    pad_word.range((s + 1) * E_BITS - 1, s * E_BITS) = ap_uint<E_BITS>(PAD_CODE);
  }

  ap_uint<BITS> banks[BANKS_H][BANKS_W][SLOTS * PITCH];
#pragma HLS ARRAY_PARTITION variable=banks complete dim=1
#pragma HLS ARRAY_PARTITION variable=banks complete dim=2

  int read = 0, written = 0;
  int in_fold = 0, in_x = 0, in_y = 0;
  int fold = 0, column = 0;
  int x = -PAD_L, y = -PAD_T;  // of the window's first tap
  for (int i = 0; i < ITERATIONS; ++i) {
#pragma HLS PIPELINE II=1
    const int last_y  = window_clip(y + PAD_T + LAST_H, HEIGHT - 1);
    const int last_x  = window_clip(x + PAD_L + LAST_W, WIDTH - 1);
    const int needed  = last_y * LINE + last_x * FOLDS + fold;
    const int oldest  = written < WRITES ? window_clip(y, HEIGHT) : HEIGHT;
    const bool writes = written < WRITES && needed < read;
    const bool reads  = read < READS && in_y - oldest < ROWS;

    if (writes) {
      const int first_row    = floor_mod(y, BANKS_H);
      const int first_column = floor_mod(x, BANKS_W);
      ap_uint<BITS> shown[BANKS_H][BANKS_W];
#pragma HLS ARRAY_PARTITION variable=shown complete dim=1
#pragma HLS ARRAY_PARTITION variable=shown complete dim=2
      for (int k = 0; k < BANKS_H; ++k) {
#pragma HLS UNROLL
        // The row and the column of the window that lie in this bank, if any; the distance is below the reach.
        int row = y;
        for (int t = 0; t < KERNEL_H; ++t) {
#pragma HLS UNROLL
          if ((first_row + t * DILATION_H) % BANKS_H == k) row = y + t * DILATION_H;
        }
        const int slot = floor_div(row, BANKS_H) & (SLOTS - 1);
        for (int l = 0; l < BANKS_W; ++l) {
#pragma HLS UNROLL
          int place = x;
          for (int t = 0; t < KERNEL_W; ++t) {
#pragma HLS UNROLL
            if ((first_column + t * DILATION_W) % BANKS_W == l) place = x + t * DILATION_W;
          }
          const int address = (floor_div(place, BANKS_W) * FOLDS + fold) & (PITCH - 1);
          shown[k][l] = banks[k][l][slot * PITCH + address];
        }
      }
      ap_uint<KERNEL_H * KERNEL_W * BITS> window = 0;
      for (int t = 0; t < KERNEL_H; ++t) {
#pragma HLS UNROLL
        for (int u = 0; u < KERNEL_W; ++u) {
#pragma HLS UNROLL
          const int row     = y + t * DILATION_H;
          const int place   = x + u * DILATION_W;
          const bool inside = row >= 0 && row < HEIGHT && place >= 0 && place < WIDTH;
          const ap_uint<BITS> tap =
              shown[(first_row + t * DILATION_H) % BANKS_H][(first_column + u * DILATION_W) % BANKS_W];
          const int lane = t * KERNEL_W + u;
          window.range((lane + 1) * BITS - 1, lane * BITS) = inside ? tap : pad_word;
        }
      }
      out.write(window);
    }
    if (reads) {
      const int slot    = in_y / BANKS_H & (SLOTS - 1);
      const int address = in_x / BANKS_W * FOLDS + in_fold;
      const ap_uint<BITS> word = in.read();
      banks[in_y % BANKS_H][in_x % BANKS_W][slot * PITCH + address] = word;
      ++read;
      if (in_fold < FOLDS - 1) {
        ++in_fold;
      } else {
        in_fold = 0;
        in_y += in_x == WIDTH - 1 ? 1 : 0;
        in_x = in_x == WIDTH - 1 ? 0 : in_x + 1;
      }
    }

    if (writes) {
      ++written;
      if (fold < FOLDS - 1) {
        ++fold;
      } else {
        fold = 0;
        if (column < OUT_W - 1) {
          ++column;
          x += STRIDE_W;
        } else {
          column = 0;
          x = -PAD_L;
          y += STRIDE_H;
        }
      }
    }
  }
}

}  // namespace headrace

#endif
