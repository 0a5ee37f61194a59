// Nearest-neighbour enlargement: y[r, c] = x[r / SCALE_H, c / SCALE_W].
//
// A row is read while its first copy is written and kept for the others.
//
// Invariant: an iteration writes one word; the first copy of a pixel in the first copy of its row is read, every other
// one comes from the buffer.
#ifndef HEADRACE_UPSAMPLE_HPP
#define HEADRACE_UPSAMPLE_HPP

#include "words.hpp"

namespace headrace {

template <int HEIGHT, int WIDTH, int CHANNELS, int SCALE_H, int SCALE_W, int SIMD, int E_BITS>
void upsample(hls::stream<ap_uint<SIMD * E_BITS> >& in, hls::stream<ap_uint<SIMD * E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(CHANNELS % SIMD == 0, "SIMD must divide CHANNELS");
  const int FOLDS = CHANNELS / SIMD;

  ap_uint<SIMD * E_BITS> row[WIDTH * FOLDS];
  int fold = 0, copy_w = 0, column = 0, copy_h = 0;
  for (int i = 0; i < HEIGHT * SCALE_H * WIDTH * SCALE_W * FOLDS; ++i) {
#pragma HLS PIPELINE II=1
    const int address = column * FOLDS + fold;
    ap_uint<SIMD * E_BITS> word;
    if (copy_w == 0 && copy_h == 0) {
      word = in.read();
      row[address] = word;
    } else {
      word = row[address];
    }
    out.write(word);

    if (fold < FOLDS - 1) {
      ++fold;
    } else {
      fold = 0;
      if (copy_w < SCALE_W - 1) {
        ++copy_w;
      } else {
        copy_w = 0;
        if (column < WIDTH - 1) {
          ++column;
        } else {
          column = 0;
          copy_h = copy_h < SCALE_H - 1 ? copy_h + 1 : 0;
        }
      }
    }
  }
}

}  // namespace headrace

#endif
