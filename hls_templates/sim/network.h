// The accelerator as a network of processes for simulation with g++: every process runs until a stream that it reads is
// empty or one that it writes is full, and then waits, while streams hold as many words as their directives say. Such a
// network stops for good if, and only if, no order of the processes' steps gets it to its end.
//
// With `stages` the processes are pipelines of so many stages that stall: what an iteration writes leaves when the
// iteration `stages` behind it has read, and what is under way at the end of a frame leaves then, for every frame is a
// call of its own. Without, a word leaves at once: of all pipelines that flush the one that holds least.
//
// Processes are coroutines on one thread, so that a run is the same every time. Every word that passes a stream between
// processes is compared with the one that is expected, or recorded where none are given; what every process reads and
// writes in each of its first iterations is recorded.
#ifndef HEADRACE_SIM_NETWORK_H
#define HEADRACE_SIM_NETWORK_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace hls {
namespace sim {

// Marks in a process' record: an iteration begins; else the number of a stream, with the top bit for a write.
typedef uint16_t Mark;
constexpr Mark ITERATION = 0xFFFF;
constexpr Mark WRITE     = 0x8000;

constexpr size_t NONE = ~size_t(0);

constexpr size_t STACK_BYTES = size_t(1) << 26;  // of address space

constexpr size_t EXPECTED_WORDS = 4096;  // of a stream that are read at once

class Process;

// Bytes of the file of what is expected.
inline void read_expected(void* bytes, size_t count, uint64_t at);

// What is known of a stream beside its words.
struct Channel {
  std::string name;
  size_t depth     = 0;  // 0: any number of words
  size_t held      = 0;
  int word_bytes   = 0;
  int number       = -1;
  Process* waiting = nullptr;

  bool recorded         = true;   // its words, where none are expected
  bool compared         = false;
  uint64_t expected_at  = 0;      // in the file
  size_t expected_words = 0;
  size_t passed         = 0;
  size_t wrong          = NONE;   // number of the first word that is another than expected
  std::vector<uint8_t> expected;  // the next of them
  std::vector<uint8_t> words;     // those that are recorded, or the wrong one

  void pass(const uint8_t* word) {
    const size_t number = passed++;
    if (recorded) {
      words.insert(words.end(), word, word + word_bytes);
    } else if (compared && wrong == NONE && !is_right(number, word)) {
      wrong = number;
      words.assign(word, word + word_bytes);
    }
  }

 private:
  bool is_right(size_t number, const uint8_t* word) {
    if (number >= expected_words) return false;
    const size_t next = number % EXPECTED_WORDS, left = expected_words - number;
    if (next == 0) {
      expected.resize((left < EXPECTED_WORDS ? left : EXPECTED_WORDS) * word_bytes);
      read_expected(expected.data(), expected.size(), expected_at + uint64_t(number) * word_bytes);
    }
    return memcmp(&expected[next * word_bytes], word, word_bytes) == 0;
  }
};

class Process {
 public:
  Process(const char* name, std::function<void()> body) : name_(name), body_(body) {}

  // Runs until it has to wait or ends.
  void resume();
  // Back to the network until a word or room comes.
  void wait(Channel& channel, bool full);

  const std::string& name() const { return name_; }
  bool done() const { return done_; }
  const Channel* channel() const { return channel_; }
  bool needs_room() const { return full_; }
  const std::vector<Mark>& marks() const { return marks_; }

  void mark(Mark mark, size_t iterations) {
    if (iterations_ <= iterations) marks_.push_back(mark);
  }

  // An iteration begins; the one before has read all that it reads.
  void iterate() {
    leave(iterations_);
    ++iterations_;
  }
  // Writes when the iteration `stages` behind this one has read.
  void write_later(size_t stages, std::function<void()> write) {
    leave(iterations_);
    late_.push_back(std::make_pair(iterations_ + stages, write));
  }

 private:
  static void enter();

  // Writes what is due when iteration `now` has read.
  void leave(size_t now) {
    while (!late_.empty() && late_.front().first <= now) {
      late_.front().second();
      late_.pop_front();
    }
  }

