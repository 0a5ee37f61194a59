// First-in first-out buffer: y_i = x_i.
//
// A kernel that passes words on; C simulation has no time, so DEPTH shows nothing here. In a network a FIFO is no
// process of its own but the depth of the stream that it lengthens (#pragma HLS STREAM in the top).
#ifndef HEADRACE_FIFO_HPP
#define HEADRACE_FIFO_HPP

#include "words.hpp"

namespace headrace {

template <class C>
void fifo(hls::stream<ap_uint<C::LANES * C::E_BITS> >& in, hls::stream<ap_uint<C::LANES * C::E_BITS> >& out) {
#pragma HLS INLINE
  for (loop_count i = 0; i < frames() * C::WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    out.write(in.read());
  }
}

}  // namespace headrace

#endif
