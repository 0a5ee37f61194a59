// Runs frames through a Verilated model and records what passes its streams, cycle by cycle.
//
//   harness JOB RESULT
//
// Both files hold little-endian 64-bit integers and raw stream words.
//   JOB     power_up source_stalls sink_stalls seed max_cycles idle_limit
//           per stream: words reset_after, and for a source the words themselves
//   RESULT  status, then per stream: count valid ready, the words, the cycle of each word
// `words` is what a source sends, and what a sink or an inner stream (a tap) is waited for. A source that has
// delivered `reset_after` words (0: never) resets its group once, and the group starts again from its first word.
// Registers that no reset reaches power up with values drawn from `power_up`, from 1. A rule of AXI4-Stream that is
// broken ends the run; the checkers say on stdout which one.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "Vharness.h"
#include "random.hpp"
#include "verilated.h"

enum class Side { Source, Sink, Tap };
enum Status : int64_t { kDone = 0, kIdle = 1, kBroken = 2, kTooLong = 3 };

// A stream of the model; data points to `bytes` bytes of a port in Verilator's little-endian storage.
struct Binding {
  Side side;
  int group;
  int bytes;
  void* data;
  uint8_t* valid;
  uint8_t* ready;
};

#include "streams.hpp"

namespace {

constexpr int kResetCycles = 4;
constexpr int kDrainCycles = 64;  // after the last expected word: a surplus word must show

// Alternating runs of going and pausing, mostly short, at times long enough to fill or empty every buffer near by. In
// every other run of going a sink is wary: it takes a word only after it has seen it wait, as AXI4-Stream allows.
class Pauses {
 public:
  Pauses(bool enabled, uint64_t seed) : enabled_(enabled), random_(seed) {}

  bool next() {
    if (!enabled_) return false;
    if (left_ == 0) {
      const uint64_t r = random_.next();
      pausing_ = !pausing_;
      wary_ = !pausing_ && (r >> 16 & 1);
      left_ = 1 + (r & 3) + ((r >> 8 & 15) == 0 ? 24 : 0);
    }
    --left_;
    return pausing_;
  }

  // The same for a sink at whose stream a word waits or not; a wary run lasts as many words.
  bool next(bool word_waits) {
    if (left_ > 0 && wary_ && !word_waits) return true;
    const bool pauses = next();
    return pauses || (wary_ && !word_waits);
  }

 private:
  bool enabled_;
  Random random_;
  bool pausing_ = false, wary_ = false;
  uint64_t left_ = 0;
};

struct Stream : Binding {
  Stream(const Binding& binding, Pauses p) : Binding(binding), pauses(p) {}

  Pauses pauses;
  int64_t words = 0;
  int64_t reset_after = 0;
  std::vector<uint8_t> payload;  // of a source

  int64_t count = 0;      // words passed since the reset
  bool waits = false;     // valid and not ready in the cycle before
  std::vector<uint8_t> record;
  std::vector<int64_t> cycles;

  void restart() {
    count = 0;
    waits = false;
    record.clear();
    cycles.clear();
  }

  // Sets this side's inputs for the coming cycle. A source that waits keeps its word.
  void drive(bool in_reset) {
    if (side == Side::Source) {
      if (in_reset) {
        *valid = 0;
      } else if (!waits) {
        *valid = count < words && !pauses.next();
        if (*valid) std::memcpy(data, &payload[count * bytes], bytes);
      }
    } else if (side == Side::Sink) {
      *ready = !pauses.next(waits);
    }
  }

  // Notes what happens in the cycle; true if a word passes.
  bool sample(int64_t cycle) {
    waits = *valid && !*ready;
    if (!*valid || waits) return false;
    if (side != Side::Tap || count < words) {
      const auto* first = static_cast<const uint8_t*>(data);
      record.insert(record.end(), first, first + bytes);
      cycles.push_back(cycle);
    }
    ++count;
    return true;
  }

