// Registers and AXI DMA through /dev/mem, buffers through the kernel module u-dma-buf: what a board with Linux has.
// README.md says how the bitstream, its clock and the module are loaded.
#ifndef HEADRACE_LINUX_DEVICE_HPP
#define HEADRACE_LINUX_DEVICE_HPP

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>

#include "headrace_driver.hpp"

namespace headrace {

// What the registers and the memory of a board are mapped to. buffer: `bytes` bytes of memory that every DMA reaches at
// `address`; weights: the DMAs of the streams of weights.
struct Mapping {
  volatile uint32_t* registers;
  volatile uint32_t* dma;
  std::vector<volatile uint32_t*> weights;
  volatile void* buffer;
  size_t bytes;
  uint64_t address;
};

class MappedDevice : public Device {
 public:
  explicit MappedDevice(const Mapping& mapping) : at_(mapping), images_at_(mapping.bytes) {
    if (at_.bytes < REST_BYTES) throw std::runtime_error("the buffer is too small; load udmabuf0 with more bytes");
    for (volatile uint32_t* dma : at_.weights) weights_.push_back({dma, 0, 0, 0, false});
  }

  uint32_t read(uint32_t offset) override { return at_.registers[offset / 4]; }
  void write(uint32_t offset, uint32_t value) override { at_.registers[offset / 4] = value; }

  // Weights lie at the end of the buffer, where they are put the first time.
  void replay(size_t port, const std::vector<uint8_t>& image, size_t times) override {
    Weights& weights = weights_.at(port);
    if (weights.bytes == 0) {
      const size_t room = whole_pages(image.size());
      if (room + REST_BYTES > images_at_) throw std::runtime_error("udmabuf0 is too small; load it with more bytes");
      images_at_ -= room;
      weights.offset = images_at_;
      weights.bytes = image.size();
      put(weights.offset, image);
    }
    weights.left = times;
  }

  // The buffer holds what is sent, then what is received.
  void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) override {
    const size_t second = whole_pages(in.size());
    if (second + whole_pages(out.size()) > images_at_) {
      throw std::runtime_error("udmabuf0 is too small; load it with more bytes");
    }
    put(0, in);
    start(at_.dma, kReceive, at_.address + second, out.size());
    start(at_.dma, kSend, at_.address, in.size());
    wait_until([this] {
      const bool sent = idle(at_.dma, kSend), received = idle(at_.dma, kReceive);
      return !feed_weights() && sent && received;
    }, patience_s, "a transfer does not end");
    const size_t came = at_.dma[(kReceive + model::dma::LENGTH) / 4];
    out.resize(std::min(came, out.size()));
    get(second, out);
  }

  void reset() override {
    reset_dma(at_.dma);
    for (Weights& weights : weights_) {
      reset_dma(weights.dma);
      weights.left = 0;
      weights.runs = false;
    }
  }

  // What can be left is in memory after much less than a millisecond.
  bool collect() override {
    start(at_.dma, kReceive, at_.address, REST_BYTES);
    usleep(1000);
    return idle(at_.dma, kReceive);
  }

  double patience_s = 600;  // after which a transfer that has not ended is an error

 private:
  static constexpr size_t REST_BYTES = 4096;
  enum Direction : size_t { kSend = 0, kReceive = model::dma::RECEIVE };

  // A DMA that sends weights, and the transfers that it still has to begin.
  struct Weights {
    volatile uint32_t* dma;
    size_t offset, bytes, left;
    bool runs;
  };

