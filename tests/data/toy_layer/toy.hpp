// Every element complemented, one word per cycle.
#ifndef HEADRACE_TOY_HPP
#define HEADRACE_TOY_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void toy(hls::stream<ap_uint<C::LANES * C::E_BITS> >& in, hls::stream<ap_uint<C::LANES * C::E_BITS> >& out) {
#pragma HLS INLINE
  for (loop_count i = 0; i < frames() * C::WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    out.write(ap_uint<C::LANES * C::E_BITS>(~in.read()));
  }
}

}  // namespace headrace

#endif
