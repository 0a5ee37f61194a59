// The reads and writes of layers that do both in one order.
#pragma once

#include <cstdint>
#include <vector>
#include "bits.hpp"

namespace cycles {

// Runs through the steps of one frame over and over; loops nest.
class Program {
 public:
  struct Step {
    int64_t repeats, reads, writes, source, end;  // end > 0: the step is a loop, its body lies before `end`
  };

  explicit Program(std::vector<Step> steps) : steps_(std::move(steps)) { enter(0); }

  const Step& now() const { return steps_[at_]; }

  // Goes on when the step has been repeated.
  void next() {
    size_t following = at_ + 1;
    while (!loops_.empty() && following == loops_.back().end) {
      if (--loops_.back().left > 0) {
        following = loops_.back().start;
      } else {
        loops_.pop_back();
      }
    }
    enter(following == steps_.size() ? 0 : following);
  }

  void save(Integers& state) const {
    state.push_back(static_cast<int64_t>(at_));
    for (const Level& level : loops_) state.push_back(level.left);
  }

 private:
  struct Level {
    size_t start, end;
    int64_t left;
  };

  void enter(size_t at) {
    for (; steps_[at].end > 0; ++at) {
      loops_.push_back({at + 1, static_cast<size_t>(steps_[at].end), steps_[at].repeats});
    }
    at_ = at;
  }

  std::vector<Step> steps_;
  std::vector<Level> loops_;
  size_t at_ = 0;
};

}  // namespace cycles
