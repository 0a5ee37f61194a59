// Sliding windows: a reader and a writer that share the counts of a circular buffer.
#pragma once

#include <cstdint>
#include "component.hpp"
#include "registers.hpp"

namespace cycles {

// Counts of the words in a circular buffer, whose writer goes window by window through one frame after the other; they
// are those above the first word of the writer's frame.
class CircularBuffer {
 public:
  struct Shape {
    int64_t words, depth, overlaps, taps, windows;
    const int64_t* needed;  // per word out: words of its frame that must be there
    const int64_t* kept;    // per window: oldest word kept from the end of the one before on
  };

  explicit CircularBuffer(const Shape& shape) : shape_(shape) {}

  // May a word be taken, where `counted` words are those that count against the depth?
  bool has_room(int64_t counted) const {
    return (shape_.overlaps || taken_ < shape_.words) && counted - keep_ < shape_.depth;
  }
  bool has_next() const { return taken_ >= shape_.needed[at_]; }
  int64_t taken() const { return taken_; }
  // Is the writer at a window's first word?
  bool starts_window() const { return tap_ == 0; }
  void take() { ++taken_; }

  // The writer goes on.
  void advance() {
    ++at_;
    if (++tap_ < shape_.taps) return;
    tap_ = 0;
    if (++window_ < shape_.windows) return;
    window_ = at_ = 0;
    taken_ -= shape_.words;
    keep_ -= shape_.words;
  }

  // Gives up the words that the writer's window and later ones do not keep. True if there are some.
  bool release() {
    if (shape_.kept[window_] <= keep_) return false;
    keep_ = shape_.kept[window_];
    return true;
  }

  void save(Integers& state) const { state.insert(state.end(), {taken_, keep_, at_}); }

 private:
  Shape shape_;
  int64_t taken_ = 0, keep_ = 0;
  int64_t at_ = 0, tap_ = 0, window_ = 0;
};

// A sliding window with slices, which releases whole rows; that there is room is a register (headrace_parallel_swu.sv).
class Window : public Component {
 public:
  Window(Port in, Port out, int64_t row, int64_t stages, const CircularBuffer::Shape& shape)
      : in_(in), out_(out), row_(row), buffer_(shape) {
    stages_.count = static_cast<int>(stages);
  }

  void show() override {
    in_.show(taker_.ready);
    out_.show(giver_.valid);
  }

  int64_t step() override {
    const bool take = taker_.valid && room_;
    const bool enabled = giver_.ready;
    const bool emit = enabled && buffer_.has_next();
    bool changes = take || emit || (enabled && stages_.words != 0);
    changes |= giver_.step(stages_.last(emit) && enabled, out_.moves());
    changes |= taker_.step(in_.moves(), take);
    if (enabled) stages_.shift(emit);
    if (take) {
      buffer_.take();
      if (++taken_in_row_ == row_) taken_in_row_ = 0;
    }
    const bool room = buffer_.has_room(buffer_.taken() - taken_in_row_);
    changes |= room != room_;
    room_ = room;
    if (buffer_.starts_window()) changes |= buffer_.release();
    if (emit) buffer_.advance();
    return changes ? 0 : kForever;
  }

  void save(Integers& state) const override {
    taker_.save(state);
    giver_.save(state);
    buffer_.save(state);
    state.insert(state.end(), {static_cast<int64_t>(stages_.words), taken_in_row_, static_cast<int64_t>(room_)});
  }

 private:
  Port in_, out_;
  int64_t row_, taken_in_row_ = 0;
  bool room_ = true;
  CircularBuffer buffer_;
  Skid taker_, giver_;
  Stages stages_;
};

// A sliding window without slices: words go into the buffer as they come, its read register is the output
// (headrace_swu.sv).
class Ring : public Component {
 public:
  Ring(Port in, Port out, const CircularBuffer::Shape& shape) : in_(in), out_(out), buffer_(shape) {}

  void show() override {
    in_.show(buffer_.has_room(buffer_.taken()));
    out_.show(valid_);
  }

  int64_t step() override {
    const bool enabled = out_.moves() || !valid_;
    const bool emit = enabled && buffer_.has_next();
    const bool take = in_.moves();
    const bool changes = take || emit || out_.moves() || !awake_;
    awake_ = true;
    if (enabled) valid_ = emit;
    if (take) buffer_.take();
    if (emit) {
      buffer_.advance();
      if (buffer_.starts_window()) buffer_.release();
    }
    return changes ? 0 : kForever;
  }

  void save(Integers& state) const override {
    state.push_back(valid_);
    buffer_.save(state);
  }

 private:
  Port in_, out_;
  CircularBuffer buffer_;
  bool valid_ = false, awake_ = false;
};

}  // namespace cycles
