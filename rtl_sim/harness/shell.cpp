// The shell as the processor sees it, one command after the other on stdin, answers on stdout, all in little-endian
// 32-bit integers:
//
//   W offset value                                  writes a register           answer: 0
//   R offset                                        reads a register            answer: its value
//   S in_bytes out_bytes stalls seed, input bytes   starts a transfer in each direction
//     answer: 0; 1 if another one runs, or the DMA has to be reset
//   F                                               waits until they have finished
//     answer: status cycles got, then `got` bytes, which came until TLAST. Status 0: both have ended; 1: nothing moved for
//     a long time; 2: more than out_bytes bytes came; 3: TKEEP has holes; 4: weights were left over
//   X port times bytes, the bytes                   sends these weights in `times` transfers   answer: 0
//   C                                               receives for some time what is left behind the accelerator
//     answer: 1 if TLAST came, 0 if not
//   P cycles                                        lets time pass   answer: 0
//   D                                               resets the DMAs: all transfers end   answer: 0
//
// A command is its letter as an integer. A DMA offers and takes DMA_BYTES in a cycle, while registers are accessed as
// well; where `stalls` is not 0 all its ends pause at random. Clock crossings stand between DMAs and shell, which no reset
// empties.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "Vheadrace_shell.h"
#include "coverage.hpp"
#include "dma.hpp"
#include "random.hpp"
#include "verilated.h"

namespace {

enum Status : uint32_t { kDone = 0, kIdle = 1, kLate = 2, kHoles = 3, kLeftOver = 4 };
constexpr int REST_CYCLES = 256;
constexpr size_t REST_BYTES = 4096;

class Board {
 public:
  Board() : top_(std::make_unique<Vheadrace_shell>()) {
    for (const SendPort& port : send_ports(*top_)) senders_.emplace_back(port);
    // Inputs power up with anything too.
    top_->ap_rst_n = top_->ap_clk = 0;
    top_->s_axi_control_AWVALID = top_->s_axi_control_WVALID = top_->s_axi_control_BREADY = 0;
    top_->s_axi_control_ARVALID = top_->s_axi_control_RREADY = 0;
    for (Sender& sender : senders_) sender.offer(0, true);
    top_->m_axis_TREADY = 0;
    for (int i = 0; i < 8; ++i) cycle();
    top_->ap_rst_n = 1;
    for (int i = 0; i < 64; ++i) cycle();  // the accelerator's own reset lasts longer
  }

  ~Board() {
    top_->final();
    write_coverage(*Verilated::threadContextp());
  }

  void write(uint32_t offset, uint32_t value) {
    top_->s_axi_control_AWADDR = offset;
    top_->s_axi_control_WDATA = value;
    top_->s_axi_control_WSTRB = 15;
    bool address = true, data = true;
    top_->s_axi_control_BREADY = 1;
    for (bool answered = false; !answered;) {
      top_->s_axi_control_AWVALID = address;
      top_->s_axi_control_WVALID = data;
      top_->eval();
      const bool address_taken = address && top_->s_axi_control_AWREADY;
      const bool data_taken = data && top_->s_axi_control_WREADY;
      answered = top_->s_axi_control_BVALID;
      step();
      address = address && !address_taken;
      data = data && !data_taken;
    }
    top_->s_axi_control_AWVALID = top_->s_axi_control_WVALID = top_->s_axi_control_BREADY = 0;
  }

  uint32_t read(uint32_t offset) {
    top_->s_axi_control_ARADDR = offset;
    top_->s_axi_control_ARVALID = 1;
    top_->s_axi_control_RREADY = 1;
    for (bool asking = true;;) {
      top_->eval();
      if (asking && top_->s_axi_control_ARREADY) asking = false;
      const bool answered = top_->s_axi_control_RVALID;
      const uint32_t value = top_->s_axi_control_RDATA;
      step();
      top_->s_axi_control_ARVALID = asking;
      if (answered) {
        top_->s_axi_control_RREADY = 0;
        return value;
      }
    }
  }

  // What sender 1, 2, ... sends from now on.
  void load(size_t sender, std::vector<uint8_t> bytes, uint32_t times) {
    if (sender < senders_.size()) senders_[sender].load(std::move(bytes), times);
  }

  // Sender 0 begins, and so many bytes are received.
  bool start(std::vector<uint8_t> bytes, size_t out_bytes, bool stalls, uint64_t seed) {
    if (!senders_[0].finished() || !receiver_.start(out_bytes)) return false;
    load(0, std::move(bytes), 1);
    stalls_ = stalls;
    random_ = Random(seed);
    cycles_ = 0;
    return true;
  }

