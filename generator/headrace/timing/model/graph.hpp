// Reads the graph that Python writes: whole numbers one after the other, in structs of flow.hpp. That header is made of
// the dataclasses of layers/flow.py, so that both sides have the same kinds and fields in the same order.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "counters.hpp"
#include "flow.hpp"
#include "program.hpp"

namespace cycles {

class Reader {
 public:
  explicit Reader(const int64_t* at) : at_(at) {}

  int64_t next() { return *at_++; }
  const int64_t* block(int64_t count) {
    at_ += count;
    return at_ - count;
  }
  std::vector<int64_t> counted() {
    const int64_t count = next();
    const int64_t* first = block(count);
    return {first, first + count};
  }
  // A struct of whole numbers.
  template <typename Fields>
  Fields fields() {
    static_assert(sizeof(Fields) % sizeof(int64_t) == 0, "a struct of whole numbers");
    Fields fields;
    std::memcpy(&fields, block(sizeof(Fields) / sizeof(int64_t)), sizeof(Fields));
    return fields;
  }

 private:
  const int64_t* at_;
};

inline std::vector<Program::Step> read_program(Reader& reader) {
  std::vector<Program::Step> steps;
  for (int64_t left = reader.next(); left > 0; --left) {
    const auto row = reader.fields<RowFields>();
    steps.push_back({row.repeats, row.reads, row.writes, row.source, row.end});
  }
  return steps;
}

inline CircularBuffer::Shape read_buffer(Reader& reader) {
  const auto fields = reader.fields<BufferFields>();
  CircularBuffer::Shape shape{};
  shape.words = fields.words;
  shape.depth = fields.depth;
  shape.overlaps = fields.overlaps;
  shape.taps = reader.next();
  shape.windows = reader.next();
  shape.needed = reader.block(shape.taps * shape.windows);
  shape.kept = reader.block(shape.windows);
  return shape;
}

}  // namespace cycles
