// mapped_driver BYTES CAME STATUS: one transfer of BYTES bytes through a DMA that a thread plays. It sends them back, CAME of
// them, and ends with STATUS; where that is 0 it never ends. Prints how many of the bytes came, or what is said.
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "linux_device.hpp"

namespace dma = model::dma;

static uint32_t registers[64];
static volatile uint32_t* const hardware = registers;
alignas(8) static uint8_t memory[1 << 16];
constexpr uint64_t BASE = 0x123400000;  // where the DMA sees the memory

static uint8_t* at(size_t direction) {
  const uint64_t high = hardware[(direction + dma::ADDRESS_HIGH) / 4];
  return memory + ((high << 32 | hardware[(direction + dma::ADDRESS) / 4]) - BASE);
}

static void play(uint32_t came, uint32_t status) {
  while (!hardware[(dma::RECEIVE + dma::LENGTH) / 4] || !hardware[dma::LENGTH / 4]) std::this_thread::yield();
  std::memcpy(at(dma::RECEIVE), at(0), came);
  hardware[(dma::RECEIVE + dma::LENGTH) / 4] = came;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  hardware[dma::STATUS / 4] = dma::IDLE;
  hardware[(dma::RECEIVE + dma::STATUS) / 4] = status;
}

int main(int, char** argv) {
  const size_t bytes = size_t(std::atol(argv[1]));
  headrace::MappedDevice device({hardware, hardware, {}, memory, sizeof memory, BASE});
  device.patience_s = 1;
  std::thread player(play, uint32_t(std::atol(argv[2])), uint32_t(std::atol(argv[3])));
  std::vector<uint8_t> in(bytes), out(bytes);
  for (size_t i = 0; i < bytes; ++i) in[i] = uint8_t(7 * i + 1);
  try {
    device.transfer(in, out);
    std::printf("%zu %d\n", out.size(), int(std::equal(out.begin(), out.end(), in.begin())));
  } catch (const std::runtime_error& error) {
    std::printf("%s\n", error.what());
  }
  player.detach();  // it may still wait for what was refused
}
