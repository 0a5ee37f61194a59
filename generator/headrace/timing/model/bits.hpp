// Sets of small numbers, one bit each, and what is saved of a state.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace cycles {

using Word = uint64_t;
using Integers = std::vector<int64_t>;

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

inline Word bit(int64_t k) { return Word{1} << (k & 63); }
inline Word chosen(Word by, Word one, Word other) { return other ^ ((one ^ other) & by); }

// Calls `visit` with every member in ascending order, `first` being added.
template <typename Visit>
void each(Word word, int64_t first, Visit visit) {
  for (; word != 0; word &= word - 1) visit(first + __builtin_ctzll(word));
}

}  // namespace cycles
