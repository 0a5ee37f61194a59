// The shell as the processor sees it, one command after the other on stdin, answers on stdout, all in little-endian
// 32-bit integers:
//
//   W offset value                                  writes a register           answer: 0
//   R offset                                        reads a register            answer: its value
//   T in_bytes out_bytes stalls seed, input bytes   a transfer in each direction
//     answer: status cycles got, then `got` bytes. Status 0: TLAST came with the last of out_bytes bytes; 1: nothing
//     moved for a long time; 2: TLAST came early; 3: TLAST did not come in time; 4: TKEEP has holes
//
// A command is its letter as an integer. The DMA offers and takes DMA_BYTES in a cycle; where `stalls` is not 0 both
// of its ends pause at random.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "Vshell.h"
#include "shell_config.hpp"
#include "verilated.h"

namespace {

enum Status : uint32_t { kDone = 0, kIdle = 1, kEarly = 2, kLate = 3, kHoles = 4 };

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {  // splitmix64, Steele, Lea and Flood, OOPSLA 2014
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

class Board {
 public:
  Board() : top_(std::make_unique<Vshell>()) {
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
      cycle();
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
      cycle();
      top_->s_axi_control_ARVALID = asking;
      if (answered) {
        top_->s_axi_control_RREADY = 0;
        return value;
      }
    }
  }

  Status transfer(const std::vector<uint8_t>& in, size_t out_bytes, bool stalls, uint64_t seed,
                  std::vector<uint8_t>& out, uint32_t& cycles) {
    Random random(seed);
    size_t sent = 0;
    uint64_t idle = 0;
    bool offered = false;
    Status status = kDone;
    for (cycles = 0;; ++cycles, ++idle) {
      if (!offered && sent < in.size() && !(stalls && random.next() % 3 == 0)) {
        offer(in, sent);
        offered = true;
      }
      top_->s_axis_TVALID = offered;
      top_->m_axis_TREADY = !(stalls && random.next() % 3 == 0);
      top_->eval();
      const bool taken = offered && top_->s_axis_TREADY;
      const bool given = top_->m_axis_TVALID && top_->m_axis_TREADY;
      const bool last = given && top_->m_axis_TLAST;
      if (given && !collect(out)) status = kHoles;
      cycle();
      if (taken) {
        sent += DMA_BYTES;
        offered = false;
      }
      if (taken || given) idle = 0;
      if (last && sent >= in.size()) return status ? status : out.size() == out_bytes ? kDone : kEarly;
      if (last) return kEarly;
      if (out.size() > out_bytes) return kLate;
      if (idle > IDLE_LIMIT) return kIdle;
    }
  }

  void stop() { top_->s_axis_TVALID = top_->m_axis_TREADY = 0; }

 private:
  void cycle() {
    top_->ap_clk = 0;
    top_->eval();
    top_->ap_clk = 1;
    top_->eval();
  }

  void offer(const std::vector<uint8_t>& in, size_t sent) {
    uint8_t beat[DMA_BYTES] = {};
    const size_t bytes = in.size() - sent < DMA_BYTES ? in.size() - sent : DMA_BYTES;
    std::memcpy(beat, &in[sent], bytes);
    std::memcpy(&top_->s_axis_TDATA, beat, DMA_BYTES);
    top_->s_axis_TKEEP = uint32_t((uint64_t(1) << bytes) - 1);
    top_->s_axis_TLAST = sent + bytes == in.size();
  }

  // The bytes of a beat that TKEEP marks; false if they are not the low ones.
  bool collect(std::vector<uint8_t>& out) const {
    uint8_t beat[DMA_BYTES];
    std::memcpy(beat, &top_->m_axis_TDATA, DMA_BYTES);
    const uint32_t keep = top_->m_axis_TKEEP;
    int bytes = 0;
    while (bytes < DMA_BYTES && (keep >> bytes & 1)) ++bytes;
    out.insert(out.end(), beat, beat + bytes);
    return bytes == DMA_BYTES || keep >> bytes == 0;
  }

  std::unique_ptr<Vshell> top_;
};

bool get(uint32_t& value) { return std::fread(&value, sizeof value, 1, stdin) == 1; }
void put(uint32_t value) { std::fwrite(&value, sizeof value, 1, stdout); }

void run_transfer(Board& board) {
  uint32_t in_bytes = 0, out_bytes = 0, stalls = 0, seed = 0, cycles = 0;
  get(in_bytes), get(out_bytes), get(stalls), get(seed);
  std::vector<uint8_t> in(in_bytes), out;
  if (std::fread(in.data(), 1, in.size(), stdin) != in.size()) return;
  const Status status = board.transfer(in, out_bytes, stalls != 0, seed, out, cycles);
  board.stop();
  put(status), put(cycles), put(uint32_t(out.size()));
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace

int main() {
  Board board;
  uint32_t command = 0, offset = 0, value = 0;
  while (get(command)) {
    if (command == 'T') {
      run_transfer(board);
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
