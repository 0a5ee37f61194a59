// The C++ driver on a simulated board: sim_driver BOARD RTL SAMPLES FRAMES INPUT GOLDEN
// Prints the verdict of the self-test, then the integers of the samples, one frame on a line, then the scores; then what
// is said of a sample after a transfer beside the driver that ended inside a frame, and the verdict after a reset.
#include "sim_device.hpp"

int main(int, char** argv) {
  SimDevice device(argv[1], argv[2]);
  headrace::Accelerator accelerator(device);
  std::printf("%s\n", accelerator.self_test(bytes_of(argv[5]), bytes_of(argv[6])).c_str());
  const std::vector<uint8_t> raw = bytes_of(argv[3]);
  const float* x = reinterpret_cast<const float*>(raw.data());
  const size_t frames = size_t(std::atol(argv[4]));
  for (int64_t value : accelerator.integers(x, frames)) std::printf("%lld ", static_cast<long long>(value));
  const std::vector<float> y = accelerator.predict(x, frames);
  const size_t scores = y.size() / frames;
  std::printf("\n");
  for (size_t frame = 0; frame < frames; ++frame) {
    const float* row = &y[frame * scores];
    std::printf("%zu %zu ", headrace::argmax(row, scores), headrace::topk(row, scores, 2)[1]);
  }
  std::printf("\n");
  try {
    std::vector<uint8_t> out(model::OUT_FRAME_BYTES);
    device.transfer(std::vector<uint8_t>(model::IN_FRAME_BYTES / 2), out);
  } catch (const std::runtime_error&) {
  }
  try {
    accelerator.integers(x, 1);
  } catch (const std::runtime_error& error) {
    std::printf("%s\n", error.what());
  }
  accelerator.reset();
  std::printf("%s\n", accelerator.self_test(bytes_of(argv[5]), bytes_of(argv[6])).c_str());
  return 0;
}
