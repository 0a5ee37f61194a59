// Runs frames through a Verilated model and records what passes its streams, cycle by cycle, or compares it as it comes.
//
//   harness JOB RESULT
//
// Both files hold little-endian 64-bit integers and raw stream words.
//   JOB     power_up source_stalls sink_stalls seed max_cycles idle_limit compares
//           per stream: words reset_after, then the words of a source, and of every stream if the run compares
//   RESULT  status, then per stream: count valid ready first wrong, number of words, words, number of cycles, cycles
// `words` is what a source sends, and what a sink or an inner stream (a tap) is waited for. A run that does not compare
// gives every word with its cycle. One that compares gives the number of the first word of a sink or tap that is another
// than the job's, -1 if there is none, and that word; cycles of sinks only. `first` is the cycle of the first word.
// While the model runs, RESULT holds the number of words that have passed all streams. A source that has
// delivered `reset_after` words (0: never) resets its group once, and the group starts again from its first word.
// Registers that no reset reaches power up with values drawn from `power_up`, from 1. A rule of AXI4-Stream that is
// broken ends the run; the checkers say on stdout which one.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "Vharness.h"
#include "coverage.hpp"
#include "job.hpp"
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

constexpr int kResetCycles = 1;  // all that a reset needs
constexpr int kDrainCycles = 64;  // after the last expected word: a surplus word must show
constexpr int kProgressCycles = 1024;

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
  const uint8_t* given = nullptr;  // words of a source, or those that must pass
  bool compares = false;

  int64_t count = 0;      // words passed since the reset
  int64_t first = -1;     // cycle of the first word
  int64_t wrong = -1;     // number of the first word that is another than the one given
  bool waits = false;     // valid and not ready in the cycle before
  std::vector<uint8_t> record;
  std::vector<int64_t> cycles;

  void restart() {
    count = 0;
    first = wrong = -1;
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
        if (*valid) std::memcpy(data, given + count * bytes, bytes);
      }
    } else if (side == Side::Sink) {
      *ready = !pauses.next(waits);
    }
  }

  // Notes what happens in the cycle; true if a word passes.
  bool sample(int64_t cycle) {
    waits = *valid && !*ready;
    if (!*valid || waits) return false;
    if (count == 0) first = cycle;
    const auto* word = static_cast<const uint8_t*>(data);
    const bool records = !compares && (side != Side::Tap || count < words);
    if (records || (compares && differs(word))) record.insert(record.end(), word, word + bytes);
    if (records || (compares && side == Side::Sink)) cycles.push_back(cycle);
    ++count;
    return true;
  }

  // Compares the word that passes; true for the first one that differs. Surplus words show in the count.
  bool differs(const uint8_t* word) {
    if (side == Side::Source || wrong >= 0 || count >= words) return false;
    if (std::memcmp(word, given + count * bytes, bytes) == 0) return false;
    wrong = count;
    return true;
  }

  bool finished() const { return count >= words; }
};

void write_integer(std::FILE* file, int64_t value) { std::fwrite(&value, sizeof value, 1, file); }

class Run {
 public:
  Run(VerilatedContext& context, Vharness& top, Job& job) : context_(context), top_(top) {
    const bool source_stalls = job.integer(), sink_stalls = job.integer();
    const uint64_t seed = job.integer();
    max_cycles_ = job.integer();
    idle_limit_ = job.integer();
    const bool compares = job.integer();
    for (const Binding& binding : bind_streams(top)) {
      const bool stalls = binding.side == Side::Source ? source_stalls : sink_stalls;
      Stream stream(binding, Pauses(stalls, seed * 0x10001 + streams_.size()));
      stream.words = job.integer();
      stream.reset_after = job.integer();
      stream.compares = compares;
      if (compares || binding.side == Side::Source) stream.given = job.bytes(stream.words * binding.bytes);
      if (!compares) {
        stream.record.reserve((stream.words + kDrainCycles) * binding.bytes);
        stream.cycles.reserve(stream.words + kDrainCycles);
      }
      streams_.push_back(std::move(stream));
    }
    resets_ = bind_resets(top);
    reset_left_.assign(resets_.size(), kResetCycles);
    was_reset_.assign(resets_.size(), false);
  }

  // progress: where the number of words that have passed is written from time to time.
  void execute(std::FILE* progress) {
    int64_t last_transfer = 0, drain = kDrainCycles;
    for (int64_t cycle = 0; cycle < max_cycles_; ++cycle) {
      if (step(cycle)) last_transfer = cycle;
      if (cycle % kProgressCycles == 0) tell(progress);
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
      write_integer(file, s.count);
      write_integer(file, *s.valid);
      write_integer(file, *s.ready);
      write_integer(file, s.first);
      write_integer(file, s.wrong);
      write_integer(file, s.record.size() / s.bytes);
      std::fwrite(s.record.data(), 1, s.record.size(), file);
      write_integer(file, s.cycles.size());
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
    for (size_t g = 0; g < resets_.size(); ++g) {
      was_reset_[g] = reset_left_[g] > 0;
      reset_left_[g] -= was_reset_[g];
    }
    request_resets();
    top_.clk = 1;
    top_.eval();
    return moved;
  }

  bool sample(int64_t cycle) {
    bool moved = false;
    for (Stream& s : streams_) {
      // The layers of a network are reset a cycle late: until then words between them are void.
      const bool late = s.side == Side::Tap && was_reset_[s.group];
      if (reset_left_[s.group] == 0 && !late) moved |= s.sample(cycle);
    }
    return moved;
  }

  void tell(std::FILE* file) const {
    int64_t words = 0;
    for (const Stream& s : streams_) words += s.count;
    std::rewind(file);
    write_integer(file, words);
    std::fflush(file);
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
  std::vector<bool> was_reset_;  // in the cycle before
  int64_t max_cycles_ = 0, idle_limit_ = 0;
  Status status_ = kDone;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: harness JOB RESULT\n");
    return 2;
  }
  Job job(argv[1]);
  std::FILE* result = std::fopen(argv[2], "wb");
  if (!job.whole() || !result) {
    std::perror("harness");
    return 2;
  }
  const auto context = std::make_unique<VerilatedContext>();
  context->fatalOnError(false);
  context->randReset(2);
  context->randSeed(int(job.integer()));
  const auto top = std::make_unique<Vharness>(context.get());
  Run run(*context, *top, job);
  if (!job.whole()) {
    std::fprintf(stderr, "harness: the job is cut off\n");
    return 2;
  }
  run.execute(result);
  std::rewind(result);
  run.write(result);
  top->final();
  write_coverage(*context);
  return std::fclose(result) == 0 ? 0 : 2;
}
