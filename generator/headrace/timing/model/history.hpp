// States that have been there before.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>
#include "bits.hpp"

namespace cycles {

// The state after a cycle. late: by how much the source's next word comes later than it could, in parts of a cycle.
// waited: the last cycle in which the source had no word.
struct Moment {
  int64_t cycle, late, waited;
  Integers state;

  // Does all that comes repeat what came since? A source that is later and later always has a word.
  bool repeats(const Moment& then) const {
    return (late == then.late || (late > then.late && waited <= then.cycle)) && state == then.state;
  }
};

// Keeps the states of a dataflow at some words of every frame that leaves. A dataflow that repeats itself does so from
// the first words on that leave, mostly, so it need not wait for the end of the frame.
class History {
 public:
  explicit History(int64_t words) : words_(words) {}

  // Is the state kept when so many words of a frame have left?
  bool keeps(int64_t left) const { return left * kMarks / words_ != (left - 1) * kMarks / words_; }

  // Has the state been there before at this word? period: how many frames and cycles ago.
  bool knows(int64_t left, Moment now, int64_t* period) {
    std::vector<Moment>& before = moments_[left * kMarks / words_ - 1];
    for (auto then = before.rbegin(); then != before.rend(); ++then) {
      if (!now.repeats(*then)) continue;
      period[0] = then - before.rbegin() + 1;
      period[1] = now.cycle - then->cycle;
      return true;
    }
    before.push_back(std::move(now));
    return false;
  }

 private:
  static constexpr int64_t kMarks = 64;

  int64_t words_;
  std::vector<Moment> moments_[kMarks];
};

}  // namespace cycles
