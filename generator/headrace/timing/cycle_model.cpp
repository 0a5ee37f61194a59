// Flow control of a dataflow, clock cycle by clock cycle: which words pass which streams, not what they hold.
//
// Every module of rtl_sim/rtl takes and gives its words through registers, most in slices of two words (skid.sv), so
// TVALID and TREADY of a stream depend on registers only. In each cycle the streams that are valid and ready transfer;
// then every component computes its next state from its own registers and its transfers, in any order. A component
// mirrors the registers of its module that decide when words move. One whose registers stand still sleeps until a
// stream of its moves or its counter runs out. cycle_model.py writes the graph that is read here and documents its
// layout.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

namespace {

using Integers = std::vector<int64_t>;

constexpr int kMostInputs = 8;
constexpr int64_t kForever = std::numeric_limits<int64_t>::max();

// A set of small numbers, one bit each.
using Bits = std::vector<uint64_t>;

void add(Bits& bits, int64_t k) { bits[k >> 6] |= uint64_t{1} << (k & 63); }
void remove(Bits& bits, int64_t k) { bits[k >> 6] &= ~(uint64_t{1} << (k & 63)); }
bool empty(const Bits& bits) {
  return std::all_of(bits.begin(), bits.end(), [](uint64_t word) { return word == 0; });
}

// Calls `visit` with every member in ascending order.
template <typename Visit>
void each(const Bits& bits, Visit visit) {
  for (size_t w = 0; w < bits.size(); ++w) {
    for (uint64_t word = bits[w]; word != 0; word &= word - 1) {
      visit(static_cast<int64_t>(w * 64) + __builtin_ctzll(word));
    }
  }
}

// All streams: `valid` is up to their producers, `ready` to their readers; `moves` is their conjunction in this cycle.
struct Streams {
  Bits valid, ready, moves;
};

// One side of a stream, as a component sees it.
class Port {
 public:
  Port() = default;
  Port(Bits& shown, const Bits& moves, int64_t k) : shown_(&shown[k >> 6]), moves_(&moves[k >> 6]), at_(k & 63) {}

  void show(bool value) { *shown_ = (*shown_ & ~(uint64_t{1} << at_)) | uint64_t{value} << at_; }
  bool moves() const { return *moves_ >> at_ & 1; }

 private:
  uint64_t* shown_ = nullptr;
  const uint64_t* moves_ = nullptr;
  int64_t at_ = 0;
};

// skid.sv: two words. `take`: a word comes in; `leave`: the word at the output is taken.
struct Skid {
  bool ready = false, valid = false, spare = false;

  // True if a register changes.
  bool step(bool take, bool leave) {
    const bool move = leave || !valid, was_ready = ready, was_valid = valid, was_spare = spare;
    if (move) valid = spare || take;
    spare = !move && (was_spare || take);
    ready = !spare;
    return ready != was_ready || valid != was_valid || spare != was_spare;
  }
  int64_t held() const { return int64_t{valid} + int64_t{spare}; }
  void save(Integers& state) const { state.push_back(ready | valid << 1 | spare << 2); }
};

// spaced_slice.sv: one word and the enable of the pipeline in front of it. `here`: a result stands at the input;
// `next`: one will after an enabled cycle; `leave`: the word at the output is taken.
struct SpacedSlice {
  bool enabled = false, full = false;

  // True if a register changes.
  bool step(bool here, bool next, bool leave) {
    const bool was_enabled = enabled, was_full = full;
    full = (was_enabled && here) || (was_full && !leave);
    enabled = !(full && (was_enabled ? next : here));
    return enabled != was_enabled || full != was_full;
  }
  void save(Integers& state) const { state.push_back(enabled | full << 1); }
};

class Component {
 public:
  virtual ~Component() = default;
  // One clock cycle. Returns for how many further ones nothing but a counter would move, if no stream does: 0 if
  // registers changed, kForever if none did.
  virtual int64_t step() = 0;
  // Shows the registers that are TVALID and TREADY.
  virtual void show() = 0;
  // Passes over `cycles` cycles in which only a counter moves.
  virtual void skip(int64_t) {}
  // Appends everything that decides what happens next.
  virtual void save(Integers& state) const = 0;
  // Most words that were held at once; of FIFOs.
  virtual int64_t most() const { return 0; }

