// Data width converter: words of IN_LANES elements become words of OUT_LANES elements, elements in order.
//
// Invariants: `held` keeps `lanes` elements, the oldest lowest, and zeros above. An iteration takes a word if fewer
// than OUT_LANES are held and then puts one if OUT_LANES are. With IN_LANES <= OUT_LANES every iteration takes a word,
// else every iteration puts one, so the side with more words sets the number of iterations.
#ifndef HEADRACE_DWC_HPP
#define HEADRACE_DWC_HPP

#include "words.hpp"

namespace headrace {

template <int IN_LANES, int OUT_LANES, int E_BITS, int WORDS>
void dwc(hls::stream<ap_uint<IN_LANES * E_BITS> >& in, hls::stream<ap_uint<OUT_LANES * E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(WORDS * IN_LANES % OUT_LANES == 0, "a frame must fill whole output words");
  const int OUT_WORDS  = WORDS * IN_LANES / OUT_LANES;
  const int ITERATIONS = WORDS > OUT_WORDS ? WORDS : OUT_WORDS;
  const int HELD_BITS  = (IN_LANES + OUT_LANES) * E_BITS;
  static_assert(HELD_BITS <= AP_INT_MAX_W, "the two words together are wider than AP_INT_MAX_W");

  ap_uint<HELD_BITS> held = 0;
  int lanes = 0;
  for (int i = 0; i < ITERATIONS; ++i) {
#pragma HLS PIPELINE II=1
    if (lanes < OUT_LANES) {
      const ap_uint<HELD_BITS> word = in.read();
      held |= word << (lanes * E_BITS);
      lanes += IN_LANES;
    }
    if (lanes >= OUT_LANES) {
      out.write(ap_uint<OUT_LANES * E_BITS>(held));
      held >>= OUT_LANES * E_BITS;
      lanes -= OUT_LANES;
    }
  }
}

}  // namespace headrace

#endif
