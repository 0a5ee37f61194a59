// Registers and AXI DMA through /dev/mem, buffers through the kernel module u-dma-buf: what a board with Linux has.
//
//   modprobe u-dma-buf udmabuf0=8388608      and the bitstream loaded, for example with fpgautil
#ifndef HEADRACE_LINUX_DEVICE_HPP
#define HEADRACE_LINUX_DEVICE_HPP

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "headrace_driver.hpp"

namespace headrace {

class LinuxDevice : public Device {
 public:
  // Addresses are those of the block design. Throws std::runtime_error where a device file cannot be mapped.
  LinuxDevice(uint64_t registers = model::ACCELERATOR_ADDRESS, uint64_t dma = model::DMA_ADDRESS)
      : registers_(map("/dev/mem", registers, model::WINDOW_BYTES)),
        dma_(map("/dev/mem", dma, model::WINDOW_BYTES)),
        size_(number("/sys/class/u-dma-buf/udmabuf0/size")),
        address_(number("/sys/class/u-dma-buf/udmabuf0/phys_addr")),
        buffer_(static_cast<volatile uint8_t*>(static_cast<volatile void*>(map("/dev/udmabuf0", 0, size_)))) {}

  uint32_t read(uint32_t offset) override { return registers_[offset / 4]; }
  void write(uint32_t offset, uint32_t value) override { registers_[offset / 4] = value; }

  // The buffer holds what is sent, then what is received.
  void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) override {
    const size_t second = (in.size() + 4095) / 4096 * 4096;
    if (second + out.size() > size_) throw std::runtime_error("udmabuf0 is too small; load it with more bytes");
    for (size_t i = 0; i < in.size(); ++i) buffer_[i] = in[i];
    start(kReceive, address_ + second, out.size());
    start(kSend, address_, in.size());
    wait(kSend);
    wait(kReceive);
    for (size_t i = 0; i < out.size(); ++i) out[i] = buffer_[second + i];
  }

 private:
  // AXI DMA, PG021, simple mode: control, status, address and length of each direction.
  enum Direction : size_t { kSend = 0x00, kReceive = 0x30 };
  static constexpr uint32_t kRun = 1, kIdle = 2, kErrors = 0x70;

  void start(Direction direction, uint64_t address, size_t bytes) {
    dma_[(direction + 0x00) / 4] = kRun;
    dma_[(direction + 0x18) / 4] = uint32_t(address);
    dma_[(direction + 0x1C) / 4] = uint32_t(address >> 32);
    dma_[(direction + 0x28) / 4] = uint32_t(bytes);
  }

  void wait(Direction direction) {
    for (;;) {
      const uint32_t status = dma_[(direction + 0x04) / 4];
      if (status & kErrors) throw std::runtime_error("the DMA stopped with status " + std::to_string(status));
      if (status & kIdle) return;
    }
  }

  static volatile uint32_t* map(const char* path, uint64_t offset, size_t bytes) {
    const int file = open(path, O_RDWR | O_SYNC);
    if (file < 0) throw std::runtime_error(std::string(path) + " cannot be opened; run as root, load u-dma-buf");
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, off_t(offset));
    close(file);
    if (memory == MAP_FAILED) throw std::runtime_error(std::string(path) + " cannot be mapped");
    return static_cast<volatile uint32_t*>(memory);
  }

  static uint64_t number(const char* path) {
    std::string text;
    std::ifstream(path) >> text;
    if (text.empty()) throw std::runtime_error(std::string(path) + " is missing; load the kernel module u-dma-buf");
    return std::stoull(text, nullptr, 0);
  }

  volatile uint32_t* registers_;
  volatile uint32_t* dma_;
  size_t size_;
  uint64_t address_;
  volatile uint8_t* buffer_;
};

}  // namespace headrace

#endif
