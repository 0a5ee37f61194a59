// Words, chunks and lanes.
//
//   word    ap_uint<BITS> on a stream, BITS = lanes * bits per element
//   chunks  the same bits as 64-bit integers, chunk 0 lowest; memories are stored in this form, words of fewer bits as
//           memory_word
//   lane i  the bits [i*BITS, (i+1)*BITS) of the chunks, lane 0 lowest
//
// Invariant: the bits of a last chunk above the word are 0.
// The kernels compute on native integers taken from the chunks: exact, because no value that matters is wider than its
// integer, and an order of magnitude faster in C simulation than arithmetic on wide ap_uint.
#ifndef HEADRACE_WORDS_HPP
#define HEADRACE_WORDS_HPP

#include <stdint.h>

#ifndef AP_INT_MAX_W
#define AP_INT_MAX_W 4096
#endif
#include <ap_int.h>
#include <hls_stream.h>

namespace headrace {

// How an element is decoded; the values of W_KIND, A_KIND and E_KIND.
constexpr int UNSIGNED = 0;
constexpr int SIGNED   = 1;
constexpr int BIPOLAR  = 2;

// Chunks of a word; a memory of words of no bits still has one.
constexpr int chunks_of(int bits) { return bits > 0 ? (bits + 63) / 64 : 1; }

constexpr uint64_t low_mask(int bits) { return bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1; }

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Frames that one call of a kernel takes: its loop runs on from one to the next, because every counter is back at its
// start when a frame ends. Hardware gets a large constant, so that pipelines do not drain between frames; whoever
// simulates sets how many there are.
#if defined(__SYNTHESIS__) || defined(HEADRACE_LINT)
#ifndef HEADRACE_FRAMES
#define HEADRACE_FRAMES 1
#endif
typedef int loop_count;
constexpr loop_count frames() { return HEADRACE_FRAMES; }
#else
typedef long loop_count;
inline loop_count& frames() {
  static loop_count number = 1;
#ifdef HEADRACE_NETWORK
  hls::sim::iteration();
#endif
  return number;
}
#endif

// Bits of a counter that takes the values 0 to count - 1, and such a counter.
constexpr int index_bits(int count) {
  int bits = 1;
  for (int k = 1; k < 31; ++k) bits += (count - 1) >> k > 0 ? 1 : 0;
  return bits;
}
template <int COUNT>
using index_t = ap_uint<index_bits(COUNT)>;

// The next value of such a counter; 0 follows the last.
template <int COUNT>
index_t<COUNT> following(const index_t<COUNT>& value) {
#pragma HLS INLINE
  return value == COUNT - 1 ? index_t<COUNT>(0) : index_t<COUNT>(value + 1);
}

// indices_to<N>::type is indices<0, 1, ..., N - 1>: the places of the streams in a parameter pack.
template <int... K>
struct indices {};
template <int N, int... K>
struct indices_to : indices_to<N - 1, N - 1, K...> {};
template <int... K>
struct indices_to<0, K...> {
  typedef indices<K...> type;
};

// A word of a memory of up to 64 bits: an HLS compiler gets exactly its bits. Elsewhere it is the next wider integer of
// C++, because g++ needs a minute for as many constructors as a memory of a network has words.
template <int SIZE>
struct integer_of {
  typedef uint64_t type;
};
template <>
struct integer_of<1> {
  typedef uint8_t type;
};
template <>
struct integer_of<2> {
  typedef uint16_t type;
};
template <>
struct integer_of<4> {
  typedef uint32_t type;
};
#if defined(__SYNTHESIS__) || defined(HEADRACE_LINT) || defined(HEADRACE_EXACT_MEMORIES)
template <int BITS>
using memory_word = ap_uint<BITS>;
#else
template <int BITS>
using memory_word = typename integer_of<BITS <= 8 ? 1 : BITS <= 16 ? 2 : BITS <= 32 ? 4 : 8>::type;
#endif

// Where a layer has no memory of a kind it gets this one, which is never read.
static const uint64_t no_memory[1][1][1] = {};

template <int BITS>
void split_word(const ap_uint<BITS>& word, uint64_t (&chunks)[chunks_of(BITS)]) {
#pragma HLS INLINE
  if (BITS <= 64) {
    chunks[0] = word.to_uint64();
  } else {
    for (int k = 0; k < chunks_of(BITS); ++k) {
#pragma HLS UNROLL
      const int high = 64 * k + 63 < BITS ? 64 * k + 63 : BITS - 1;
      chunks[k] = word.range(high, 64 * k).to_uint64();
    }
  }
}

template <int BITS>
ap_uint<BITS> join_word(const uint64_t (&chunks)[chunks_of(BITS)]) {
#pragma HLS INLINE
  ap_uint<BITS> word = chunks[0];
  for (int k = 1; k < chunks_of(BITS); ++k) {
#pragma HLS UNROLL
    const int high = 64 * k + 63 < BITS ? 64 * k + 63 : BITS - 1;
    word.range(high, 64 * k) = ap_uint<64>(chunks[k]);
  }
  return word;
}

// Code of lane `index`. A lane may straddle two chunks where BITS does not divide 64.
template <int BITS, class Chunk, int CHUNKS>
uint64_t get_lane(const Chunk (&chunks)[CHUNKS], int index) {
#pragma HLS INLINE
  const int chunk = index * BITS / 64;
  const int shift = index * BITS % 64;
  uint64_t code = uint64_t(chunks[chunk]) >> shift;
  if (64 % BITS != 0 && shift + BITS > 64) code |= uint64_t(chunks[chunk + 1]) << (64 - shift);
  return code & low_mask(BITS);
}

// Put `code` into lane `index`, whose bits must be 0.
template <int BITS, int CHUNKS>
void put_lane(uint64_t (&chunks)[CHUNKS], int index, uint64_t code) {
#pragma HLS INLINE
  const int chunk = index * BITS / 64;
  const int shift = index * BITS % 64;
  chunks[chunk] |= code << shift;
  if (64 % BITS != 0 && shift + BITS > 64) chunks[chunk + 1] |= code >> (64 - shift);
}

// Value of a code of BITS bits.
template <int BITS, int KIND>
int64_t decode(uint64_t code) {
#pragma HLS INLINE
  const int64_t sign = int64_t(1) << (BITS - 1);
  if (KIND == SIGNED) return (int64_t(code) ^ sign) - sign;
  if (KIND == BIPOLAR) return 2 * int64_t(code) - 1;
  return int64_t(code);
}

}  // namespace headrace

#endif