  std::string name_;
  std::function<void()> body_;
  ucontext_t context_;
  jmp_buf here_;
  bool started_     = false;
  bool done_        = false;
  bool full_        = false;
  Channel* channel_ = nullptr;
  size_t iterations_ = 0;
  std::deque<std::pair<size_t, std::function<void()> > > late_;  // writes under way, and when they are due
  std::vector<Mark> marks_;
};

struct Network {
  std::vector<Process*> processes;
  std::vector<Channel*> channels;
  std::vector<Process*> ready;
  Process* current = nullptr;
  ucontext_t context;
  jmp_buf here;
  size_t recorded_iterations = 0;
  size_t stages = 0;  // of pipelines that stall
  long calls    = 1;  // of every process
  FILE* expected = nullptr;  // what the streams carry
  uint64_t expected_at = 0;  // of those that are still to be declared
};

inline Network& network() {
  static Network the_network;
  return the_network;
}

inline void Process::enter() {
  Process* self = network().current;
  for (long call = 0; call < network().calls; ++call) {
    self->body_();
    self->leave(~size_t(0));
  }
  self->done_ = true;
  _longjmp(network().here, 1);
}

inline void Process::resume() {
  Network& net = network();
  net.current = this;
  channel_ = nullptr;
  if (_setjmp(net.here) == 0) {
    if (started_) _longjmp(here_, 1);
    started_ = true;
    void* stack = mmap(nullptr, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) {
      fprintf(stderr, "no memory for the stacks of the processes\n");
      exit(4);
    }
    getcontext(&context_);
    context_.uc_stack.ss_sp   = stack;
    context_.uc_stack.ss_size = STACK_BYTES;
    context_.uc_link          = nullptr;
    makecontext(&context_, &Process::enter, 0);
    setcontext(&context_);
  }
  net.current = nullptr;
}

inline void Process::wait(Channel& channel, bool full) {
  channel_ = &channel;
  full_ = full;
  channel.waiting = this;
  if (_setjmp(here_) == 0) _longjmp(network().here, 1);
}

// What a stream calls.

inline void wait_for(Channel& channel, bool full) {
  if (network().current != nullptr) return network().current->wait(channel, full);
  fprintf(stderr, "csim: read from an empty stream\n");
  exit(3);
}

inline void moved(Channel& channel, bool write) {
  Network& net = network();
  if (channel.waiting != nullptr) {
    net.ready.push_back(channel.waiting);
    channel.waiting = nullptr;
  }
  if (net.current != nullptr && channel.number >= 0) {
    net.current->mark(Mark(channel.number) | (write ? WRITE : Mark(0)), net.recorded_iterations);
  }
}

// What the kernels call before every iteration.
inline void iteration() {
  if (network().current == nullptr) return;
  network().current->iterate();
  network().current->mark(ITERATION, network().recorded_iterations);
}

// Puts a word now, or later if the writer is a pipeline that stalls.
template <typename Write>
void write(Write write) {
  if (network().current == nullptr || network().stages == 0) return write();
  network().current->write_later(network().stages, write);
}

// Says how many frames there are; returns how many a call of a process takes.
inline long set_frames(long frames) {
  network().calls = network().stages > 0 ? frames : 1;
  return frames / network().calls;
}

// What the accelerator calls.

// Takes what is expected of a file: for every stream, as they are declared, bytes per word, number of words, the words.
// No bytes: nothing is expected.
inline void expect(const char* path) {
  network().expected = fopen(path, "rb");
  if (network().expected == NULL) exit(4);
}

inline void read_expected(void* bytes, size_t count, uint64_t at) {
  if (pread(fileno(network().expected), bytes, count, off_t(at)) == ssize_t(count)) return;
  fprintf(stderr, "the file of expected words ends too early\n");
  exit(4);
}

inline void expect(Channel& channel) {
  uint64_t head[2];
  read_expected(head, sizeof head, network().expected_at);
  channel.recorded = false;
  channel.compared = head[0] > 0;
  channel.expected_words = size_t(head[1]);
  channel.expected_at = network().expected_at + sizeof head;
  network().expected_at = channel.expected_at + head[0] * head[1];
  if (!channel.compared || head[0] == uint64_t(channel.word_bytes)) return;
  fprintf(stderr, "csim: words of %s have %d bytes instead of %d\n", channel.name.c_str(), channel.word_bytes,
          int(head[0]));
  exit(3);
}

inline void declare(Channel& channel, const char* name, size_t depth) {
  channel.name = name;
  if (network().expected != nullptr) expect(channel);
  channel.depth = depth;
  channel.number = int(network().channels.size());
  network().channels.push_back(&channel);
}

inline void process(const char* name, std::function<void()> body) {
  network().processes.push_back(new Process(name, body));
}

// Says who waits for what, and ends the program.
[[noreturn]] inline void stop() {
  fprintf(stderr, "csim: the accelerator stops for good:");
  const char* comma = "";
  for (const Process* process : network().processes) {
    if (process->done() || process->channel() == nullptr) continue;
    const Channel& channel = *process->channel();
    const std::string name = channel.name.empty() ? "its end of the accelerator" : channel.name;
    fprintf(stderr, "%s %s waits for %s %s", comma, process->name().c_str(),
            process->needs_room() ? "room in" : "a word of", name.c_str());
    if (!channel.name.empty()) fprintf(stderr, " (holds %zu of %zu)", channel.held, channel.depth);
    comma = ",";
  }
  fprintf(stderr, "\n");
  exit(3);
}

inline void run() {
  Network& net = network();
  net.ready.assign(net.processes.rbegin(), net.processes.rend());
  while (!net.ready.empty()) {
    Process* next = net.ready.back();
    net.ready.pop_back();
    next->resume();
  }
  for (const Process* process : net.processes) {
    if (!process->done()) stop();
  }
  for (const Channel* channel : net.channels) {
    if (channel->held > 0) {
      fprintf(stderr, "csim: words left over in %s: %zu\n", channel->name.c_str(), channel->held);
      exit(3);
    }
  }
}

inline void put(FILE* file, uint64_t number) { fwrite(&number, sizeof number, 1, file); }

// For every stream bytes per word, number of words that passed, the first wrong one, number of words that follow and
// these; for every process number of marks and the marks; numbers in 64 bits. The channels are gone by then but for
// what `keep` kept.
struct Record {
  std::vector<Channel> channels;
};
inline Record& record() {
  static Record the_record;
  return the_record;
}
inline void keep() {
  for (Channel* channel : network().channels) record().channels.push_back(std::move(*channel));
}

inline int write_trace(const char* path) {
  FILE* file = fopen(path, "wb");
  if (file == NULL) return 4;
  for (const Channel& channel : record().channels) {
    put(file, uint64_t(channel.word_bytes));
    put(file, channel.passed);
    put(file, channel.wrong);
    put(file, uint64_t(channel.words.size() / channel.word_bytes));
    fwrite(channel.words.data(), 1, channel.words.size(), file);
  }
  for (const Process* process : network().processes) {
    put(file, process->marks().size());
    fwrite(process->marks().data(), sizeof(Mark), process->marks().size(), file);
  }
  return fclose(file) == 0 ? 0 : 4;
}

}  // namespace sim
}  // namespace hls

#endif
