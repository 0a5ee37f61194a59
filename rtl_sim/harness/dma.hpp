// A DMA that sends to the shell. The build's own header stands in the middle: it lists ports and gives DMA_BYTES.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
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

// A DMA that reads memory: the same bytes in one transfer after the other.
class Sender {
 public:
  explicit Sender(const SendPort& port) : port_(port) {}

  void load(std::vector<uint8_t> bytes, uint32_t times) {
    bytes_ = std::move(bytes);
    times_ = bytes_.empty() ? 0 : times;
    sent_ = 0;
    offered_ = false;
  }
  bool finished() const { return times_ == 0; }

  // Sets the inputs of the coming cycle; a beat that waits stays.
  void offer(bool pauses) {
    if (!offered_ && !finished() && !pauses) {
      uint8_t beat[DMA_BYTES] = {};
      const size_t left = bytes_.size() - sent_, size = left < DMA_BYTES ? left : DMA_BYTES;
      std::memcpy(beat, &bytes_[sent_], size);
      std::memcpy(port_.data, beat, DMA_BYTES);
      *port_.keep = uint32_t((uint64_t(1) << size) - 1);
      *port_.last = size == left;
      offered_ = true;
    }
    *port_.valid = offered_;
  }

  bool taken() const { return offered_ && *port_.ready; }

  void next() {
    offered_ = false;
    sent_ += DMA_BYTES;
    if (sent_ < bytes_.size()) return;
    sent_ = 0;
    --times_;
  }

  void stop() {
    *port_.valid = offered_ = false;
    times_ = 0;
  }

 private:
  SendPort port_;
  std::vector<uint8_t> bytes_;
  uint32_t times_ = 0;
  size_t sent_ = 0;
  bool offered_ = false;
};
