// Multi-threshold activation: #{n : acc >= T_n}, T ascending, ACC_BITS each, two's complement.
//
// Up to MAX_COMPARATORS thresholds stand as N lanes at thresholds[p][group] and are compared side by side. More are
// searched: a step adds a bit to the count, the highest first, and has a memory of its own, which holds the threshold
// of that bit for every count so far. So each memory is read once per result, and the steps follow each other in a
// pipeline.
#ifndef HEADRACE_THRESHOLDS_HPP
#define HEADRACE_THRESHOLDS_HPP

#include "words.hpp"

namespace headrace {

constexpr int MAX_COMPARATORS = 15;

template <int ACC_BITS, int N, class Chunk, int PE, int DEPTH, int CHUNKS>
int compare_thresholds(int64_t acc, int p, int group, const Chunk (&thresholds)[PE][DEPTH][CHUNKS]) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=1
#pragma HLS ARRAY_PARTITION variable=thresholds complete dim=3
  int count = 0;
  for (int n = 0; n < N; ++n) {
#pragma HLS UNROLL
    count += acc >= decode<ACC_BITS, SIGNED>(get_lane<ACC_BITS>(thresholds[p][group], n));
  }
  return count;
}

// Step K: bounds[p][group * 2^K + bits of the count so far] is the threshold with which the next bit is reached. What
// stands there for counts above N is not looked at.
template <int ACC_BITS, int N, int K, class Chunk, int PE, int DEPTH>
int search_step(int64_t acc, int p, int group, int count, const Chunk (&bounds)[PE][DEPTH][1]) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=bounds complete dim=1
  const int BIT       = index_bits(N + 1) - 1 - K;
  const int next      = count + (1 << BIT);
  const int address   = (group << K) + (count >> (BIT + 1));
  const int64_t bound = decode<ACC_BITS, SIGNED>(bounds[p][address][0] & low_mask(ACC_BITS));
  return next <= N && acc >= bound ? next : count;
}

template <int ACC_BITS, int N, int... K, class... Steps>
int search_thresholds(indices<K...>, int64_t acc, int p, int group, const Steps&... steps) {
#pragma HLS INLINE
  int count = 0;
  const int counts[] = {(count = search_step<ACC_BITS, N, K>(acc, p, group, count, steps))...};  // from left to right
  (void)counts;
  return count;
}

template <bool SEARCHES>
struct threshold_count {
  template <int ACC_BITS, int N, class Thresholds>
  static int of(int64_t acc, int p, int group, const Thresholds& thresholds) {
#pragma HLS INLINE
    return compare_thresholds<ACC_BITS, N>(acc, p, group, thresholds);
  }
};
template <>
struct threshold_count<true> {
  template <int ACC_BITS, int N, class... Steps>
  static int of(int64_t acc, int p, int group, const Steps&... steps) {
#pragma HLS INLINE
    static_assert(sizeof...(Steps) == index_bits(N + 1), "every step of the search has a memory");
    return search_thresholds<ACC_BITS, N>(typename indices_to<sizeof...(Steps)>::type(), acc, p, group, steps...);
  }
};

// #{n : acc >= T_n} of row p of a group.
template <int ACC_BITS, int N, class... Thresholds>
int count_thresholds(int64_t acc, int p, int group, const Thresholds&... thresholds) {
#pragma HLS INLINE
  return threshold_count<(N > MAX_COMPARATORS)>::template of<ACC_BITS, N>(acc, p, group, thresholds...);
}

}  // namespace headrace

#endif
