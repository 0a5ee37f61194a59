// Components that move words and compute nothing: forks, width converters, FIFOs; and the choice of labels.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>
#include "component.hpp"
#include "registers.hpp"

namespace cycles {

// A slice of two words, of which every branch takes the first at its own time (headrace_fork.sv).
class Copies : public Component {
 public:
  Copies(Port in, std::vector<Port> out) : in_(in), out_(std::move(out)), shown_(out_.size()) {}

  void show() override {
    in_.show(slice_.ready);
    for (size_t k = 0; k < out_.size(); ++k) out_[k].show(shown_[k]);
  }

  int64_t step() override {
    bool all = true, changes = in_.moves();
    for (size_t k = 0; k < out_.size(); ++k) {
      changes |= out_[k].moves();
      if (out_[k].moves()) shown_[k] = false;
      all = all && !shown_[k];
    }
    changes |= slice_.step(in_.moves(), all);
    if (all) std::fill(shown_.begin(), shown_.end(), slice_.valid);
    return changes ? 0 : kForever;
  }

  void save(Integers& state) const override {
    slice_.save(state);
    for (const bool shown : shown_) state.push_back(shown);
  }

 private:
  Port in_;
  std::vector<Port> out_;
  Skid slice_;
  std::vector<bool> shown_;  // the word has not been taken yet
};

// headrace_dwc.sv where a word becomes `units` words: the output register, and behind it what is left of the word.
class Narrow : public Component {
 public:
  Narrow(Port in, Port out, int64_t units) : in_(in), out_(out), units_(units) {}

  void show() override {
    in_.show(ready_);
    out_.show(register_.full);
  }

  int64_t step() override {
    const bool take = in_.moves(), free = register_.free(out_.moves()), was_ready = ready_;
    bool changes = take || (free && left_ > 0);
    const bool there = take || left_ > 0;
    changes |= register_.step(there, out_.moves());
    if (take) left_ = units_;
    if (there && free) --left_;
    ready_ = left_ == 0;
    return changes || ready_ != was_ready ? 0 : kForever;
  }

  void save(Integers& state) const override { state.insert(state.end(), {left_, register_.full | ready_ << 1}); }

 private:
  Port in_, out_;
  int64_t units_, left_ = 0;
  bool ready_ = false;
  Register register_;
};

// headrace_dwc.sv where `units` words become one: the last completes it in the output register, which is then known to
// be free.
class Widen : public Component {
 public:
  Widen(Port in, Port out, int64_t units) : in_(in), out_(out), units_(units) {}

  void show() override {
    in_.show(ready_);
    out_.show(full_);
  }

  int64_t step() override {
    const bool was_ready = ready_, was_full = full_;
    if (out_.moves()) full_ = false;
    if (in_.moves() && ++collected_ == units_) {
      collected_ = 0;
      full_ = true;
    }
    ready_ = !(full_ && collected_ == units_ - 1);
    return in_.moves() || ready_ != was_ready || full_ != was_full ? 0 : kForever;
  }

  void save(Integers& state) const override { state.insert(state.end(), {collected_, full_ | ready_ << 1}); }

 private:
  Port in_, out_;
  int64_t units_, collected_ = 0;
  bool ready_ = false, full_ = false;
};

// headrace_fifo.sv with a memory: a memory of `depth` words, its read register is the output.
class Queue : public Component {
 public:
  Queue(Port in, Port out, int64_t depth) : in_(in), out_(out), depth_(depth) {}

  void show() override {
    in_.show(ready_);
    out_.show(register_.full);
  }

  int64_t step() override {
    const bool pop = register_.free(out_.moves()) && level_ > 0, was_ready = ready_;
    bool changes = in_.moves() || pop;
    changes |= register_.step(pop, out_.moves());
    level_ += static_cast<int64_t>(in_.moves()) - static_cast<int64_t>(pop);
    ready_ = level_ != depth_;
    most_ = std::max(most_, level_ + int64_t{register_.full});
    return changes || ready_ != was_ready ? 0 : kForever;
  }

  int64_t most() const override { return most_; }

  void save(Integers& state) const override { state.insert(state.end(), {level_, ready_ | register_.full << 1}); }

 private:
  Port in_, out_;
  int64_t depth_, level_ = 0, most_ = 0;
  bool ready_ = false;
  Register register_;
};

// headrace_fifo.sv without a memory.
class Slice : public Component {
 public:
  Slice(Port in, Port out) : in_(in), out_(out) {}

  void show() override {
    in_.show(slice_.ready);
    out_.show(slice_.valid);
  }
  int64_t step() override {
    const bool changes = slice_.step(in_.moves(), out_.moves());
    most_ = std::max(most_, slice_.held());
    return changes ? 0 : kForever;
  }
  void save(Integers& state) const override { slice_.save(state); }
  int64_t most() const override { return most_; }

 private:
  Port in_, out_;
  Skid slice_;
  int64_t most_ = 0;
};

// Reads a frame, then gives `results` words while the next frame is read (headrace_label_select.sv).
class Selection : public Component {
 public:
  Selection(Port in, Port out, int64_t words, int64_t results, int64_t stages)
      : in_(in), out_(out), words_(words), results_(results), lasts_(stages) {}

  void show() override {
    in_.show(taker_.ready);
    out_.show(giver_.valid);
  }

  int64_t step() override {
    const bool room = giver_.ready, there = taker_.valid, last = there && at_ == words_ - 1;
    const bool finished = lasts_.empty() ? last : lasts_.back();
    const bool free = left_ == 0 || (left_ == 1 && room);
    const bool moves = !finished || free;
    const bool busy = there || std::find(lasts_.begin(), lasts_.end(), true) != lasts_.end();
    bool changes = (moves && busy) || (left_ > 0 && room);
    changes |= giver_.step(left_ > 0 && room, out_.moves());
    changes |= taker_.step(in_.moves(), moves);
    if (finished && free) {
      left_ = results_;
    } else if (left_ > 0 && room) {
      --left_;
    }
    if (moves) {
      lasts_.push_front(last);
      lasts_.pop_back();
      if (there) at_ = last ? 0 : at_ + 1;
    }
    return changes ? 0 : kForever;
  }

  void save(Integers& state) const override {
    taker_.save(state);
    giver_.save(state);
    state.insert(state.end(), {left_, at_});
    state.insert(state.end(), lasts_.begin(), lasts_.end());
  }

 private:
  Port in_, out_;
  int64_t words_, results_, left_ = 0, at_ = 0;
  std::deque<bool> lasts_;  // words in the stages that end a frame
  Skid taker_, giver_;
};

}  // namespace cycles
