// Layers that walk through a program of reads and writes in lock step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>
#include "component.hpp"
#include "registers.hpp"

namespace cycles {

constexpr int kMostInputs = 8;

// Runs through the steps of one frame over and over; loops nest.
class Program {
 public:
  struct Step {
    int64_t repeats, reads, writes, source, end;  // end > 0: the step is a loop, its body lies before `end`
  };

  explicit Program(const std::vector<Step>& steps) : steps_(steps) { enter(0); }

  const Step& now() const { return steps_[at_]; }
  int64_t left() const { return left_; }
  void skip(int64_t cycles) { left_ -= cycles; }

  void next() {
    if (--left_ > 0) return;
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
    state.insert(state.end(), {static_cast<int64_t>(at_), left_});
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
    left_ = steps_[at].repeats;
  }

  const std::vector<Step>& steps_;
  std::vector<Level> loops_;
  size_t at_ = 0;
  int64_t left_ = 0;
};

// Input slices (none if `direct`), a program of reads and writes, stages behind one enable, an output slice for results
// that may follow each other directly or, if `spaced`, never do, or (`single`) a register.
class Pipeline : public Component {
 public:
  struct Form {
    bool reads_ahead, direct, spaced, single;
  };

  Pipeline(const std::vector<Port>& in, Port out, int stages, Form form, const std::vector<Program::Step>& steps)
      : inputs_(static_cast<int>(in.size())), out_(out), form_(form), program_(steps) {
    std::copy(in.begin(), in.end(), in_);
    stages_.count = stages;
  }

  void show() override {
    for (int k = 0; k < inputs_; ++k) in_[k].show(form_.direct ? is_enabled(false) : slices_[k].ready);
    out_.show(form_.spaced ? spaced_.full : form_.single ? register_.full : slice_.valid);
  }

  int64_t step() override {
    const Program::Step& now = program_.now();
    const bool reads = now.reads, idles = !now.reads && !now.writes;
    const int64_t source = now.source;
    bool there = true;
    for (int k = 0; reads && k < inputs_; ++k) there = there && ((source >= 0 && source != k) || there_at(k));
    const bool enabled = is_enabled(out_.moves());
    const bool writes = there && now.writes;
    const bool fires = there && (enabled || (form_.reads_ahead && !now.writes));
    bool changes = fires && !idles;
    changes |= form_.spaced ? spaced_.step(stages_.last(writes), stages_.last_but_one(writes), out_.moves())
               : form_.single ? register_.step(stages_.last(writes), out_.moves())
                              : slice_.step(stages_.last(writes) && enabled, out_.moves());
    for (int k = 0; !form_.direct && k < inputs_; ++k) {
      changes |= slices_[k].step(in_[k].moves(), fires && reads && (source < 0 || source == k));
    }
    if (enabled) {
      changes |= stages_.words != 0;
      stages_.shift(writes);
    }
    const int64_t idle = std::max<int64_t>(program_.left() - 2, 0);  // the step's last cycle is not passed over
    if (fires) program_.next();
    return changes ? 0 : fires ? idle : kForever;
  }

  void skip(int64_t cycles) override {
    const Program::Step& now = program_.now();
    if (is_enabled(false) && !now.reads && !now.writes) program_.skip(cycles);
  }

  void save(Integers& state) const override {
    for (int k = 0; k < inputs_; ++k) slices_[k].save(state);
    slice_.save(state);
    spaced_.save(state);
    state.insert(state.end(), {register_.full, static_cast<int64_t>(stages_.words)});
    program_.save(state);
  }

 private:
  // leaves: the word at the output is taken.
  bool is_enabled(bool leaves) const {
    return form_.spaced ? spaced_.enabled : form_.single ? register_.free(leaves) : slice_.ready;
  }
  bool there_at(int k) const { return form_.direct ? in_[k].moves() : slices_[k].valid; }

  int inputs_;
  Port in_[kMostInputs];
  Port out_;
  Skid slices_[kMostInputs];
  Skid slice_;
  SpacedSlice spaced_;
  Register register_;
  Stages stages_;
  Form form_;
  Program program_;
};

}  // namespace cycles
