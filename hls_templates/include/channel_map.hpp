// Channels of every pixel in another order, some left out, some twice, some constant.
//
//   FORM 0  words stay in their order. A step reads a word or none and writes one or none: the word read, the one read
//           last, or the constant. MAP holds the steps of a pixel: bit 0 reads, bit 1 writes, bit 2 the constant; bit 3,
//           the word read last, is for the SystemVerilog
//   FORM 1  pixels are stored. MAP holds, for every word out, its place in the pixel, CHANNELS/SIMD for the constant;
//           STEPS are the iterations from a pixel in to that out
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

// Where a bank starts: a choice of constants, as there are 4 at most.
template <int FOLDS, int BANKS>
int channel_map_bank(const index_t<BANKS>& bank) {
#pragma HLS INLINE
  static_assert(BANKS <= 4, "a word leaves before the fourth pixel behind its own comes");
  return bank == 0 ? 0 : bank == 1 ? FOLDS : bank == 2 ? 2 * FOLDS : 3 * FOLDS;
}

// Iterations between the store of a word and its load, at the least.
constexpr int CHANNEL_MAP_DISTANCE = 4;

// Invariants: a pixel has PERIOD iterations, of which the first ones read. Those of the pixel out are the same STEPS
// iterations later, so that each of its words was stored CHANNEL_MAP_DISTANCE iterations before it leaves, or earlier.
// A bank holds the words of a pixel; it takes those of another when all have left.
template <class C, class Map>
void channel_map_buffer(hls::stream<ap_uint<C::SIMD * C::E_BITS> >& in, hls::stream<ap_uint<C::PE * C::E_BITS> >& out,
                        Map& map) {
#pragma HLS INLINE
  const int FOLDS     = C::CHANNELS / C::SIMD;
  const int OUT_FOLDS = C::OUT_CHANNELS / C::PE;
  const int PERIOD    = FOLDS > OUT_FOLDS ? FOLDS : OUT_FOLDS;
  const int LAST      = FOLDS > C::STEPS + OUT_FOLDS ? FOLDS : C::STEPS + OUT_FOLDS;  // iterations of the last pixel
  const int FRAME     = (C::PIXELS - 1) * PERIOD + LAST;
  const int BANKS     = (C::STEPS + OUT_FOLDS - 1) / PERIOD + 1;
  const int DISTANCE  = CHANNEL_MAP_DISTANCE;

  ap_uint<C::SIMD * C::E_BITS> kept[BANKS * FOLDS];
#pragma HLS DEPENDENCE variable=kept type=inter direction=RAW distance=DISTANCE dependent=true
  index_t<FRAME> at           = 0;
  index_t<PERIOD> taken       = 0;  // iterations of the pixel in, and of the one out
  index_t<PERIOD> given       = 0;
  index_t<BANKS> bank_taken   = 0;
  index_t<BANKS> bank_given   = 0;
  for (loop_count i = 0; i < frames() * FRAME; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const bool gives    = int(at) >= C::STEPS;
    const int fold      = int(given) < OUT_FOLDS ? int(given) : 0;
    const int place     = int(map[0][C::FORM == 1 ? fold : 0][0]);
    const bool constant = place >= FOLDS;
    const ap_uint<C::SIMD * C::E_BITS> word = kept[channel_map_bank<FOLDS, BANKS>(bank_given) + (constant ? 0 : place)];
    if (gives && int(given) < OUT_FOLDS) {
      out.write(constant ? channel_map_constant<C>() : ap_uint<C::PE * C::E_BITS>(word));
    }
    if (int(at) < C::PIXELS * PERIOD && int(taken) < FOLDS) {
      kept[channel_map_bank<FOLDS, BANKS>(bank_taken) + int(taken)] = in.read();
    }

    const bool ends      = at == FRAME - 1;
    const bool all_taken = taken == PERIOD - 1;
    const bool all_given = given == PERIOD - 1;
    if (all_taken) bank_taken = following<BANKS>(bank_taken);
    if (all_given) bank_given = following<BANKS>(bank_given);
    taken = ends || all_taken ? index_t<PERIOD>(0) : index_t<PERIOD>(taken + 1);
    given = ends || all_given || !gives ? index_t<PERIOD>(0) : index_t<PERIOD>(given + 1);
    if (ends) {
      bank_taken = 0;
      bank_given = 0;
    }
    at = following<FRAME>(at);
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
