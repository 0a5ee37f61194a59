// Flow control of the processes of HLS C++, clock cycle by clock cycle: which words pass which streams.
//
// Every process is one loop with an initiation interval of 1 in a pipeline of `depth` stages: an iteration reads when it
// enters and writes `depth` advances later, or, with a depth of 0, when it enters. A stream is a FIFO whose words and whose room show in the next cycle. A
// pipeline that stalls advances if the next iteration has its words and the oldest one its room; one that flushes
// advances without a new iteration too, as long as it holds any. A loop runs on from frame to frame, or is entered anew
// `gap` cycles after its pipeline is empty.
//
// A process is looked at only in cycles in which it could move a word; hls_model.py writes what is read here.

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <queue>
#include <utility>
#include <vector>

namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct Stream {
  int64_t depth = 0, held = 0, added = 0, taken = 0, most = 0;
  int reader = -1, writer = -1;
  bool touched = false;
};

struct Form {
  int64_t depth;
  bool flushes, runs_on;
  int64_t gap;
};

struct Process {
  std::vector<int> inputs, outputs;
  const uint32_t *reads, *writes;  // masks of the body
  const uint32_t* quiet;           // iterations from here on to the body's end that move no word
  int64_t body, times;

  int64_t at = 0, turn = 0;  // next iteration of the body, and turns of the body so far in this frame
  int64_t local = 0;         // advances of the pipeline
  int64_t last = 0;          // the cycle of the last look
  int64_t empty_at = -1;     // local time at which a pipeline that drains is empty; -1: it does not drain
  int64_t start = 0;         // the cycle from which on iterations may enter
  bool runs = false;         // the pipeline has advanced since the last look,
  bool enters = false;       // with iterations that move no word
  int64_t scheduled = -1;    // the cycle of the next look that is planned
  std::deque<std::pair<int64_t, uint32_t>> writing;  // local time and mask of the writes under way
};

class Network {
 public:
  Network(const int64_t* graph, const int64_t* depths, const uint32_t* masks, Form form) : form_(form) {
    const int64_t* next = graph;
    streams_.resize(*next++);
    processes_.resize(*next++);
    for (size_t k = 0; k < streams_.size(); ++k) streams_[k].depth = depths[k];
    for (size_t p = 0; p < processes_.size(); ++p) {
      Process& process = processes_[p];
      process.inputs.resize(*next++);
      for (int& input : process.inputs) streams_[input = int(*next++)].reader = int(p);
      process.outputs.resize(*next++);
      for (int& output : process.outputs) streams_[output = int(*next++)].writer = int(p);
      process.body = *next++;
      process.times = *next++;
      process.reads = masks + *next++;
      process.writes = masks + *next++;
      process.quiet = masks + *next++;
    }
  }

  // The source is the first process, and may not enter iteration k before cycle k * pace / words; the sink is the last.
  // Returns the number of frames that left before all processes waited for good.
  int64_t run(int64_t frames, int64_t pace, int64_t words, int64_t* ends) {
    pace_ = pace;
    words_ = words;
    for (size_t p = 0; p < processes_.size(); ++p) plan(int(p), 0);
    const Process& sink = processes_.back();
    const int64_t sink_words = sink.body * sink.times;
    int64_t cycle = 0;
    while (left_ < frames * sink_words) {
      std::vector<int> now;
      if (soon_.empty()) {
        if (later_.empty()) break;
        cycle = later_.top().first;
      } else {
        cycle = soon_at_;
        now.swap(soon_);
      }
      while (!later_.empty() && later_.top().first == cycle) {
        now.push_back(later_.top().second);
        later_.pop();
      }
      soon_at_ = cycle + 1;
      for (int p : now) {
        if (processes_[p].scheduled == cycle) {
          processes_[p].scheduled = -1;
          look(p, cycle);
        }
      }
      settle(cycle);
      while (done_ < frames && left_ >= (done_ + 1) * sink_words) ends[done_++] = cycle;
    }
    return done_;
  }

  int64_t first_read() const { return first_; }
  void report(int64_t* most, int64_t* held) const {
    for (size_t k = 0; k < streams_.size(); ++k) {
      most[k] = streams_[k].most;
      held[k] = streams_[k].held;
    }
  }

 private:
  void plan(int p, int64_t cycle) {
    Process& process = processes_[p];
    if (process.scheduled >= 0 && process.scheduled <= cycle) return;
    process.scheduled = cycle;
    if (cycle == soon_at_) {
      soon_.push_back(p);
    } else {
      later_.push({cycle, p});
    }
  }

  void touch(int k) {
    if (!streams_[k].touched) {
      streams_[k].touched = true;
      touched_.push_back(k);
    }
  }

  bool has_room(const Process& process, uint32_t mask) const {
    for (size_t k = 0; mask >> k; ++k) {
      if (mask >> k & 1 && streams_[process.outputs[k]].held >= streams_[process.outputs[k]].depth) return false;
    }
    return true;
  }

  bool has_words(const Process& process, uint32_t mask) const {
    for (size_t k = 0; mask >> k; ++k) {
      if (mask >> k & 1 && streams_[process.inputs[k]].held == 0) return false;
    }
    return true;
  }

