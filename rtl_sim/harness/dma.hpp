// What stands between memory and the shell: DMAs and clock crossings. The build's own header stands in the middle: it
// lists ports and gives DMA_BYTES.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

#include "Vheadrace_shell.h"

// An input of the shell that a DMA sends to.
struct SendPort {
  void* data;
  std::remove_reference_t<decltype(Vheadrace_shell::s_axis_TKEEP)>* keep;
  uint8_t *last, *valid, *ready;
};

#include "shell_config.hpp"

struct Beat {
  uint8_t data[DMA_BYTES];
  uint32_t keep;
  bool last;
};

// A FIFO of words; a word that enters is seen at the other end some cycles later.
class Queue {
 public:
  Queue(size_t words, uint64_t delay) : words_(words), delay_(delay) {}

  bool full() const { return beats_.size() >= words_; }
  bool offers(uint64_t now) const { return !beats_.empty() && now >= beats_.front().first + delay_; }
  const Beat& front() const { return beats_.front().second; }
  void push(uint64_t now, const Beat& beat) { beats_.emplace_back(now, beat); }
  void pop() { beats_.pop_front(); }
  void clear() { beats_.clear(); }

 private:
  size_t words_;
  uint64_t delay_;
  std::deque<std::pair<uint64_t, Beat>> beats_;
};

// An axis_clock_converter. No reset of a DMA reaches it, nor one of the accelerator.
inline Queue crossing() { return Queue(16, 4); }

// A DMA that reads memory, the same bytes in one transfer after the other, and the crossing behind it.
class Sender {
 public:
  explicit Sender(const SendPort& port) : port_(port) {}

  void load(std::vector<uint8_t> bytes, uint32_t times) {
    bytes_ = std::move(bytes);
    times_ = bytes_.empty() ? 0 : times;
    sent_ = 0;
  }
  // The DMA has sent all; the crossing may still hold some.
  bool finished() const { return times_ == 0; }

  // Sets the inputs of the coming cycle. Whether the DMA put a word into the crossing.
  bool offer(uint64_t now, bool pauses) {
    const bool moves = !finished() && !pauses && !crossing_.full();
    if (moves) crossing_.push(now, next());
    *port_.valid = crossing_.offers(now);
    if (*port_.valid) {
      std::memcpy(port_.data, crossing_.front().data, DMA_BYTES);
      *port_.keep = crossing_.front().keep;
      *port_.last = crossing_.front().last;
    }
    return moves;
  }

  bool taken() const { return *port_.valid && *port_.ready; }
  void pop() { crossing_.pop(); }
  void stop() { times_ = 0; }

 private:
  Beat next() {
    Beat beat{};
    const size_t left = bytes_.size() - sent_, size = left < DMA_BYTES ? left : DMA_BYTES;
    std::memcpy(beat.data, &bytes_[sent_], size);
    beat.keep = uint32_t((uint64_t(1) << size) - 1);
    beat.last = size == left;
    sent_ += size;
    if (beat.last) sent_ = 0, --times_;
    return beat;
  }

  SendPort port_;
  std::vector<uint8_t> bytes_;
  uint32_t times_ = 0;
  size_t sent_ = 0;
  Queue crossing_ = crossing();
};

// A crossing, and the DMA behind it that writes memory. It takes some words before it is told to receive; they are lost
// when it is reset.
class Receiver {
 public:
  // Begins to receive at most so many bytes. False where that is not possible now.
  bool start(size_t bytes) {
    if (receives_ || halted_) return false;
    bytes_.clear();
    most_ = bytes;
    receives_ = true;
    return true;
  }

  bool ready() const { return !crossing_.full(); }
  void push(uint64_t now, const Beat& beat) { crossing_.push(now, beat); }

  // A cycle; whether a word reached the memory.
  bool step(uint64_t now, bool pauses) {
    if (crossing_.offers(now) && !own_.full()) {
      own_.push(now, crossing_.front());
      crossing_.pop();
    }
    if (!receives_ || pauses || !own_.offers(now)) return false;
    collect(own_.front());
    own_.pop();
    return true;
  }

  void reset() {
    own_.clear();
    receives_ = halted_ = holes_ = false;
  }

  bool receives() const { return receives_; }
  bool halted() const { return halted_; }  // more bytes came than there was room for
  bool holes() const { return holes_; }    // TKEEP was not that of the low bytes
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  void collect(const Beat& beat) {
    int count = 0;
    while (count < DMA_BYTES && (beat.keep >> count & 1)) ++count;
    holes_ = holes_ || (count < DMA_BYTES && beat.keep >> count != 0);
    bytes_.insert(bytes_.end(), beat.data, beat.data + count);
    halted_ = bytes_.size() > most_;
    receives_ = !beat.last && !halted_;
  }

  Queue crossing_ = ::crossing();
  Queue own_{4, 1};
  std::vector<uint8_t> bytes_;
  size_t most_ = 0;
  bool receives_ = false, halted_ = false, holes_ = false;
};
