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
        buffer_(static_cast<volatile uint8_t*>(static_cast<volatile void*>(map("/dev/udmabuf0", 0, size_)))),
        images_at_(size_) {
    for (const model::WeightStream& stream : model::WEIGHT_STREAMS) {
      weights_.push_back({map("/dev/mem", stream.dma_address, model::WINDOW_BYTES), 0, 0, 0, false});
    }
  }

  uint32_t read(uint32_t offset) override { return registers_[offset / 4]; }
  void write(uint32_t offset, uint32_t value) override { registers_[offset / 4] = value; }

  // Weights lie at the end of the buffer, where they are put the first time.
  void replay(size_t port, const std::vector<uint8_t>& image, size_t times) override {
    Weights& weights = weights_.at(port);
    if (weights.bytes == 0) {
      const size_t room = (image.size() + 4095) / 4096 * 4096;
      if (room > images_at_) throw std::runtime_error("udmabuf0 is too small; load it with more bytes");
      images_at_ -= room;
      weights.offset = images_at_;
      weights.bytes = image.size();
      for (size_t i = 0; i < image.size(); ++i) buffer_[weights.offset + i] = image[i];
    }
    weights.left = times;
  }

  // The buffer holds what is sent, then what is received.
  void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) override {
    const size_t second = (in.size() + 4095) / 4096 * 4096;
    if (second + out.size() > images_at_) throw std::runtime_error("udmabuf0 is too small; load it with more bytes");
    for (size_t i = 0; i < in.size(); ++i) buffer_[i] = in[i];
    start(dma_, kReceive, address_ + second, out.size());
    start(dma_, kSend, address_, in.size());
    wait_until([this] {
      const bool sent = idle(dma_, kSend), received = idle(dma_, kReceive);
      return !feed_weights() && sent && received;
    }, patience_s, "a transfer does not end");
    for (size_t i = 0; i < out.size(); ++i) out[i] = buffer_[second + i];
  }

  void reset() override {
    reset_dma(dma_);
    for (Weights& weights : weights_) {
      reset_dma(weights.dma);
      weights.left = 0;
      weights.runs = false;
    }
  }

  double patience_s = 600;  // after which a transfer that has not ended is an error

 private:
  enum Direction : size_t { kSend = 0, kReceive = model::dma::RECEIVE };

  // A DMA that sends weights, and the transfers that it still has to begin.
  struct Weights {
    volatile uint32_t* dma;
    size_t offset, bytes, left;
    bool runs;
  };

  static void start(volatile uint32_t* dma, Direction direction, uint64_t address, size_t bytes) {
    dma[(direction + model::dma::CONTROL) / 4] = model::dma::RUN;
    dma[(direction + model::dma::ADDRESS) / 4] = uint32_t(address);
    dma[(direction + model::dma::ADDRESS_HIGH) / 4] = uint32_t(address >> 32);
    dma[(direction + model::dma::LENGTH) / 4] = uint32_t(bytes);
  }

  // Resets both directions, in the middle of a transfer too.
  static void reset_dma(volatile uint32_t* dma) {
    dma[model::dma::CONTROL / 4] = model::dma::RESET;
    wait_until([dma] { return (dma[model::dma::CONTROL / 4] & model::dma::RESET) == 0; }, 5, "a DMA does not end its reset");
  }

  static bool idle(volatile uint32_t* dma, Direction direction) {
    const uint32_t status = dma[(direction + model::dma::STATUS) / 4];
    if (status & model::dma::ERRORS) throw std::runtime_error("the DMA stopped with status " + std::to_string(status));
    return status & model::dma::IDLE;
  }

  // Starts the next transfer of weights where one has ended; true while any runs.
  bool feed_weights() {
    bool any = false;
    for (Weights& weights : weights_) {
      weights.runs = weights.runs && !idle(weights.dma, kSend);
      if (!weights.runs && weights.left > 0) {
        start(weights.dma, kSend, address_ + weights.offset, weights.bytes);
        weights.runs = true;
        --weights.left;
      }
      any = any || weights.runs;
    }
    return any;
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
  size_t images_at_;
  std::vector<Weights> weights_;
};

}  // namespace headrace

#endif
