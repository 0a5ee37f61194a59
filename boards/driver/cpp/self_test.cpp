// Replays the verified vectors on the board: g++ -std=c++17 -O2 self_test.cpp -o self_test && ./self_test
#include <cstdio>
#include <fstream>
#include <iterator>

#include "linux_device.hpp"

static std::vector<uint8_t> bytes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string(path) + " cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int main() {
  try {
    headrace::LinuxDevice device;
    const std::string verdict = headrace::Accelerator(device).self_test(bytes_of("input.bin"), bytes_of("golden.bin"));
    std::printf("%s\n", verdict.c_str());
    return verdict == "exact" ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "self_test: %s\n", error.what());
    return 1;
  }
}