  static size_t whole_pages(size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

  // The buffer is not cached: eight bytes at an aligned address take one access, as one byte does.
  void put(size_t offset, const std::vector<uint8_t>& bytes) {
    volatile uint64_t* words = static_cast<volatile uint64_t*>(at_.buffer) + offset / 8;
    for (size_t i = 0; i < bytes.size(); i += 8) {
      uint64_t word = 0;
      std::memcpy(&word, &bytes[i], std::min<size_t>(8, bytes.size() - i));
      words[i / 8] = word;
    }
  }

  void get(size_t offset, std::vector<uint8_t>& bytes) const {
    const volatile uint64_t* words = static_cast<const volatile uint64_t*>(at_.buffer) + offset / 8;
    for (size_t i = 0; i < bytes.size(); i += 8) {
      const uint64_t word = words[i / 8];
      std::memcpy(&bytes[i], &word, std::min<size_t>(8, bytes.size() - i));
    }
  }

  // What was written to the buffer is there before the DMA begins.
  static void start(volatile uint32_t* dma, Direction direction, uint64_t address, size_t bytes) {
    dma[(direction + model::dma::CONTROL) / 4] = model::dma::RUN;
    wait_until([dma, direction] { return (dma[(direction + model::dma::STATUS) / 4] & model::dma::HALTED) == 0; }, 5,
               "a DMA does not run");
    dma[(direction + model::dma::ADDRESS) / 4] = uint32_t(address);
    dma[(direction + model::dma::ADDRESS_HIGH) / 4] = uint32_t(address >> 32);
    barrier();
    dma[(direction + model::dma::LENGTH) / 4] = uint32_t(bytes);
  }

  // Orders accesses of memory and of registers for all that see them; a fence of C++ is one among processors only.
  static void barrier() {
#if defined(__aarch64__) || defined(__arm__)
    __asm__ volatile("dsb sy" ::: "memory");
#else
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  }

  // Resets both directions, in the middle of a transfer too.
  static void reset_dma(volatile uint32_t* dma) {
    dma[model::dma::CONTROL / 4] = model::dma::RESET;
    wait_until([dma] { return (dma[model::dma::CONTROL / 4] & model::dma::RESET) == 0; }, 5, "a DMA does not end its reset");
  }

  // Whether the transfer has ended; what it brought is read after this.
  static bool idle(volatile uint32_t* dma, Direction direction) {
    const uint32_t status = dma[(direction + model::dma::STATUS) / 4];
    if (status & (model::dma::ERRORS | model::dma::HALTED)) {
      throw std::runtime_error("the DMA stopped with status " + std::to_string(status));
    }
    barrier();
    return status & model::dma::IDLE;
  }

  // Starts the next transfer of weights where one has ended; true while any runs.
  bool feed_weights() {
    bool any = false;
    for (Weights& weights : weights_) {
      weights.runs = weights.runs && !idle(weights.dma, kSend);
      if (!weights.runs && weights.left > 0) {
        start(weights.dma, kSend, at_.address + weights.offset, weights.bytes);
        weights.runs = true;
        --weights.left;
      }
      any = any || weights.runs;
    }
    return any;
  }

  Mapping at_;
  size_t images_at_;
  std::vector<Weights> weights_;
};

class LinuxDevice : public MappedDevice {
 public:
  // Addresses are those of the block design. Throws std::runtime_error where a device file cannot be mapped.
  LinuxDevice(uint64_t registers = model::ACCELERATOR_ADDRESS, uint64_t dma = model::DMA_ADDRESS)
      : MappedDevice(mapping(registers, dma)) {}

 private:
  static Mapping mapping(uint64_t registers, uint64_t dma) {
    Mapping mapping{};
    mapping.registers = words("/dev/mem", registers);
    mapping.dma = words("/dev/mem", dma);
    for (const model::WeightStream& stream : model::WEIGHT_STREAMS) {
      mapping.weights.push_back(words("/dev/mem", stream.dma_address));
    }
    mapping.bytes = number("/sys/class/u-dma-buf/udmabuf0/size");
    mapping.address = number("/sys/class/u-dma-buf/udmabuf0/phys_addr");
    mapping.buffer = map("/dev/udmabuf0", 0, mapping.bytes);
    return mapping;
  }

  static volatile uint32_t* words(const char* path, uint64_t offset) {
    return static_cast<volatile uint32_t*>(map(path, offset, model::WINDOW_BYTES));
  }

  static void* map(const char* path, uint64_t offset, size_t bytes) {
    const int file = open(path, O_RDWR | O_SYNC);
    if (file < 0) throw std::runtime_error(std::string(path) + " cannot be opened; run as root, load u-dma-buf");
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, off_t(offset));
    close(file);
    if (memory == MAP_FAILED) throw std::runtime_error(std::string(path) + " cannot be mapped");
    return memory;
  }

  static uint64_t number(const char* path) {
    std::string text;
    std::ifstream(path) >> text;
    if (text.empty()) throw std::runtime_error(std::string(path) + " is missing; load the kernel module u-dma-buf");
    return std::stoull(text, nullptr, 0);
  }
};

}  // namespace headrace

#endif
