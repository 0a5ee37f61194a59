// The C++ driver on a simulated board behind a serial port: serial_driver PORT SAMPLES FRAMES INPUT GOLDEN
// Prints the verdict of the self-test, the integers of the samples, and what is said after a transfer beside the driver
// that ended inside a frame; then the verdict after a reset.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "serial_device.hpp"

static std::vector<uint8_t> bytes_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int main(int count, char** argv) {
  try {
    headrace::SerialDevice device(argv[1]);
    headrace::Accelerator accelerator(device);
    if (count == 2) return 0;
    device.patience_s = 1;
    std::printf("%s\n", accelerator.self_test(bytes_of(argv[4]), bytes_of(argv[5])).c_str());
    const std::vector<uint8_t> raw = bytes_of(argv[2]);
    const float* x = reinterpret_cast<const float*>(raw.data());
    for (int64_t value : accelerator.integers(x, size_t(std::atol(argv[3])))) std::printf("%lld ", static_cast<long long>(value));
    std::printf("\n");
    try {
      std::vector<uint8_t> out(model::OUT_FRAME_BYTES);
      device.transfer(std::vector<uint8_t>(model::IN_FRAME_BYTES / 2), out);
    } catch (const std::runtime_error& error) {
      std::printf("%s\n", error.what());
    }
    accelerator.reset();
    std::printf("%s\n", accelerator.self_test(bytes_of(argv[4]), bytes_of(argv[5])).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