  int64_t wake = 0;  // the cycle of the next step
  int64_t next = 0;  // the cycle after the last step
};

// Register stages behind one enable; the bits are words under way.
struct Stages {
  uint64_t words = 0;
  int count = 0;

  bool last(bool now) const { return count == 0 ? now : words >> (count - 1) & 1; }
  // What will be last after the next shift; without stages that is not known, and a word may come.
  bool last_but_one(bool now) const { return count == 0 || (count == 1 ? now : words >> (count - 2) & 1); }
  void shift(bool word) {
    if (count > 0) words = (words << 1 | (word ? 1 : 0)) & ((uint64_t{1} << count) - 1);
  }
};

// Runs through the steps of one frame over and over; loops nest.
class Program {
 public:
  struct Step {
    int64_t repeats, reads, writes, source, end;  // end > 0: the step is a loop, its body lies before `end`
  };

  explicit Program(const std::vector<Step>& steps) : steps_(steps) { enter(0); }

  const Step& now() const { return steps_[at_]; }
  int64_t left() const { return left_; }
  void skip(int64_t cycles) { left_ -= cycles; }

  void next() {
    if (--left_ > 0) return;
    size_t following = at_ + 1;
    while (!loops_.empty() && following == loops_.back().end) {
      if (--loops_.back().left > 0) {
        following = loops_.back().start;
      } else {
        loops_.pop_back();
      }
    }
    enter(following == steps_.size() ? 0 : following);
  }

  void save(Integers& state) const {
    state.insert(state.end(), {static_cast<int64_t>(at_), left_});
    for (const Level& level : loops_) state.push_back(level.left);
  }

 private:
  struct Level {
    size_t start, end;
    int64_t left;
  };

  void enter(size_t at) {
    for (; steps_[at].end > 0; ++at) {
      loops_.push_back({at + 1, static_cast<size_t>(steps_[at].end), steps_[at].repeats});
    }
    at_ = at;
    left_ = steps_[at].repeats;
  }

  const std::vector<Step>& steps_;
  std::vector<Level> loops_;
  size_t at_ = 0;
  int64_t left_ = 0;
};

// An output register of one word, which is filled in the cycle in which its word is taken.
struct Register {
  bool full = false;

  bool free(bool leave) const { return leave || !full; }
  // True if it changes.
  bool step(bool take, bool leave) {
    const bool was = full;
    if (free(leave)) full = take;
    return full != was;
  }
};

// Input slices (none if `direct`), a program of reads and writes, stages behind one enable, an output slice for results
// that may follow each other directly or, if `spaced`, never do, or (`single`) a register.
class Pipeline : public Component {
 public:
  struct Form {
    bool reads_ahead, direct, spaced, single;
  };

  Pipeline(const std::vector<Port>& in, Port out, int stages, Form form, const std::vector<Program::Step>& steps)
      : inputs_(static_cast<int>(in.size())), out_(out), form_(form), program_(steps) {
    std::copy(in.begin(), in.end(), in_);
    stages_.count = stages;
  }

  void show() override {
    for (int k = 0; k < inputs_; ++k) in_[k].show(form_.direct ? is_enabled(false) : slices_[k].ready);
    out_.show(form_.spaced ? spaced_.full : form_.single ? register_.full : slice_.valid);
  }

  int64_t step() override {
    const Program::Step& now = program_.now();
    const bool reads = now.reads, idles = !now.reads && !now.writes;
    const int64_t source = now.source;
    bool there = true;
    for (int k = 0; reads && k < inputs_; ++k) there = there && ((source >= 0 && source != k) || there_at(k));
    const bool enabled = is_enabled(out_.moves());
    const bool writes = there && now.writes;
    const bool fires = there && (enabled || (form_.reads_ahead && !now.writes));
    bool changes = fires && !idles;
    changes |= form_.spaced ? spaced_.step(stages_.last(writes), stages_.last_but_one(writes), out_.moves())
               : form_.single ? register_.step(stages_.last(writes), out_.moves())
                              : slice_.step(stages_.last(writes) && enabled, out_.moves());
    for (int k = 0; !form_.direct && k < inputs_; ++k) {
      changes |= slices_[k].step(in_[k].moves(), fires && reads && (source < 0 || source == k));
    }
    if (enabled) {
      changes |= stages_.words != 0;
      stages_.shift(writes);
    }
    const int64_t idle = std::max<int64_t>(program_.left() - 2, 0);  // the step's last cycle is not passed over
    if (fires) program_.next();
    return changes ? 0 : fires ? idle : kForever;
  }

