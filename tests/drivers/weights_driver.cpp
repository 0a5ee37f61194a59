// Weights through the C++ driver on a simulated board: weights_driver BOARD RTL FOLDER LAYER NEW SAMPLES FRAMES
// FOLDER holds input.bin, golden.bin and weights. Prints what is said where memories are empty, then the verdict of the
// self-test with what belongs into them, and ends there if no LAYER is named; else the integers of the samples after LAYER
// got the weights and thresholds in NEW, then the verdict with the old ones again, then what is said of weights that do
// not fit.
#include "memories.hpp"
#include "sim_device.hpp"

static std::vector<int64_t> take(std::ifstream& file, size_t count) {
  std::vector<int64_t> values(count);
  file.read(reinterpret_cast<char*>(values.data()), std::streamsize(8 * count));
  return values;
}

int main(int argc, char** argv) {
  SimDevice device(argv[1], argv[2]);
  const std::string folder = std::string(argv[3]) + "/";
  const auto file = [&folder](const std::string& name) { return bytes_of((folder + name).c_str()); };
  std::vector<std::vector<uint8_t>> streams;
  for (size_t k = 0; k < model::WEIGHT_STREAMS.size(); ++k) {
    streams.push_back(file("w" + std::to_string(k) + "_axis.bin"));
  }
  headrace::Accelerator accelerator(device, streams);
  const auto verdict = [&] {
    std::printf("%s\n", accelerator.self_test(file("input.bin"), file("golden.bin")).c_str());
  };
  try {
    verdict();
  } catch (const std::runtime_error& error) {
    std::printf("%s\n", error.what());
    for (const model::Writable& layer : model::WRITABLE) {
      if (layer.uram) accelerator.write_memory(layer.memory, file(std::string(layer.layer) + "_weights.bin"));
    }
    verdict();
  }
  if (argc < 5) return 0;
  const model::Writable& layer = headrace::writable(argv[4]);
  std::ifstream fresh(argv[5], std::ios::binary);
  const std::vector<int64_t> weights = take(fresh, layer.mh * layer.mw);
  const std::vector<int64_t> thresholds = take(fresh, layer.mh * layer.steps);
  accelerator.write_weights(argv[4], weights, thresholds);
  const std::vector<uint8_t> raw = bytes_of(argv[6]);
  for (int64_t value : accelerator.integers(reinterpret_cast<const float*>(raw.data()), size_t(std::atol(argv[7])))) {
    std::printf("%lld ", static_cast<long long>(value));
  }
  std::printf("\n");
  accelerator.write_memory(layer.memory, file(std::string(argv[4]) + "_weights.bin"));
  if (layer.steps > 0) accelerator.write_memory(layer.memory + 1, file(std::string(argv[4]) + "_thresholds.bin"));
  verdict();
  std::vector<int64_t> wrong = weights;
  wrong[1] = layer.high + 1;
  try {
    accelerator.write_weights(argv[4], wrong, thresholds);
  } catch (const std::invalid_argument& error) {
    std::printf("%s\n", error.what());
  }
  return 0;
}
