// What counts words: circular buffers, memories of FIFOs, the choice of labels. Each is visited in a
// cycle in which one of its words moves, and says then what it may do in the next.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include "bits.hpp"

namespace cycles {

// What a counter does in a cycle: a word comes in, one goes to the output register or behind it, the output register
// is free, and whether it is full afterwards.
struct Visit {
  bool take, put, free, full;
};

// What it may do in the next: take a word, put one. again: it is visited then whatever moves.
struct Outlook {
  bool accepts, next, again = false;
};

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

// A sliding window that releases whole rows; that there is room is a register (headrace_parallel_swu.sv).
class Window {
 public:
  Window(int64_t row, const CircularBuffer::Shape& shape) : row_(row), buffer_(shape) {}

  Outlook visit(const Visit& now) {
    if (now.take) {
      buffer_.take();
      if (++taken_in_row_ == row_) taken_in_row_ = 0;
    }
    const bool had_room = room_;
    room_ = buffer_.has_room(buffer_.taken() - taken_in_row_);
    const bool released = buffer_.starts_window() && buffer_.release();
    if (now.put) buffer_.advance();
    return {room_, buffer_.has_next(), now.take || now.put || released || room_ != had_room};
  }

  void save(Integers& state) const {
    buffer_.save(state);
    state.insert(state.end(), {taken_in_row_, int64_t{room_}});
  }

 private:
  int64_t row_, taken_in_row_ = 0;
  bool room_ = true;
  CircularBuffer buffer_;
};

// A sliding window whose words go into the buffer as they come; its read register is the output (headrace_swu.sv).
class Ring {
 public:
  explicit Ring(const CircularBuffer::Shape& shape) : buffer_(shape) {}

  Outlook visit(const Visit& now) {
    if (now.take) buffer_.take();
    if (now.put) {
      buffer_.advance();
      if (buffer_.starts_window()) buffer_.release();
    }
    return {buffer_.has_room(buffer_.taken()), buffer_.has_next()};
  }

  void save(Integers& state) const { buffer_.save(state); }

 private:
  CircularBuffer buffer_;
};

// headrace_fifo.sv with a memory: a memory of `depth` words, its read register is the output.
class Queue {
 public:
  explicit Queue(int64_t depth) : depth_(depth) {}

  Outlook visit(const Visit& now) {
    level_ += int64_t{now.take} - int64_t{now.put};
    most_ = std::max(most_, level_ + int64_t{now.full});
    return {level_ != depth_, level_ > 0};
  }

  int64_t most() const { return most_; }

  void save(Integers& state) const { state.push_back(level_); }

 private:
  int64_t depth_, level_ = 0, most_ = 0;
};

// Reads a frame, then gives `results` words while the next frame is read (headrace_label_select.sv).
class Selection {
 public:
  // leaves: the word in the input slice is taken; puts: one goes into the output slice.
  struct Moves {
    bool leaves, puts, changes;
  };

  Selection(int64_t words, int64_t results, int64_t stages) : words_(words), results_(results), lasts_(stages) {}

  // there: a word stands in the input slice; room: in the output slice.
  Moves step(bool there, bool room) {
    const bool last = there && at_ == words_ - 1;
    const bool finished = lasts_.empty() ? last : lasts_.back();
    const bool free = left_ == 0 || (left_ == 1 && room);
    const bool moves = !finished || free, puts = left_ > 0 && room;
    const bool busy = there || std::find(lasts_.begin(), lasts_.end(), true) != lasts_.end();
    if (finished && free) {
      left_ = results_;
    } else if (puts) {
      --left_;
    }
    if (moves) {
      lasts_.push_front(last);
      lasts_.pop_back();
      if (there) at_ = last ? 0 : at_ + 1;
    }
    return {moves, puts, (moves && busy) || puts};
  }

  void save(Integers& state) const {
    state.insert(state.end(), {left_, at_});
    state.insert(state.end(), lasts_.begin(), lasts_.end());
  }

 private:
  int64_t words_, results_, left_ = 0, at_ = 0;
  std::deque<bool> lasts_;  // words in the stages that end a frame
};

}  // namespace cycles