  void skip(int64_t cycles) override {
    const Program::Step& now = program_.now();
    if (is_enabled(false) && !now.reads && !now.writes) program_.skip(cycles);
  }

  void save(Integers& state) const override {
    for (int k = 0; k < inputs_; ++k) slices_[k].save(state);
    slice_.save(state);
    spaced_.save(state);
    state.insert(state.end(), {register_.full, static_cast<int64_t>(stages_.words)});
    program_.save(state);
  }

 private:
  // leaves: the word at the output is taken.
  bool is_enabled(bool leaves) const {
    return form_.spaced ? spaced_.enabled : form_.single ? register_.free(leaves) : slice_.ready;
  }
  bool there_at(int k) const { return form_.direct ? in_[k].moves() : slices_[k].valid; }

  int inputs_;
  Port in_[kMostInputs];
  Port out_;
  Skid slices_[kMostInputs];
  Skid slice_;
  SpacedSlice spaced_;
  Register register_;
  Stages stages_;
  Form form_;
  Program program_;
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

// A sliding window with slices, which releases whole rows (parallel_swu.sv).
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
    const bool take = taker_.valid && buffer_.has_room(buffer_.taken() - taken_in_row_);
    const bool enabled = giver_.ready;
    const bool emit = enabled && buffer_.has_next();
    bool changes = take || emit || (enabled && stages_.words != 0);
    changes |= giver_.step(stages_.last(emit) && enabled, out_.moves());
    changes |= taker_.step(in_.moves(), take);
    if (buffer_.starts_window()) changes |= buffer_.release();
    if (enabled) stages_.shift(emit);
    if (take) {
      buffer_.take();
      if (++taken_in_row_ == row_) taken_in_row_ = 0;
    }
    if (emit) buffer_.advance();
    return changes ? 0 : kForever;
  }

  void save(Integers& state) const override {
    taker_.save(state);
    giver_.save(state);
    buffer_.save(state);
    state.insert(state.end(), {static_cast<int64_t>(stages_.words), taken_in_row_});
  }

 private:
  Port in_, out_;
  int64_t row_, taken_in_row_ = 0;
  CircularBuffer buffer_;
  Skid taker_, giver_;
  Stages stages_;
};

// A sliding window without slices: words go into the buffer as they come, its read register is the output (swu.sv).
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

// A slice of two words, of which every branch takes the first at its own time (fork.sv).
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

// dwc.sv where a word becomes `units` words: the output register, and behind it what is left of the word.
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

// dwc.sv where `units` words become one: the last completes it in the output register, which is then known to be free.
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

// fifo.sv with a memory: a memory of `depth` words, its read register is the output.
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

// fifo.sv without a memory.
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

// Reads a frame, then gives `results` words while the next frame is read (label_select.sv).
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

enum Kind : int64_t { kPipeline, kWindow, kCopies, kQueue, kSelection, kRing, kNarrow, kWiden };

// Reads the graph: whole numbers one after the other.
class Reader {
 public:
  explicit Reader(const int64_t* at) : at_(at) {}
  int64_t next() { return *at_++; }
  const int64_t* block(int64_t count) {
    at_ += count;
    return at_ - count;
  }

 private:
  const int64_t* at_;
};

class Network {
 public:
  // depths: of every FIFO in the order of the graph; 0 leaves it out.
  Network(const int64_t* graph, const int64_t* depths) {
    Reader reader(graph);
    const int64_t streams = reader.next();
    for (int64_t k = 0; k < streams; ++k) wire_.push_back(k);
    words_.resize(streams);
    ends_.assign(streams, {-1, -1});
    streams_.valid = streams_.ready = streams_.moves = Bits((streams + 63) / 64);
    source_words_ = reader.next();
    sink_ = reader.next();
    sink_words_ = reader.next();
    const int64_t components = reader.next();
    for (int64_t k = 0; k < components; ++k) add_component(reader, depths);
    sink_ = wire_[sink_];
    awake_ = Bits((components_.size() + 63) / 64);
    for (size_t k = 0; k < components_.size(); ++k) add(awake_, static_cast<int64_t>(k));
  }

