// Multi-threshold activation: #{n : acc >= T_n}, T ascending in N lanes of ACC_BITS, two's complement.
#ifndef HEADRACE_THRESHOLDS_HPP
#define HEADRACE_THRESHOLDS_HPP

#include "words.hpp"

namespace headrace {

// Above this number of thresholds a binary search takes their place of comparators side by side.
constexpr int MAX_COMPARATORS = 15;

// #{n : acc >= T_n}. The search halves a range of 2^k - 1 thresholds; those beyond N are never reached.
template <int ACC_BITS, int N, int CHUNKS>
int count_thresholds(int64_t acc, const uint64_t (&thresholds)[CHUNKS]) {
#pragma HLS INLINE
  int count = 0;
  if (N <= MAX_COMPARATORS) {
    for (int n = 0; n < N; ++n) {
#pragma HLS UNROLL
      count += acc >= decode<ACC_BITS, SIGNED>(get_lane<ACC_BITS>(thresholds, n));
    }
  } else {
    for (int bit = 15; bit >= 0; --bit) {
#pragma HLS UNROLL
      const int probe = count + (1 << bit);
      if (probe <= N && acc >= decode<ACC_BITS, SIGNED>(get_lane<ACC_BITS>(thresholds, probe - 1))) count = probe;
    }
  }
  return count;
}

}  // namespace headrace

#endif
