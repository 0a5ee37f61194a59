// hls::stream for C simulation with g++: an unbounded queue that ends the program when it is read while empty or is
// destroyed with words that nobody read, and knows the largest number of words that it ever held.
//
// With HEADRACE_TRACE defined, while hls::sim::trace().on is set every stream that is constructed gets the next number,
// and every word of an integer type written to it is recorded under that number.
#ifndef HEADRACE_SIM_HLS_STREAM_H
#define HEADRACE_SIM_HLS_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <ap_int.h>

#ifdef HEADRACE_TRACE
#include <vector>
#endif

namespace hls {
namespace sim {

#ifdef HEADRACE_TRACE
struct Recorded {
  int word_bytes;
  std::vector<uint8_t> words;
};

struct Trace {
  bool on;
  size_t next;
  std::vector<Recorded> streams;
};

inline Trace& trace() {
  static Trace the_trace = {};
  return the_trace;
}

// Number of a stream under construction, -1 if it is not traced.
inline long trace_open(int word_bytes) {
  Trace& t = trace();
  if (!t.on) return -1;
  if (t.next == t.streams.size()) t.streams.push_back(Recorded{word_bytes, {}});
  return long(t.next++);
}
#endif

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
#ifdef HEADRACE_TRACE
    number_ = word_width<T>::bits > 0 ? sim::trace_open((word_width<T>::bits + 7) / 8) : -1;
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
    if (size_ == 0) sim::fail("read from an empty stream after this number of words:", passed_);
    const size_t at = first_;
    first_ = (first_ + 1) & (room_ - 1);
    --size_;
    ++passed_;
    return words_[at];
  }

  void write(const T& word) {
    if (size_ == room_) grow();
    words_[(first_ + size_) & (room_ - 1)] = word;
    ++size_;
    if (size_ > max_depth_) max_depth_ = size_;
#ifdef HEADRACE_TRACE
    record(word, static_cast<IsWord<(word_width<T>::bits > 0)>*>(0));
#endif
  }

 private:
  void grow() {
    T* larger = new T[2 * room_];
    for (size_t i = 0; i < size_; ++i) larger[i] = words_[(first_ + i) & (room_ - 1)];
    delete[] words_;
    words_ = larger;
    room_ *= 2;
    first_ = 0;
  }

#ifdef HEADRACE_TRACE
  template <bool>
  struct IsWord {};

  void record(const T& word, IsWord<true>*) {
    if (number_ < 0) return;
    std::vector<uint8_t>& bytes = sim::trace().streams[number_].words;
    const size_t at = bytes.size();
    bytes.resize(at + (word_width<T>::bits + 7) / 8);
    sim::word_to_bytes(word, word_width<T>::bits, &bytes[at]);
  }
  void record(const T&, IsWord<false>*) {}

  long number_;
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
