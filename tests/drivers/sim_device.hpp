// The simulated board as a device of the C++ driver.
#ifndef SIM_DEVICE_HPP
#define SIM_DEVICE_HPP

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "headrace_driver.hpp"

// The program that compile_board made, behind two pipes.
class SimDevice : public headrace::Device {
 public:
  SimDevice(const char* program, const char* folder) {
    int to[2], from[2];
    if (pipe(to) || pipe(from)) throw std::runtime_error("no pipe");
    if (fork() == 0) {
      dup2(to[0], 0), dup2(from[1], 1);
      close(to[1]), close(from[0]);
      if (chdir(folder) == 0) execl(program, program, static_cast<char*>(nullptr));
      _exit(127);
    }
    close(to[0]), close(from[1]);
    to_ = fdopen(to[1], "wb"), from_ = fdopen(from[0], "rb");
  }

  ~SimDevice() override {
    fclose(to_), fclose(from_);
    wait(nullptr);
  }

  uint32_t read(uint32_t offset) override {
    put('R'), put(offset);
    return get();
  }

  void write(uint32_t offset, uint32_t value) override {
    put('W'), put(offset), put(value);
    get();
  }

  void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) override {
    begin(in, out.size());
    put('F');
    const uint32_t status = get(), cycles = get(), got = get();
    (void)cycles;
    out.resize(got);
    if (fread(out.data(), 1, got, from_) != got || status) throw std::runtime_error("the transfer failed");
  }

  // Starts a transfer that nobody waits for.
  void begin(const std::vector<uint8_t>& in, size_t out_bytes) {
    put('S'), put(uint32_t(in.size())), put(uint32_t(out_bytes)), put(1), put(7);
    fwrite(in.data(), 1, in.size(), to_);
    if (get()) throw std::runtime_error("another transfer runs");
  }

  void pass(uint32_t cycles) {
    put('P'), put(cycles);
    get();
  }

  void replay(size_t port, const std::vector<uint8_t>& image, size_t times) override {
    put('X'), put(uint32_t(port)), put(uint32_t(times)), put(uint32_t(image.size()));
    fwrite(image.data(), 1, image.size(), to_);
    get();
  }

  void reset() override {
    put('D');
    get();
  }

  bool collect() override {
    put('C');
    return get() != 0;
  }

 private:
  void put(uint32_t value) { fwrite(&value, sizeof value, 1, to_); }
  uint32_t get() {
    fflush(to_);
    uint32_t value = 0;
    if (fread(&value, sizeof value, 1, from_) != 1) throw std::runtime_error("the board is gone");
    return value;
  }

  FILE* to_;
  FILE* from_;
};

inline std::vector<uint8_t> bytes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

#endif
