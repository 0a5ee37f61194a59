// Crop: the words of every STEP-th row and column from START on and below STOP; the others are dropped.
//
// Invariant: an iteration reads one word, and writes it if its pixel stays. A phase counts the pixels since the last
// one that may stay.
#ifndef HEADRACE_CROP_HPP
#define HEADRACE_CROP_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void crop(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::SIMD * C::E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::SIMD == 0, "SIMD must divide CHANNELS");
  static_assert(C::START_H < C::STOP_H && C::START_W < C::STOP_W, "a part of the frame must stay");
  const int FOLDS = C::CHANNELS / C::SIMD;

  index_t<FOLDS> fold        = 0;
  index_t<C::WIDTH> x        = 0;
  index_t<C::HEIGHT> y       = 0;
  index_t<C::STEP_W> phase_x = 0;
  index_t<C::STEP_H> phase_y = 0;
  for (loop_count i = 0; i < frames() * (C::HEIGHT * C::WIDTH * FOLDS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const bool from_x = int(x) >= C::START_W;
    const bool from_y = int(y) >= C::START_H;
    const ap_uint<C::SIMD * C::E_BITS> word = in.read();
    if (from_x && int(x) < C::STOP_W && phase_x == 0 && from_y && int(y) < C::STOP_H && phase_y == 0) out.write(word);

    if (fold == FOLDS - 1) {
      const bool x_last = x == C::WIDTH - 1;
      if (x_last) {
        const bool y_last = y == C::HEIGHT - 1;
        phase_y = y_last || !from_y ? index_t<C::STEP_H>(0) : following<C::STEP_H>(phase_y);
        y = following<C::HEIGHT>(y);
      }
      phase_x = x_last || !from_x ? index_t<C::STEP_W>(0) : following<C::STEP_W>(phase_x);
      x = following<C::WIDTH>(x);
    }
    fold = following<FOLDS>(fold);
  }
}

}  // namespace headrace

#endif