  // Runs until `frames` frames have left. Returns the frames that have, fewer in a deadlock. ends: the cycle of every
  // frame's last word. traces: the cycle of every word of every stream, room for all of its words, or null.
  // repeats: stop earlier where the state at a frame's end was there before; period[0] frames and period[1] cycles ago.
  int64_t run(int64_t frames, bool repeats, int64_t* ends, int64_t* const* traces, int64_t* period) {
    std::vector<Integers> states;
    const int64_t supply = repeats ? kForever : frames * source_words_;
    int64_t done = 0;
    add(streams_.valid, 0);
    add(streams_.ready, sink_);
    for (int64_t cycle = 0; done < frames; ++cycle) {
      if (words_[0] == supply) remove(streams_.valid, 0);
      const int64_t before = words_[sink_];
      transfer(cycle, traces);
      step(cycle);
      if (empty(awake_) && empty(streams_.moves)) {
        if (alarm_ == kForever) return done;
        cycle = alarm_ - 1;
      }
      if (words_[sink_] != before && words_[sink_] % sink_words_ == 0) {
        ends[done++] = cycle;
        if (repeats && recurs(states, ends, done, period)) return done;
      }
    }
    return done;
  }

  void report(int64_t* first_cycle, int64_t* most, int64_t* waits) const {
    *first_cycle = first_cycle_;
    for (size_t k = 0; k < fifos_.size(); ++k) most[k] = fifos_[k] < 0 ? 0 : components_[fifos_[k]]->most();
    for (size_t k = 0; k < wire_.size(); ++k) {
      const int64_t wire = wire_[k];
      const bool valid = streams_.valid[wire >> 6] >> (wire & 63) & 1;
      const bool ready = streams_.ready[wire >> 6] >> (wire & 63) & 1;
      waits[k] = valid ? ready ? 0 : 1 : ready ? 2 : 3;
    }
  }

 private:
  struct Ends {
    int64_t producer, reader;  // components, -1 outside
  };

  void add_component(Reader& reader, const int64_t* depths) {
    const auto kind = static_cast<Kind>(reader.next());
    std::vector<int64_t> in, out;
    for (int64_t k = reader.next(); k > 0; --k) in.push_back(wire_[reader.next()]);
    for (int64_t k = reader.next(); k > 0; --k) out.push_back(reader.next());
    const int64_t depth = kind == kQueue ? depths[fifos_.size()] : 0;
    if (kind == kQueue && depth == 0) {
      wire_[out[0]] = in[0];
      fifos_.push_back(-1);
      return;
    }
    const auto index = static_cast<int64_t>(components_.size());
    std::vector<Port> inputs, outputs;
    for (const int64_t k : in) {
      inputs.emplace_back(streams_.ready, streams_.moves, k);
      ends_[k].reader = index;
    }
    for (const int64_t k : out) {
      outputs.emplace_back(streams_.valid, streams_.moves, k);
      ends_[k].producer = index;
    }
    if (kind == kQueue) fifos_.push_back(index);
    components_.push_back(component(kind, inputs, outputs, depth, reader));
  }

  std::unique_ptr<Component> component(Kind kind, const std::vector<Port>& in, const std::vector<Port>& out,
                                       int64_t depth, Reader& reader) {
    if (kind == kQueue && depth > 2) return std::make_unique<Queue>(in[0], out[0], depth);
    if (kind == kQueue) return std::make_unique<Slice>(in[0], out[0]);
    if (kind == kCopies) return std::make_unique<Copies>(in[0], out);
    if (kind == kNarrow) return std::make_unique<Narrow>(in[0], out[0], reader.next());
    if (kind == kWiden) return std::make_unique<Widen>(in[0], out[0], reader.next());
    if (kind == kWindow) {
      const int64_t row = reader.next(), window_stages = reader.next();
      return std::make_unique<Window>(in[0], out[0], row, window_stages, circular_buffer(reader));
    }
    if (kind == kRing) return std::make_unique<Ring>(in[0], out[0], circular_buffer(reader));
    if (kind == kSelection) {
      const int64_t words = reader.next(), results = reader.next();
      return std::make_unique<Selection>(in[0], out[0], words, results, reader.next());
    }
    const int64_t stages = reader.next();
    Pipeline::Form form{};
    form.reads_ahead = reader.next() != 0;
    form.direct = reader.next() != 0;
    form.spaced = reader.next() != 0;
    form.single = reader.next() != 0;
    const int64_t steps = reader.next();
    auto program = std::make_unique<std::vector<Program::Step>>();
    for (int64_t k = 0; k < steps; ++k) {
      const int64_t* step = reader.block(5);
      program->push_back({step[0], step[1], step[2], step[3], step[4]});
    }
    programs_.push_back(std::move(program));
    return std::make_unique<Pipeline>(in, out[0], static_cast<int>(stages), form, *programs_.back());
  }

