// Replays the verified vectors on the board: g++ -std=c++17 -O2 self_test.cpp -o self_test && ./self_test
// A board behind a serial port: ./self_test /dev/ttyUSB0
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "linux_device.hpp"
#include "serial_device.hpp"

static std::vector<uint8_t> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

static std::unique_ptr<headrace::Device> opened(const char* port) {
  if (port) return std::make_unique<headrace::SerialDevice>(port);
  return std::make_unique<headrace::LinuxDevice>();
}

int main(int, char** arguments) {
  try {
    const std::unique_ptr<headrace::Device> device = opened(arguments[1]);
    std::vector<std::vector<uint8_t>> weights;
    for (size_t k = 0; k < model::WEIGHT_STREAMS.size(); ++k) {
      weights.push_back(bytes_of("w" + std::to_string(k) + "_axis.bin"));
    }
    headrace::Accelerator accelerator(*device, weights);
    for (const model::Writable& layer : model::WRITABLE) {  // UltraRAM has no contents after power-up
      if (!layer.uram) continue;
      accelerator.write_memory(layer.memory, bytes_of(std::string(layer.layer) + "_weights.bin"));
      if (layer.steps > 0) {
        accelerator.write_memory(layer.memory + 1, bytes_of(std::string(layer.layer) + "_thresholds.bin"));
      }
    }
    const std::string verdict = accelerator.self_test(bytes_of("input.bin"), bytes_of("golden.bin"));
    std::printf("%s\n", verdict.c_str());
    return verdict == "exact" ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "self_test: %s\n", error.what());
    return 1;
  }
}
