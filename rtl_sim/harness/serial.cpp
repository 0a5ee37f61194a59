// A board behind a serial port: bytes of a pseudo terminal go to the pin rx, bytes from the pin tx to the terminal.
// The program makes a pseudo terminal, prints its name, and stays behind it until stdin ends:
//
//   simulation SEED             of the values that registers without a reset power up with
//
// Time passes while bytes are on their way, and more slowly while nothing happens. A signal SIGUSR1 pulls the cable, or
// puts it in again: the line rx is low meanwhile, and what comes from either side is lost. SIGUSR2 keeps rx low for
// some bytes right after the next ones were sent.

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <vector>

#include "Vheadrace_serial_top.h"
#include "coverage.hpp"
#include "serial_config.hpp"  // CYCLES_PER_BIT, a double
#include "verilated.h"

namespace {

volatile sig_atomic_t unplugged = 0, disturbed = 0;
void toggle(int) { unplugged = !unplugged; }
void disturb(int) { disturbed = 1; }

// A line's state over time: the bits of bytes, one after the other.
class Sender {
 public:
  void push(const uint8_t* bytes, size_t size) { waiting_.insert(waiting_.end(), bytes, bytes + size); }
  bool busy() const { return bits_ > 0 || !waiting_.empty(); }

  // The line in this cycle.
  bool step(double now) {
    if (bits_ == 0 && !waiting_.empty()) {
      frame_ = 0x200u | uint32_t(waiting_.front()) << 1;
      waiting_.pop_front();
      bits_ = 10;
      ends_ = now + CYCLES_PER_BIT;
    }
    if (bits_ == 0) return true;
    const bool line = frame_ & 1;
    if (now + 1 >= ends_) {
      frame_ >>= 1;
      --bits_;
      ends_ += CYCLES_PER_BIT;
    }
    return line;
  }

 private:
  std::deque<uint8_t> waiting_;
  uint32_t frame_ = 0;
  int bits_ = 0;
  double ends_ = 0;
};

// The bytes of a line, sampled in the middle of their bits.
class Receiver {
 public:
  bool busy() const { return place_ >= 0; }

  void step(double now, bool line) {
    if (place_ < 0) {
      if (was_ && !line) place_ = 0, next_ = now + CYCLES_PER_BIT / 2;
    } else if (now >= next_) {
      next_ += CYCLES_PER_BIT;
      if (place_ > 0 && place_ < 9) byte_ = uint8_t(byte_ >> 1 | line << 7);
      if (place_ == 9 && line) bytes_.push_back(byte_);
      place_ = place_ == 9 || (place_ == 0 && line) ? -1 : place_ + 1;
    }
    was_ = line;
  }

  std::vector<uint8_t> taken() {
    std::vector<uint8_t> bytes;
    bytes.swap(bytes_);
    return bytes;
  }

 private:
  std::vector<uint8_t> bytes_;
  uint8_t byte_ = 0;
  bool was_ = true;
  int place_ = -1;
  double next_ = 0;
};

class Board {
 public:
  Board() : top_(std::make_unique<Vheadrace_serial_top>()) {
    top_->rst = 1;
    top_->clk = 0;
    top_->rx = 1;
    for (int i = 0; i < 8; ++i) cycle();
    top_->rst = 0;
    for (int i = 0; i < 64; ++i) cycle();  // the board's own reset lasts longer
  }

  ~Board() {
    top_->final();
    write_coverage(*Verilated::threadContextp());
  }

  void run(int cycles) {
    for (int i = 0; i < cycles; ++i) {
      const bool sending = sender.busy();
      const bool line = sender.step(double(now_));
      top_->rx = line && !unplugged && low_ == 0;
      if (low_ > 0) --low_;
      if (disturbed && sending && !sender.busy()) {
        disturbed = 0;
        low_ = int(30 * CYCLES_PER_BIT);
      }
      cycle();
      if (!unplugged) receiver.step(double(now_), top_->tx);
    }
  }

  Sender sender;
  Receiver receiver;

 private:
  void cycle() {
    ++now_;
    top_->clk = 1;
    top_->eval();
    top_->clk = 0;
    top_->eval();
  }

  std::unique_ptr<Vheadrace_serial_top> top_;
  uint64_t now_ = 0;
  int low_ = 0;  // cycles for which rx stays low
};

// A terminal that passes bytes as they are.
int pseudo_terminal() {
  int board = -1, host = -1;
  char name[128];
  termios raw{};
  cfmakeraw(&raw);
  if (openpty(&board, &host, name, &raw, nullptr)) return -1;
  std::printf("%s\n", name);  // the other end stays open, so that programs may come and go
  std::fflush(stdout);
  dup2(STDERR_FILENO, STDOUT_FILENO);  // where the checkers say which stream broke the rules
  return board;
}

bool write_all(int file, const std::vector<uint8_t>& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t some = write(file, bytes.data() + sent, bytes.size() - sent);
    if (some <= 0) return false;
    sent += size_t(some);
  }
  return true;
}

// Whether bytes came, or -1 at their end; patience_ms: for which they are waited for.
int receive(int file, int patience_ms, Sender& sender) {
  pollfd ready{file, POLLIN, 0};
  if (poll(&ready, 1, patience_ms) <= 0) return 0;
  uint8_t bytes[4096];
  const ssize_t size = read(file, bytes, sizeof bytes);
  if (size <= 0) return -1;
  if (!unplugged) sender.push(bytes, size_t(size));
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  Verilated::randReset(2);
  Verilated::randSeed(count > 1 ? std::atoi(arguments[1]) : 1);
  signal(SIGUSR1, toggle);
  signal(SIGUSR2, disturb);
  const int terminal = pseudo_terminal();
  if (terminal < 0) return 3;
  Board board;
  Sender none;
  for (int quiet = 0;;) {
    const int came = receive(terminal, quiet > 400 ? 10 : quiet > 16 ? 1 : 0, board.sender);
    if (came < 0 || receive(0, 0, none) < 0) return 0;
    board.run(quiet > 16 ? 4000 : 500);
    const std::vector<uint8_t> bytes = board.receiver.taken();
    const bool moves = came > 0 || board.sender.busy() || board.receiver.busy() || !bytes.empty();
    quiet = moves ? 0 : std::min(quiet + 1, 1000);
    if (!write_all(terminal, bytes)) return 0;
  }
}