  static CircularBuffer::Shape circular_buffer(Reader& reader) {
    CircularBuffer::Shape shape{};
    shape.words = reader.next();
    shape.depth = reader.next();
    shape.overlaps = reader.next();
    shape.taps = reader.next();
    shape.windows = reader.next();
    shape.needed = reader.block(shape.taps * shape.windows);
    shape.kept = reader.block(shape.windows);
    return shape;
  }

  // Moves the words of this cycle, which wakes the components on either side.
  void transfer(int64_t cycle, int64_t* const* traces) {
    for (size_t w = 0; w < streams_.moves.size(); ++w) streams_.moves[w] = streams_.valid[w] & streams_.ready[w];
    each(streams_.moves, [&](int64_t k) {
      const Ends& ends = ends_[k];
      if (ends.producer >= 0) add(awake_, ends.producer);
      if (ends.reader >= 0) add(awake_, ends.reader);
      if (traces != nullptr) traces[k][words_[k]] = cycle;
      if (k == 0 && words_[k] == 0) first_cycle_ = cycle;
      ++words_[k];
    });
  }

  // Steps the components that are awake.
  void step(int64_t cycle) {
    if (alarm_ <= cycle) {
      alarm_ = kForever;
      for (size_t k = 0; k < components_.size(); ++k) {
        if (components_[k]->wake <= cycle) add(awake_, static_cast<int64_t>(k));
        else alarm_ = std::min(alarm_, components_[k]->wake);
      }
    }
    each(awake_, [&](int64_t k) {
      Component& component = *components_[k];
      if (component.next < cycle) component.skip(cycle - component.next);
      const int64_t quiet = component.step();
      component.show();
      component.next = cycle + 1;
      component.wake = quiet == kForever ? kForever : cycle + 1 + quiet;
      if (quiet == 0) return;
      remove(awake_, k);
      alarm_ = std::min(alarm_, component.wake);
    });
  }

  // Has this state, at the end of frame number `done`, been there before?
  bool recurs(std::vector<Integers>& states, const int64_t* ends, int64_t done, int64_t* period) const {
    Integers state;
    for (const auto& component : components_) component->save(state);
    for (const auto& component : components_) {  // a sleeping counter stands where it fell asleep
      state.push_back(component->wake == kForever ? 0 : component->next - ends[done - 1]);
    }
    for (auto before = states.rbegin(); before != states.rend(); ++before) {
      if (*before != state) continue;
      period[0] = before - states.rbegin() + 1;
      period[1] = ends[done - 1] - ends[done - 1 - period[0]];
      return true;
    }
    states.push_back(std::move(state));
    return false;
  }

  std::vector<int64_t> wire_;   // for every stream of the graph the one that carries its words
  std::vector<int64_t> words_;  // passed on every stream
  std::vector<Ends> ends_;      // of every stream
  Streams streams_;
  std::vector<std::unique_ptr<std::vector<Program::Step>>> programs_;
  std::vector<std::unique_ptr<Component>> components_;
  std::vector<int64_t> fifos_;  // components of the FIFOs, -1 where one is left out
  Bits awake_;                  // components that step
  int64_t alarm_ = kForever;    // when the first sleeping counter runs out, or before
  int64_t source_words_ = 0, sink_ = 0, sink_words_ = 0, first_cycle_ = 0;
};

}  // namespace

extern "C" int64_t simulate(const int64_t* graph, const int64_t* depths, int64_t frames, int64_t repeats, int64_t* ends,
                            int64_t* const* traces, int64_t* period, int64_t* first_cycle, int64_t* most,
                            int64_t* waits) {
  Network network(graph, depths);
  const int64_t done = network.run(frames, repeats != 0, ends, traces, period);
  network.report(first_cycle, most, waits);
  return done;
}
