// hls::stream for C simulation with g++: an unbounded queue that ends the program when it is read while empty or is
// destroyed with words that nobody read, and knows the largest number of words that it ever held.
//
// With HEADRACE_NETWORK defined it is a stream of a network of processes instead, see network.h.
#ifndef HEADRACE_SIM_HLS_STREAM_H
#define HEADRACE_SIM_HLS_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <ap_int.h>

#ifdef HEADRACE_NETWORK
#include "network.h"
#endif

namespace hls {
namespace sim {

// Prints the defect; Python turns the line into an error.
[[noreturn]] inline void fail(const char* what, size_t number) {
  fprintf(stderr, "csim: %s %zu\n", what, number);
  exit(3);
}

// Bytes of a word of BITS bits, lowest first.
template <typename Word>
void word_to_bytes(const Word& word, int bits, uint8_t* bytes) {
  for (int low = 0; low < bits; low += 64) {
    const int high = low + 63 < bits ? low + 63 : bits - 1;
    const uint64_t chunk = bits <= 64 ? word.to_uint64() : word.range(high, low).to_uint64();
    for (int b = low; b <= high; b += 8) bytes[b / 8] = uint8_t(chunk >> (b - low));
  }
}

}  // namespace sim

// Width of what a stream carries; 0 for a structure.
template <typename T>
struct word_width {
  static const int bits = 0;
};
template <int BITS>
struct word_width<ap_uint<BITS> > {
  static const int bits = BITS;
};

template <typename T>
class stream {
 public:
  stream() : words_(new T[8]), room_(8), first_(0), size_(0), passed_(0), max_depth_(0) {
#ifdef HEADRACE_NETWORK
    channel_.word_bytes = (word_width<T>::bits + 7) / 8;
#endif
  }

#ifdef HEADRACE_LINT
  explicit stream(const char* name);  // what Vitis HLS has, for the lint to find
#endif

  ~stream() {
    if (size_ > 0) sim::fail("words left over in a stream:", size_);
    delete[] words_;
  }

  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  size_t max_depth() const { return max_depth_; }

  T read() {
#ifdef HEADRACE_NETWORK
    while (size_ == 0) sim::wait_for(channel_, false);
#endif
    if (size_ == 0) sim::fail("read from an empty stream after this number of words:", passed_);
    const size_t at = first_;
    first_ = (first_ + 1) & (room_ - 1);
    --size_;
    ++passed_;
#ifdef HEADRACE_NETWORK
    channel_.held = size_;
    sim::moved(channel_, false);
#endif
    return words_[at];
  }

  void write(const T& word) {
#ifdef HEADRACE_NETWORK
    sim::write([this, word] { put(word); });
#else
    put(word);
#endif
  }

#ifdef HEADRACE_NETWORK
  // A stream between processes that holds `depth` words.
  void declare(const char* name, size_t depth) { sim::declare(channel_, name, depth); }
#endif

 private:
  void put(const T& word) {
#ifdef HEADRACE_NETWORK
    while (channel_.depth > 0 && size_ == channel_.depth) sim::wait_for(channel_, true);
#endif
    if (size_ == room_) grow();
    words_[(first_ + size_) & (room_ - 1)] = word;
    ++size_;
    if (size_ > max_depth_) max_depth_ = size_;
#ifdef HEADRACE_NETWORK
    channel_.held = size_;
    record(word, static_cast<IsWord<(word_width<T>::bits > 0)>*>(0));
    sim::moved(channel_, true);
#endif
  }

  void grow() {
    T* larger = new T[2 * room_];
    for (size_t i = 0; i < size_; ++i) larger[i] = words_[(first_ + i) & (room_ - 1)];
    delete[] words_;
    words_ = larger;
    room_ *= 2;
    first_ = 0;
  }

#ifdef HEADRACE_NETWORK
  template <bool>
  struct IsWord {};

  void record(const T& word, IsWord<true>*) {
    if (channel_.number < 0) return;
    uint8_t bytes[(word_width<T>::bits + 7) / 8];
    sim::word_to_bytes(word, word_width<T>::bits, bytes);
    channel_.pass(bytes);
  }
  void record(const T&, IsWord<false>*) {}

  sim::Channel channel_;
#endif
  T* words_;
  size_t room_;  // a power of two
  size_t first_;
  size_t size_;
  size_t passed_;
  size_t max_depth_;
};

}  // namespace hls

#endif
