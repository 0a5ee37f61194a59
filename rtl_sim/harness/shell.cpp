// The shell as the processor sees it, one command after the other on stdin, answers on stdout, all in little-endian
// 32-bit integers:
//
//   W offset value                                  writes a register           answer: 0
//   R offset                                        reads a register            answer: its value
//   S in_bytes out_bytes stalls seed, input bytes   starts a transfer in each direction   answer: 0
//   F                                               waits until they have finished
//     answer: status cycles got, then `got` bytes. Status 0: TLAST came with the last of out_bytes bytes; 1: nothing
//     moved for a long time; 2: TLAST came early; 3: TLAST did not come in time; 4: TKEEP has holes; 5: weights were
//     left over
//   X port times bytes, the bytes                   sends these weights in `times` transfers   answer: 0
//   D                                               resets the DMAs: all transfers end   answer: 0
//
// A command is its letter as an integer. A DMA offers and takes DMA_BYTES in a cycle, while registers are accessed as
// well; where `stalls` is not 0 all its ends pause at random.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "Vheadrace_shell.h"
#include "dma.hpp"
#include "random.hpp"
#include "verilated.h"

namespace {

enum Status : uint32_t { kDone = 0, kIdle = 1, kEarly = 2, kLate = 3, kHoles = 4, kLeftOver = 5 };

class Board {
 public:
  Board() : top_(std::make_unique<Vheadrace_shell>()) {
    for (const SendPort& port : send_ports(*top_)) senders_.emplace_back(port);
    // Inputs power up with anything too.
    top_->ap_rst_n = top_->ap_clk = 0;
    top_->s_axi_control_AWVALID = top_->s_axi_control_WVALID = top_->s_axi_control_BREADY = 0;
    top_->s_axi_control_ARVALID = top_->s_axi_control_RREADY = 0;
    reset_dmas();
    for (int i = 0; i < 8; ++i) cycle();
    top_->ap_rst_n = 1;
    for (int i = 0; i < 64; ++i) cycle();  // the accelerator's own reset lasts longer
  }

  ~Board() { top_->final(); }

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
  void start(std::vector<uint8_t> bytes, size_t out_bytes, bool stalls, uint64_t seed) {
    load(0, std::move(bytes), 1);
    out_.clear();
    out_bytes_ = out_bytes;
    stalls_ = stalls;
    random_ = Random(seed);
    cycles_ = 0;
    status_ = kDone;
    receives_ = true;
  }

  Status finish() {
    for (uint64_t idle = 0; receives_ && status_ != kIdle;) {
      idle = step() ? 0 : idle + 1;
      if (idle > IDLE_LIMIT) status_ = kIdle;
    }
    reset_dmas();
    return status_;
  }

  void reset_dmas() {
    for (Sender& sender : senders_) sender.stop();
    top_->m_axis_TREADY = receives_ = false;
  }

  const std::vector<uint8_t>& received() const { return out_; }
  uint32_t cycles() const { return cycles_; }

 private:
  // A cycle in which the DMAs offer and take what they can; whether any byte moved.
  bool step() {
    for (Sender& sender : senders_) sender.offer(pauses());
    top_->m_axis_TREADY = receives_ && !pauses();
    top_->eval();
    std::vector<bool> taken;
    for (const Sender& sender : senders_) taken.push_back(sender.taken());
    const bool given = top_->m_axis_TVALID && top_->m_axis_TREADY;
    const bool last = given && top_->m_axis_TLAST;
    if (given && !collect()) status_ = kHoles;
    cycle();
    bool moved = given;
    for (size_t k = 0; k < taken.size(); ++k) {
      if (!taken[k]) continue;
      senders_[k].next();
      moved = true;
    }
    if (last || out_.size() > out_bytes_) {
      receives_ = false;
      if (status_ == kDone) status_ = outcome(last);
    }
    cycles_ += receives_;
    return moved;
  }

  bool pauses() { return stalls_ && random_.next() % 3 == 0; }

  Status outcome(bool last) const {
    if (!last) return kLate;
    if (!senders_[0].finished() || out_.size() != out_bytes_) return kEarly;
    for (const Sender& sender : senders_) {
      if (!sender.finished()) return kLeftOver;
    }
    return kDone;
  }

  void cycle() {
    top_->ap_clk = 0;
    top_->eval();
    top_->ap_clk = 1;
    top_->eval();
  }

  // The bytes of a beat that TKEEP marks; false if they are not the low ones.
  bool collect() {
    uint8_t beat[DMA_BYTES];
    std::memcpy(beat, &top_->m_axis_TDATA, DMA_BYTES);
    const uint32_t keep = top_->m_axis_TKEEP;
    int bytes = 0;
    while (bytes < DMA_BYTES && (keep >> bytes & 1)) ++bytes;
    out_.insert(out_.end(), beat, beat + bytes);
    return bytes == DMA_BYTES || keep >> bytes == 0;
  }

  std::unique_ptr<Vheadrace_shell> top_;
  std::vector<Sender> senders_;  // of frames, then of each stream of weights
  Random random_{0};
  bool stalls_ = false, receives_ = false;
  Status status_ = kDone;
  std::vector<uint8_t> out_;
  size_t out_bytes_ = 0;
  uint32_t cycles_ = 0;
};

bool get(uint32_t& value) { return std::fread(&value, sizeof value, 1, stdin) == 1; }
void put(uint32_t value) { std::fwrite(&value, sizeof value, 1, stdout); }

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
  board.start(get_bytes(in_bytes), out_bytes, stalls != 0, seed);
  put(0);
}

void finish_transfer(Board& board) {
  const Status status = board.finish();
  const std::vector<uint8_t>& out = board.received();
  put(status), put(board.cycles()), put(uint32_t(out.size()));
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace

int main() {
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
    std::fflush(stdout);
  }
  return 0;
}
