// Reads the graph that Python writes: whole numbers one after the other, in structs of flow.hpp. That header is made of
// the dataclasses of layers/flow.py, so that both sides have the same kinds and fields in the same order.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "component.hpp"
#include "flow.hpp"
#include "moves.hpp"
#include "pipeline.hpp"
#include "windows.hpp"

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

// Makes the components; keeps what they refer to.
class Factory {
 public:
  using Ports = std::vector<Port>;

  // depth: of a FIFO.
  std::unique_ptr<Component> component(Kind kind, const Ports& in, const Ports& out, int64_t depth, Reader& reader) {
    switch (kind) {
      case kPipeline: return pipeline(in, out[0], reader);
      case kWindow: return window(in[0], out[0], reader);
      case kRing: return std::make_unique<Ring>(in[0], out[0], circular_buffer(reader));
      case kCopies: return std::make_unique<Copies>(in[0], out);
      case kNarrow: return std::make_unique<Narrow>(in[0], out[0], reader.fields<NarrowFields>().units);
      case kWiden: return std::make_unique<Widen>(in[0], out[0], reader.fields<WidenFields>().units);
      case kSelection: return selection(in[0], out[0], reader);
      case kQueue: break;
    }
    if (depth > 2) return std::make_unique<Queue>(in[0], out[0], depth);
    return std::make_unique<Slice>(in[0], out[0]);
  }

 private:
  std::unique_ptr<Component> pipeline(const Ports& in, Port out, Reader& reader) {
    const auto fields = reader.fields<PipelineFields>();
    const Pipeline::Form form{fields.reads_ahead != 0, fields.direct != 0, fields.spaced != 0, fields.single != 0};
    auto program = std::make_unique<std::vector<Program::Step>>();
    for (int64_t left = reader.next(); left > 0; --left) {
      const auto row = reader.fields<RowFields>();
      program->push_back({row.repeats, row.reads, row.writes, row.source, row.end});
    }
    programs_.push_back(std::move(program));
    return std::make_unique<Pipeline>(in, out, static_cast<int>(fields.stages), form, *programs_.back());
  }

  static std::unique_ptr<Component> window(Port in, Port out, Reader& reader) {
    const auto fields = reader.fields<WindowFields>();
    return std::make_unique<Window>(in, out, fields.row_words, fields.stages, circular_buffer(reader));
  }

  static std::unique_ptr<Component> selection(Port in, Port out, Reader& reader) {
    const auto fields = reader.fields<SelectionFields>();
    return std::make_unique<Selection>(in, out, reader.next(), fields.results, fields.stages);
  }

  static CircularBuffer::Shape circular_buffer(Reader& reader) {
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

  std::vector<std::unique_ptr<std::vector<Program::Step>>> programs_;
};

}  // namespace cycles