  // Waits for all transfers, but for no longer than makes sense.
  Status finish() {
    uint64_t idle = 0;
    while ((receiver_.receives() || sending()) && !receiver_.halted() && idle <= IDLE_LIMIT) {
      idle = step() ? 0 : idle + 1;
    }
    if (receiver_.holes()) return kHoles;
    if (receiver_.halted()) return kLate;
    if (!receiver_.receives() && senders_[0].finished() && sending()) return kLeftOver;
    return idle > IDLE_LIMIT ? kIdle : kDone;
  }

  // Receives into memory of no use for some time; whether a transfer ended.
  bool collect() {
    if (!receiver_.start(REST_BYTES)) return false;
    pass(REST_CYCLES);
    return !receiver_.receives();
  }

  void pass(uint32_t cycles) {
    for (uint32_t i = 0; i < cycles; ++i) step();
  }

  void reset_dmas() {
    for (Sender& sender : senders_) sender.stop();
    receiver_.reset();
  }

  const std::vector<uint8_t>& received() const { return receiver_.bytes(); }
  uint32_t cycles() const { return cycles_; }

 private:
  // A cycle in which the DMAs offer and take what they can; whether any word moved to, from or through the shell.
  bool step() {
    bool moved = false;
    for (Sender& sender : senders_) moved |= sender.offer(now_, pauses());
    top_->m_axis_TREADY = receiver_.ready();
    top_->eval();
    std::vector<bool> taken;
    for (const Sender& sender : senders_) taken.push_back(sender.taken());
    if (top_->m_axis_TVALID && top_->m_axis_TREADY) {
      receiver_.push(now_, beat());
      moved = true;
    }
    cycles_ += receiver_.receives();
    moved |= receiver_.step(now_, pauses());
    cycle();
    for (size_t k = 0; k < taken.size(); ++k) {
      if (!taken[k]) continue;
      senders_[k].pop();
      moved = true;
    }
    return moved;
  }

  Beat beat() const {
    Beat beat{};
    std::memcpy(beat.data, &top_->m_axis_TDATA, DMA_BYTES);
    beat.keep = top_->m_axis_TKEEP;
    beat.last = top_->m_axis_TLAST;
    return beat;
  }

  bool sending() const {
    for (const Sender& sender : senders_) {
      if (!sender.finished()) return true;
    }
    return false;
  }

  bool pauses() { return stalls_ && random_.next() % 3 == 0; }

  void cycle() {
    ++now_;
    top_->ap_clk = 0;
    top_->eval();
    top_->ap_clk = 1;
    top_->eval();
  }

  std::unique_ptr<Vheadrace_shell> top_;
  std::vector<Sender> senders_;  // of frames, then of each stream of weights
  Random random_{0};
  Receiver receiver_;
  bool stalls_ = false;
  uint64_t now_ = 0;
  uint32_t cycles_ = 0;  // of the last transfer
};

bool get(uint32_t& value) { return std::fread(&value, sizeof value, 1, stdin) == 1; }
std::FILE* answers = stdout;
void put(uint32_t value) { std::fwrite(&value, sizeof value, 1, answers); }

std::vector<uint8_t> get_bytes(uint32_t size) {
  std::vector<uint8_t> bytes(size);
  if (std::fread(bytes.data(), 1, size, stdin) != size) bytes.clear();
  return bytes;
}

void load_weights(Board& board) {
  uint32_t port = 0, times = 0, size = 0;
  get(port), get(times), get(size);
  board.load(1 + port, get_bytes(size), times);
  put(0);
}

void start_transfer(Board& board) {
  uint32_t in_bytes = 0, out_bytes = 0, stalls = 0, seed = 0;
  get(in_bytes), get(out_bytes), get(stalls), get(seed);
  put(!board.start(get_bytes(in_bytes), out_bytes, stalls != 0, seed));
}

void finish_transfer(Board& board) {
  const Status status = board.finish();
  const std::vector<uint8_t>& out = board.received();
  put(status), put(board.cycles()), put(uint32_t(out.size()));
  std::fwrite(out.data(), 1, out.size(), answers);
}

}  // namespace

int main() {
  answers = fdopen(dup(STDOUT_FILENO), "wb");
  dup2(STDERR_FILENO, STDOUT_FILENO);  // where the checkers say which stream broke the rules
  Verilated::randReset(2);  // registers without a reset power up with anything
  Verilated::randSeed(1);
  Board board;
  uint32_t command = 0, offset = 0, value = 0;
  while (get(command)) {
    if (command == 'S') {
      start_transfer(board);
    } else if (command == 'F') {
      finish_transfer(board);
    } else if (command == 'D') {
      board.reset_dmas();
      put(0);
    } else if (command == 'C') {
      put(board.collect());
    } else if (command == 'P' && get(value)) {
      board.pass(value);
      put(0);
    } else if (command == 'X') {
      load_weights(board);
    } else if (command == 'W' && get(offset) && get(value)) {
      board.write(offset, value);
      put(0);
    } else if (command == 'R' && get(offset)) {
      put(board.read(offset));
    } else {
      return 2;
    }
    std::fflush(answers);
  }
  return 0;
}
