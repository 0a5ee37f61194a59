// The boundary of the network: whole bytes and TLAST outside, exact bits inside.
//
//   axis_in    drops the padding bits of a word
//   axis_out   pads a word with zeros and sets TLAST on the last of the WORDS words of a frame
#ifndef HEADRACE_AXIS_HPP
#define HEADRACE_AXIS_HPP

// Before ap_axi_sdata.h, which reads ap_int.h: AP_INT_MAX_W is defined here.
#include "words.hpp"

#include <ap_axi_sdata.h>

namespace headrace {

constexpr int padded_bits(int bits) { return (bits + 7) / 8 * 8; }

template <int BITS, int WORDS>
void axis_in(hls::stream<ap_uint<padded_bits(BITS)> >& in, hls::stream<ap_uint<BITS> >& out) {
#pragma HLS INLINE off
  for (loop_count i = 0; i < frames() * WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    out.write(ap_uint<BITS>(in.read()));
  }
}

template <int BITS, int WORDS>
void axis_out(hls::stream<ap_uint<BITS> >& in, hls::stream<ap_axiu<padded_bits(BITS), 0, 0, 0> >& out) {
#pragma HLS INLINE off
  index_t<WORDS> word = 0;
  for (loop_count i = 0; i < frames() * WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    ap_axiu<padded_bits(BITS), 0, 0, 0> beat;
    beat.data = in.read();
    beat.keep = -1;
    beat.strb = -1;
    beat.last = word == WORDS - 1;
    out.write(beat);
    word = following<WORDS>(word);
  }
}

}  // namespace headrace

#endif
