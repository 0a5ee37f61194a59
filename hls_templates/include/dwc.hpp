// Data width converter: words of IN_LANES elements become words of OUT_LANES elements, elements in order.
//
// Invariants: `held` keeps `lanes` elements, the oldest lowest, and zeros above. An iteration takes a word if fewer
// than OUT_LANES are held and then puts one if OUT_LANES are. With IN_LANES <= OUT_LANES every iteration takes a word,
// else every iteration puts one, so the side with more words sets the number of iterations.
#ifndef HEADRACE_DWC_HPP
#define HEADRACE_DWC_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void dwc(hls::stream<ap_uint<C::IN_LANES * C::E_BITS> >& in, hls::stream<ap_uint<C::OUT_LANES * C::E_BITS> >& out) {
#pragma HLS INLINE
  static_assert(C::WORDS * C::IN_LANES % C::OUT_LANES == 0, "a frame must fill whole output words");
  const int OUT_WORDS  = C::WORDS * C::IN_LANES / C::OUT_LANES;
  const int ITERATIONS = C::WORDS > OUT_WORDS ? C::WORDS : OUT_WORDS;
  const int HELD_BITS  = (C::IN_LANES + C::OUT_LANES) * C::E_BITS;
  static_assert(HELD_BITS <= AP_INT_MAX_W, "the two words together are wider than AP_INT_MAX_W");

  ap_uint<HELD_BITS> held = 0;
  index_t<C::IN_LANES + C::OUT_LANES> lanes = 0;
  for (loop_count i = 0; i < frames() * ITERATIONS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const bool takes = lanes < C::OUT_LANES;
    const int filled = int(lanes) + (takes ? C::IN_LANES : 0);
    const bool gives = filled >= C::OUT_LANES;
    if (takes) {
      const ap_uint<HELD_BITS> word = in.read();
      held |= word << (int(lanes) * C::E_BITS);
    }
    if (gives) {
      out.write(ap_uint<C::OUT_LANES * C::E_BITS>(held));
      held >>= C::OUT_LANES * C::E_BITS;
    }
    lanes = gives ? filled - C::OUT_LANES : filled;
  }
}

}  // namespace headrace

#endif
