// Nearest-neighbour enlargement: y[r, c] = x[r / SCALE_H, c / SCALE_W].
//
// A row is read while its first copy is written and kept for the others. Where a pixel has few words, its copies in that
// first row come from registers: a memory does not give back in time what it just took.
//
// Invariant: an iteration writes one word; the first copy of a pixel in the first copy of its row is read, every other
// one comes from the buffer.
#ifndef HEADRACE_UPSAMPLE_HPP
#define HEADRACE_UPSAMPLE_HPP

#include "words.hpp"

namespace headrace {

// Words that come back after fewer iterations than this are kept in registers.
constexpr int UPSAMPLE_DISTANCE = 4;

template <class C>
void upsample(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::SIMD * C::E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::SIMD == 0, "SIMD must divide CHANNELS");
  const int FOLDS = C::CHANNELS / C::SIMD;
  const int LINE  = C::WIDTH * FOLDS;

  const bool FEW     = C::SCALE_W > 1 && FOLDS < UPSAMPLE_DISTANCE;
  const int DISTANCE = C::SCALE_W > 1 && !FEW ? FOLDS : LINE * C::SCALE_W;

  ap_uint<C::SIMD * C::E_BITS> row[LINE];
  ap_uint<C::SIMD * C::E_BITS> last[FEW ? FOLDS : 1];  // words of the pixel that came last
#pragma HLS ARRAY_PARTITION variable=last complete dim=1
#pragma HLS DEPENDENCE variable=row type=inter direction=RAW distance=DISTANCE dependent=true
  index_t<FOLDS> fold       = 0;
  index_t<C::SCALE_W> across = 0;  // copy of the pixel in its row
  index_t<C::SCALE_H> down   = 0;  // copy of the row
  index_t<LINE> pixel        = 0;  // first word of the pixel in the row
  for (loop_count i = 0; i < frames() * (C::HEIGHT * C::SCALE_H * C::SCALE_W * LINE); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const int address = int(pixel) + int(fold);
    ap_uint<C::SIMD * C::E_BITS> word;
    if (across == 0 && down == 0) {
      word = in.read();
      row[address] = word;
      if (FEW) last[FEW ? int(fold) : 0] = word;
    } else if (FEW && down == 0) {
      word = last[FEW ? int(fold) : 0];
    } else {
      word = row[address];
    }
    out.write(word);

    if (fold == FOLDS - 1) {
      if (across == C::SCALE_W - 1) {
        if (pixel == LINE - FOLDS) down = following<C::SCALE_H>(down);
        pixel = pixel == LINE - FOLDS ? index_t<LINE>(0) : index_t<LINE>(pixel + FOLDS);
      }
      across = following<C::SCALE_W>(across);
    }
    fold = following<FOLDS>(fold);
  }
}

}  // namespace headrace

#endif