  bool finished() const { return count >= words; }
};

int64_t read_integer(std::FILE* file) {
  int64_t value = 0;
  if (std::fread(&value, sizeof value, 1, file) != 1) value = 0;
  return value;
}

void write_integer(std::FILE* file, int64_t value) { std::fwrite(&value, sizeof value, 1, file); }

class Run {
 public:
  Run(VerilatedContext& context, Vharness& top, std::FILE* job) : context_(context), top_(top) {
    const bool source_stalls = read_integer(job), sink_stalls = read_integer(job);
    const uint64_t seed = read_integer(job);
    max_cycles_ = read_integer(job);
    idle_limit_ = read_integer(job);
    for (const Binding& binding : bind_streams(top)) {
      const bool stalls = binding.side == Side::Source ? source_stalls : sink_stalls;
      Stream stream(binding, Pauses(stalls, seed * 0x10001 + streams_.size()));
      stream.words = read_integer(job);
      stream.reset_after = read_integer(job);
      if (binding.side == Side::Source) {
        stream.payload.resize(stream.words * binding.bytes);
        if (std::fread(stream.payload.data(), 1, stream.payload.size(), job) != stream.payload.size()) {
          std::perror("job");
        }
      }
      stream.record.reserve((stream.words + kDrainCycles) * binding.bytes);
      stream.cycles.reserve(stream.words + kDrainCycles);
      streams_.push_back(std::move(stream));
    }
    resets_ = bind_resets(top);
    reset_left_.assign(resets_.size(), kResetCycles);
  }

  void execute() {
    int64_t last_transfer = 0, drain = kDrainCycles;
    for (int64_t cycle = 0; cycle < max_cycles_; ++cycle) {
      if (step(cycle)) last_transfer = cycle;
      if (context_.gotError()) {
        status_ = kBroken;
        return;
      }
      if (finished()) {
        if (--drain == 0) return;
      } else if (cycle - last_transfer > idle_limit_) {
        status_ = kIdle;
        return;
      }
    }
    status_ = kTooLong;
  }

  void write(std::FILE* file) const {
    write_integer(file, status_);
    for (const Stream& s : streams_) {
      write_integer(file, s.cycles.size());
      write_integer(file, *s.valid);
      write_integer(file, *s.ready);
      std::fwrite(s.record.data(), 1, s.record.size(), file);
      std::fwrite(s.cycles.data(), sizeof(int64_t), s.cycles.size(), file);
    }
  }

 private:
  // One clock cycle; true if a word passed anywhere.
  bool step(int64_t cycle) {
    for (size_t g = 0; g < resets_.size(); ++g) *resets_[g] = reset_left_[g] == 0;
    for (Stream& s : streams_) s.drive(reset_left_[s.group] > 0);
    top_.clk = 0;
    top_.eval();
    const bool moved = sample(cycle);
    for (int& left : reset_left_) left -= left > 0;
    request_resets();
    top_.clk = 1;
    top_.eval();
    return moved;
  }

  bool sample(int64_t cycle) {
    bool moved = false;
    for (Stream& s : streams_) {
      if (reset_left_[s.group] == 0) moved |= s.sample(cycle);
    }
    return moved;
  }

  void request_resets() {
    for (Stream& s : streams_) {
      if (s.side != Side::Source || s.reset_after == 0 || s.count < s.reset_after) continue;
      s.reset_after = 0;
      reset_left_[s.group] = kResetCycles;
      for (Stream& other : streams_) {
        if (other.group == s.group) other.restart();
      }
    }
  }

  bool finished() const {
    for (const Stream& s : streams_) {
      if (!s.finished()) return false;
    }
    return true;
  }

  VerilatedContext& context_;
  Vharness& top_;
  std::vector<Stream> streams_;
  std::vector<uint8_t*> resets_;
  std::vector<int> reset_left_;
  int64_t max_cycles_ = 0, idle_limit_ = 0;
  Status status_ = kDone;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: harness JOB RESULT\n");
    return 2;
  }
  std::FILE* job = std::fopen(argv[1], "rb");
  std::FILE* result = std::fopen(argv[2], "wb");
  if (!job || !result) {
    std::perror("harness");
    return 2;
  }
  const auto context = std::make_unique<VerilatedContext>();
  context->fatalOnError(false);
  context->randReset(2);
  context->randSeed(int(read_integer(job)));
  const auto top = std::make_unique<Vharness>(context.get());
  Run run(*context, *top, job);
  run.execute();
  run.write(result);
  top->final();
  return std::fclose(result) == 0 ? 0 : 2;
}