  void look(int p, int64_t cycle) {
    Process& process = processes_[p];
    const int64_t passed = cycle - process.last;
    process.last = cycle;
    if (process.runs) process.local += passed;
    if (process.enters) process.at += passed;
    const bool entered = process.enters && passed > 0;
    process.runs = process.enters = false;
    if (wrap(process) && entered && !form_.runs_on) process.empty_at = process.local + form_.depth;
    if (process.empty_at >= 0 && process.local >= process.empty_at) {  // the next frame
      process.empty_at = -1;
      process.start = cycle + form_.gap;
    }
    const bool writes = !process.writing.empty() && process.writing.front().first <= process.local;
    if (writes && !has_room(process, process.writing.front().second)) return;  // woken by the reader

    const bool drains = process.empty_at >= 0;
    int64_t from = process.start;
    if (p == 0 && pace_ > 0) from = std::max(from, (source_ * pace_ + words_ - 1) / words_);
    const bool enters = !drains && cycle >= from && has_words(process, process.reads[process.at]) &&
                        (form_.depth > 0 || has_room(process, process.writes[process.at]));
    const bool holds = !process.writing.empty();
    const int64_t due = !enters && !drains && cycle < from ? from : kNever;
    if (!enters && !drains && !(form_.flushes && holds)) {  // woken by a writer, if not by time
      if (due != kNever) plan(p, due);
      return;
    }
    if (writes) {
      const uint32_t mask = process.writing.front().second;
      process.writing.pop_front();
      put(p, process, mask);
    }
    if (enters) enter(p, process, cycle);
    ++process.local;
    process.last = cycle + 1;
    process.runs = true;
    const int64_t quiet = quiet_cycles(process, enters);
    const int64_t next = std::min(due, quiet == kNever ? kNever : cycle + 1 + quiet);
    if (next != kNever) plan(p, next);
  }

  void put(int p, Process& process, uint32_t mask) {
    for (size_t k = 0; mask >> k; ++k) {
      if (mask >> k & 1) {
        ++streams_[process.outputs[k]].added;
        touch(process.outputs[k]);
      }
    }
    if (p + 1 == int(processes_.size())) ++left_;
  }

  void enter(int p, Process& process, int64_t cycle) {
    const uint32_t reads = process.reads[process.at], writes = process.writes[process.at];
    for (size_t k = 0; k < process.inputs.size(); ++k) {
      if (reads >> k & 1) {
        ++streams_[process.inputs[k]].taken;
        touch(process.inputs[k]);
      }
    }
    if (p == 0) {
      if (first_ < 0) first_ = cycle;
      ++source_;
    }
    if (writes && form_.depth > 0) process.writing.push_back({process.local + form_.depth, writes});
    if (writes && form_.depth == 0) put(p, process, writes);
    ++process.at;
    if (wrap(process) && !form_.runs_on) process.empty_at = process.local + form_.depth + 1;
  }

  // True if a frame's iterations have all entered.
  bool wrap(Process& process) const {
    if (process.at < process.body) return false;
    process.at = 0;
    process.turn = process.turn + 1 < process.times ? process.turn + 1 : 0;
    return process.turn == 0;
  }

  // For how many cycles from the next one on the process moves no word, if none comes; sets how it passes them.
  int64_t quiet_cycles(Process& process, bool entered) const {
    int64_t cycles = kNever;
    if (!process.writing.empty()) cycles = process.writing.front().first - process.local;
    if (process.empty_at >= 0) return std::min(cycles, process.empty_at - process.local);
    if (!entered) return cycles;  // bubbles, until a word comes
    const int64_t quiet = process.quiet[process.at];
    process.enters = quiet > 0;
    return std::min(cycles, quiet);
  }

  void settle(int64_t cycle) {
    for (int k : touched_) {
      Stream& stream = streams_[k];
      stream.touched = false;
      stream.held += stream.added - stream.taken;
      stream.most = std::max(stream.most, stream.held);
      const bool came = stream.added > 0, went = stream.taken > 0;
      stream.added = stream.taken = 0;
      if (came && stream.reader >= 0) wake(stream.reader, cycle + 1);
      if (went && stream.writer >= 0) wake(stream.writer, cycle + 1);
    }
    touched_.clear();
  }

  // A process that passes quiet cycles is not disturbed.
  void wake(int p, int64_t cycle) {
    if (!processes_[p].enters) plan(p, cycle);
  }

  Form form_;
  std::vector<Stream> streams_;
  std::vector<Process> processes_;
  std::vector<int> touched_, soon_;
  int64_t soon_at_ = 0;
  std::priority_queue<std::pair<int64_t, int>, std::vector<std::pair<int64_t, int>>, std::greater<>> later_;
  int64_t pace_ = 0, words_ = 1, source_ = 0, left_ = 0, done_ = 0, first_ = -1;
};

}  // namespace

// ends: (frames,) the cycle of every frame's last word; first: of the first word in; most, held: (streams,) words that
// were held at once, and at the end. Returns how many frames left.
extern "C" int64_t simulate(const int64_t* graph, const int64_t* depths, const uint32_t* masks, const int64_t* form,
                            int64_t frames, int64_t pace, int64_t words, int64_t* ends, int64_t* first, int64_t* most,
                            int64_t* held) {
  Network network(graph, depths, masks, Form{form[0], form[1] != 0, form[2] != 0, form[3]});
  const int64_t done = network.run(frames, pace, words, ends);
  *first = network.first_read();
  network.report(most, held);
  return done;
}
