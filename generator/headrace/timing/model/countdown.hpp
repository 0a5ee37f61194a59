// Counters of 64 streams that go down together.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include "bits.hpp"

namespace cycles {

// Counters of 64 lanes: plane k holds bit k of all of them, so that many go down at once. What the planes do not hold is
// counted beside them, once in 64 times.
class Countdown {
 public:
  // From the next time on a lane ends every `times` times.
  void repeat(int64_t lane, int64_t times) {
    const Word one = bit(lane);
    for (size_t k = 0; k < kPlanes; ++k) length_[k] = chosen(one, bit_of(times - 1, k), length_[k]);
    start(lane, times);
    length_more_[lane & 63] = more_[lane & 63];
  }

  // A lane ends after so many times.
  void start(int64_t lane, int64_t times) {
    const Word one = bit(lane);
    for (size_t k = 0; k < kPlanes; ++k) planes_[k] = chosen(one, bit_of(times - 1, k), planes_[k]);
    more_[lane & 63] = (times - 1) >> kPlanes;
    long_ = chosen(one, times > kShort ? ~Word{0} : 0, long_);
  }

  // Lanes go on by one. Returns those that end.
  Word go_on(Word lanes) {
    for (Word& plane : planes_) {
      const Word was = plane;
      plane ^= lanes;
      lanes &= ~was;
    }
    return (lanes & long_) == 0 ? lanes : (lanes & ~long_) | go_down(lanes & long_);
  }

  // Lanes that have ended start again.
  void restart(Word lanes) {
    for (size_t k = 0; k < kPlanes; ++k) planes_[k] = chosen(lanes, length_[k], planes_[k]);
    each(lanes, 0, [&](int64_t lane) {
      more_[lane] = length_more_[lane];
      if (more_[lane] > 0) long_ |= bit(lane);
    });
  }

  // Lanes that end the next time.
  Word last() const {
    Word more = long_;
    for (const Word plane : planes_) more |= plane;
    return ~more;
  }

  // How many times are left.
  int64_t left(int64_t lane) const {
    int64_t low = 0;
    for (size_t k = 0; k < kPlanes; ++k) low |= static_cast<int64_t>(planes_[k] >> (lane & 63) & 1) << k;
    return (more_[lane & 63] << kPlanes) + low + 1;
  }

  void save(Integers& state) const {
    for (const Word plane : planes_) state.push_back(static_cast<int64_t>(plane));
    state.insert(state.end(), more_.begin(), more_.end());
  }

 private:
  static constexpr size_t kPlanes = 6;
  static constexpr int64_t kShort = int64_t{1} << kPlanes;

  static Word bit_of(int64_t number, size_t k) { return (number >> k & 1) != 0 ? ~Word{0} : 0; }

  Word go_down(Word lanes) {
    each(lanes, 0, [&](int64_t lane) {
      if (--more_[lane] == 0) long_ &= ~bit(lane);
    });
    return 0;
  }

  std::array<Word, kPlanes> planes_{}, length_{};
  Word long_ = 0;  // lanes of which there is more
  std::array<int64_t, 64> more_{}, length_more_{};
};

}  // namespace cycles
