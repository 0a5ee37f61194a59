// Channels of every pixel in another order, some left out, some twice, some constant.
//
//   FORM 0  words stay in their order. A step reads a word or none and writes one or none: the word read, the one read
//           last, or the constant. MAP holds the steps of a pixel: bit 0 reads, bit 1 writes, bit 2 the constant; bit 3,
//           the word read last, is for the SystemVerilog
//   FORM 1  two pixels are stored. MAP holds, for every word out, its place in the pixel, CHANNELS/SIMD for the constant
//   FORM 2  a word is a pixel. MAP is one word of OUT_CHANNELS indices, CHANNELS for the constant
#ifndef HEADRACE_CHANNEL_MAP_HPP
#define HEADRACE_CHANNEL_MAP_HPP

#include "words.hpp"

namespace headrace {

// Bits of a number from 0 to `count`.
constexpr int channel_map_bits(int count) { return index_bits(count + 1); }

template <class C>
ap_uint<C::PE * C::E_BITS> channel_map_constant() {
#pragma HLS INLINE
  uint64_t chunks[chunks_of(C::PE * C::E_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=chunks complete dim=1
  for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
    put_lane<C::E_BITS>(chunks, p, uint64_t(int64_t(C::CONSTANT)) & low_mask(C::E_BITS));
  }
  return join_word<C::PE * C::E_BITS>(chunks);
}

// Invariant: an iteration is a step of a pixel.
template <class C, class Map>
void channel_map_filter(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::E_BITS> >& out,
                        Map& map) {
#pragma HLS INLINE
  ap_uint<C::SIMD * C::E_BITS> last = 0;
  index_t<C::STEPS> step = 0;
  for (loop_count i = 0; i < frames() * (C::PIXELS * C::STEPS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const ap_uint<4> does = map[0][C::FORM == 0 ? int(step) : 0][0];
    if (does[0]) last = in.read();
    if (does[1]) out.write(does[2] ? channel_map_constant<C>() : ap_uint<C::PE * C::E_BITS>(last));
    step = following<C::STEPS>(step);
  }
}

// Invariants: one of two banks takes the words of a pixel, those of the pixel before leave from the other. Of STEPS
// iterations per pixel the first ones read, and the first ones write. A stored word leaves BUFFER_DISTANCE iterations
// later at the earliest, which is why there may be more of them than words.
constexpr int CHANNEL_MAP_DISTANCE = 4;

template <class C, class Map>
void channel_map_buffer(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::E_BITS> >& out,
                        Map& map) {
#pragma HLS INLINE
  const int FOLDS     = C::CHANNELS / C::SIMD;
  const int OUT_FOLDS = C::OUT_CHANNELS / C::PE;
  const int DISTANCE  = CHANNEL_MAP_DISTANCE;

  ap_uint<C::SIMD * C::E_BITS> kept[2 * FOLDS];
#pragma HLS DEPENDENCE variable=kept type=inter direction=RAW distance=DISTANCE dependent=true
  index_t<C::STEPS> step       = 0;
  index_t<C::PIXELS + 1> pixel = 0;
  ap_uint<1> bank              = 0;  // that takes words
  for (loop_count i = 0; i < frames() * ((C::PIXELS + 1) * C::STEPS); ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const bool writes   = pixel > 0 && int(step) < OUT_FOLDS;
    const int fold      = int(step) < OUT_FOLDS ? int(step) : 0;
    const int place     = int(map[0][C::FORM == 1 ? fold : 0][0]);
    const bool constant = place >= FOLDS;
    ap_uint<C::SIMD * C::E_BITS> word = kept[(bank == 0 ? FOLDS : 0) + (constant ? 0 : place)];
    if (writes) out.write(constant ? channel_map_constant<C>() : ap_uint<C::PE * C::E_BITS>(word));
    if (pixel < C::PIXELS && int(step) < FOLDS) kept[(bank == 0 ? 0 : FOLDS) + int(step)] = in.read();

    if (step == C::STEPS - 1) {
      bank  = ~bank;
      pixel = following<C::PIXELS + 1>(pixel);
    }
    step = following<C::STEPS>(step);
  }
}

// Invariant: an iteration is a pixel.
template <class C, class Map>
void channel_map_wires(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::E_BITS> >& out,
                       Map& map) {
#pragma HLS INLINE
  const int BITS = channel_map_bits(C::CHANNELS);
  for (loop_count i = 0; i < frames() * C::PIXELS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    uint64_t x[chunks_of(C::SIMD * C::E_BITS)];
    uint64_t y[chunks_of(C::PE * C::E_BITS)] = {};
#pragma HLS ARRAY_PARTITION variable=x complete dim=1
#pragma HLS ARRAY_PARTITION variable=y complete dim=1
    split_word<C::SIMD * C::E_BITS>(in.read(), x);
    for (int p = 0; p < C::PE; ++p) {
#pragma HLS UNROLL
      const int source = int(get_lane<BITS>(map[0][0], C::FORM == 2 ? p : 0));
      const uint64_t constant = uint64_t(int64_t(C::CONSTANT)) & low_mask(C::E_BITS);
      put_lane<C::E_BITS>(y, p, source >= C::CHANNELS ? constant : get_lane<C::E_BITS>(x, source));
    }
    out.write(join_word<C::PE * C::E_BITS>(y));
  }
}

template <class C, class Map>
void channel_map(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::E_BITS> >& out,
                 Map& map) {
#pragma HLS INLINE
  static_assert(C::CHANNELS % C::SIMD == 0 && C::OUT_CHANNELS % C::PE == 0, "SIMD and PE must divide the channels");
  if (C::FORM == 0) {
    channel_map_filter<C>(in, out, map);
  } else if (C::FORM == 1) {
    channel_map_buffer<C>(in, out, map);
  } else {
    channel_map_wires<C>(in, out, map);
  }
}

}  // namespace headrace

#endif
