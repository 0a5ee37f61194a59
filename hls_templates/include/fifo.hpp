// First-in first-out buffer: y_i = x_i.
//
// The kernel passes words on; the DEPTH words of room lie in its output stream. In a network a FIFO is no process of its
// own but the depth of the stream that it lengthens (#pragma HLS STREAM).
#ifndef HEADRACE_FIFO_HPP
#define HEADRACE_FIFO_HPP

#include "words.hpp"

namespace headrace {

template <int DEPTH, int LANES, int E_BITS, int WORDS>
void fifo(hls::stream<ap_uint<LANES * E_BITS> >& in, hls::stream<ap_uint<LANES * E_BITS> >& out) {
#pragma HLS STREAM variable=out depth=DEPTH
  for (int i = 0; i < WORDS; ++i) {
#pragma HLS PIPELINE II=1
    out.write(in.read());
  }
}

}  // namespace headrace

#endif
