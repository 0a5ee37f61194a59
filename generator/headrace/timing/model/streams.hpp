// The streams between components: valid, ready and moving, a bit for each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace cycles {

using Integers = std::vector<int64_t>;

constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

// A set of small numbers, one bit each.
using Bits = std::vector<uint64_t>;

void add(Bits& bits, int64_t k) { bits[k >> 6] |= uint64_t{1} << (k & 63); }
void remove(Bits& bits, int64_t k) { bits[k >> 6] &= ~(uint64_t{1} << (k & 63)); }
bool empty(const Bits& bits) {
  return std::all_of(bits.begin(), bits.end(), [](uint64_t word) { return word == 0; });
}

// Calls `visit` with every member in ascending order.
template <typename Visit>
void each(const Bits& bits, Visit visit) {
  for (size_t w = 0; w < bits.size(); ++w) {
    for (uint64_t word = bits[w]; word != 0; word &= word - 1) {
      visit(static_cast<int64_t>(w * 64) + __builtin_ctzll(word));
    }
  }
}

// All streams: `valid` is up to their producers, `ready` to their readers; `moves` is their conjunction in this cycle.
struct Streams {
  Bits valid, ready, moves;
};

// One side of a stream, as a component sees it.
class Port {
 public:
  Port() = default;
  Port(Bits& shown, const Bits& moves, int64_t k) : shown_(&shown[k >> 6]), moves_(&moves[k >> 6]), at_(k & 63) {}

  void show(bool value) { *shown_ = (*shown_ & ~(uint64_t{1} << at_)) | uint64_t{value} << at_; }
  bool moves() const { return *moves_ >> at_ & 1; }

 private:
  uint64_t* shown_ = nullptr;
  const uint64_t* moves_ = nullptr;
  int64_t at_ = 0;
};

}  // namespace cycles
