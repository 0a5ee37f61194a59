// The components of a graph, and which stream is which bit.
//
// The streams are numbered as their layers are, so that the reader of stream k is mostly the layer of stream k + 1: a
// shift by one bit brings all of them what they read. `Link`s and `Join`s are the others.
#pragma once

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "bits.hpp"
#include "counters.hpp"
#include "graph.hpp"
#include "group.hpp"
#include "program.hpp"

namespace cycles {

// A layer with one input that is not the stream before its output.
struct Link {
  int64_t input, output;
};

// A layer with several inputs, of which a step reads all or one.
struct Join {
  std::vector<int64_t> inputs;
  int64_t output;
};

struct Fork {
  int64_t input;
  std::vector<int64_t> outputs;
};

struct Choice {
  int64_t input, output;
  Selection selection;
  bool leaves = false, changes = false;  // in this cycle
};

using Counter = std::variant<std::monostate, Window, Ring, Queue>;

class Wiring {
 public:
  // depths: of every FIFO in the order of the graph; 0 leaves it out.
  Wiring(const int64_t* graph, const int64_t* depths) {
    Reader reader(graph);
    wire.assign(reader.next(), -1);
    source_words = reader.next();
    const int64_t output = reader.next();
    sink_words = reader.next();
    wire[0] = add_stream(0);
    for (int64_t left = reader.next(); left > 0; --left) place(reader, depths);
    sink = wire[output];
    kinds(sink).sink |= bit(sink);
    for (const auto& [stream, count] : stages_) set_stages(stream, count);
    for (Group& at : groups) at.kinds.complete();
  }

  Group& group(int64_t k) { return groups[k >> 6]; }
  const Group& group(int64_t k) const { return groups[k >> 6]; }

  std::vector<Group> groups;
  std::vector<int64_t> wire;       // of every stream of the graph the bit of the one that carries its words
  std::vector<int64_t> streams;    // of every bit the stream of the graph
  std::vector<int64_t> fifos;      // bits of the outputs of FIFOs, -1 where one is left out
  std::vector<Program> programs;   // at the output
  std::vector<Counter> counters;   // at the output
  std::vector<Link> links;
  std::vector<Join> joins;
  std::vector<Fork> forks;
  std::vector<Choice> choices;
  int64_t source_words = 0, sink = 0, sink_words = 0;

 private:
  Kinds& kinds(int64_t k) { return group(k).kinds; }

  int64_t add_stream(int64_t stream) {
    const auto k = static_cast<int64_t>(streams.size());
    streams.push_back(stream);
    programs.push_back(Program({{1, 0, 0, 0, 0}}));
    counters.emplace_back();
    if ((k & 63) == 0) groups.emplace_back();
    return k;
  }

  void place(Reader& reader, const int64_t* depths) {
    const auto kind = static_cast<Kind>(reader.next());
    std::vector<int64_t> in = reader.counted(), out;
    for (int64_t& stream : in) stream = wire[stream];
    const std::vector<int64_t> outputs = reader.counted();
    if (kind == kQueue && depths[fifos.size()] == 0) {
      wire[outputs[0]] = in[0];
      fifos.push_back(-1);
      return;
    }
    for (const int64_t stream : outputs) out.push_back(wire[stream] = add_stream(stream));
    if (kind == kCopies) {
      forks.push_back({in[0], out});
      slice_input(in[0]);
      return;
    }
    if (in.size() > 1) {
      joins.push_back({in, out[0]});
    } else if (in[0] != out[0] - 1) {
      links.push_back({in[0], out[0]});
    }
    if (kind == kQueue) {
      place_fifo(out[0], depths[fifos.size()]);
    } else if (kind == kPipeline) {
      place_pipeline(in, out[0], reader);
    } else {
      place_counter(kind, in[0], out[0], reader);
    }
  }

  void place_fifo(int64_t out, int64_t depth) {
    fifos.push_back(out);
    if (depth > 2) {
      count(out, kinds(out).queue, Queue(depth));
    } else {
      kinds(out).fifo |= bit(out);
    }
  }

  void place_pipeline(const std::vector<int64_t>& in, int64_t out, Reader& reader) {
    const auto fields = reader.fields<PipelineFields>();
    Kinds& at = kinds(out);
    at.program |= bit(out);
    (fields.spaced ? at.spaced : fields.single ? at.single : at.slice) |= bit(out);
    if (fields.reads_ahead) at.ahead |= bit(out);
    for (const int64_t k : in) {
      if (!fields.direct) slice_input(k);
    }
    stages_.emplace_back(out, fields.stages);
    programs[out] = Program(read_program(reader));
  }

  void place_counter(Kind kind, int64_t in, int64_t out, Reader& reader) {
    switch (kind) {
      case kNarrow: return convert(out, kinds(out).narrow, reader.fields<NarrowFields>().units);
      case kWiden: return convert(out, kinds(out).widen, reader.fields<WidenFields>().units);
      case kRing: return count(out, kinds(out).ring, Ring(read_buffer(reader)));
      case kWindow: {
        const auto fields = reader.fields<WindowFields>();
        slice_input(in);
        stages_.emplace_back(out, fields.stages);
        return count(out, kinds(out).window, Window(fields.row_words, read_buffer(reader)));
      }
      default: {
        const auto fields = reader.fields<SelectionFields>();
        slice_input(in);
        kinds(out).selection |= bit(out);
        const int64_t words = reader.next();
        choices.push_back({in, out, Selection(words, fields.results, fields.stages)});
      }
    }
  }

  void slice_input(int64_t k) { kinds(k).input_slice |= bit(k); }

  void convert(int64_t out, Word& kind, int64_t units) {
    kind |= bit(out);
    group(out).left.repeat(out, units);
  }

  // A counter is visited in the first cycle.
  void count(int64_t out, Word& kind, Counter counter) {
    kind |= bit(out);
    group(out).again |= bit(out);
    counters[out] = std::move(counter);
  }

  void set_stages(int64_t k, int64_t count) {
    Group& at = group(k);
    if (count == 0) at.kinds.no_stage |= bit(k);
    if (count == 1) at.kinds.one_stage |= bit(k);
    while (static_cast<int64_t>(at.stages.size()) < count) at.stages.insert(at.stages.begin(), Stage{});
    if (count > 0) at.stages[at.stages.size() - static_cast<size_t>(count)].enter |= bit(k);
  }

  std::vector<std::pair<int64_t, int64_t>> stages_;
};

}  // namespace cycles
