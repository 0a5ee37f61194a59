// First-in first-out buffer: y_i = x_i.
//
// A kernel that passes words on; C simulation has no time, so DEPTH shows nothing here. In a network a FIFO is no
// process of its own but the depth of the stream that it lengthens (#pragma HLS STREAM in the top).
#ifndef HEADRACE_FIFO_HPP
#define HEADRACE_FIFO_HPP

#include "words.hpp"

namespace headrace {

template <int DEPTH, int LANES, int E_BITS, int WORDS>
void fifo(hls::stream<ap_uint<LANES * E_BITS> >& in, hls::stream<ap_uint<LANES * E_BITS> >& out) {
  for (int i = 0; i < WORDS; ++i) {
#pragma HLS PIPELINE II=1
    out.write(in.read());
  }
}

}  // namespace headrace

#endif
