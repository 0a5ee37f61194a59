// The C++ driver of a model of several ends on a simulated board: several_driver BOARD RTL INPUT GOLDEN [NAME FILE]...
// Prints the verdict of the self-test, that for another last word, the integers of every output in the order of the
// model and the outputs, a line each, then what is said of samples without the first input, of one sample less of the
// last one, and of a part of a sample.
#include "sim_device.hpp"

static void refusal(headrace::Accelerator& accelerator, const headrace::Named<float>& x) {
  try {
    accelerator.predict(x);
  } catch (const std::invalid_argument& error) {
    std::printf("%s\n", error.what());
  }
}

int main(int count, char** argv) {
  SimDevice device(argv[1], argv[2]);
  headrace::Accelerator accelerator(device);
  std::vector<uint8_t> golden = bytes_of(argv[4]);
  std::printf("%s\n", accelerator.self_test(bytes_of(argv[3]), golden).c_str());
  golden[golden.size() - model::OUT_WORD_BYTES] ^= 1;
  std::printf("%s\n", accelerator.self_test(bytes_of(argv[3]), golden).c_str());
  headrace::Named<float> x;
  for (int i = 5; i + 1 < count; i += 2) {
    const std::vector<uint8_t> raw = bytes_of(argv[i + 1]);
    const float* values = reinterpret_cast<const float*>(raw.data());
    x[argv[i]].assign(values, values + raw.size() / sizeof(float));
  }
  const auto integers = accelerator.integers(x);
  for (const model::Output& output : model::OUTPUTS) {
    for (int64_t value : integers.at(output.name)) std::printf("%lld ", static_cast<long long>(value));
    std::printf("\n");
  }
  const auto y = accelerator.predict(x);
  for (const model::Output& output : model::OUTPUTS) {
    for (float value : y.at(output.name)) std::printf("%.9g ", double(value));
    std::printf("\n");
  }
  headrace::Named<float> fewer = x;
  fewer.erase(model::INPUTS.front().name);
  refusal(accelerator, fewer);
  std::vector<float>& last = x.at(model::INPUTS.back().name);
  last.resize(last.size() - model::INPUTS.back().elements);
  refusal(accelerator, x);
  last.pop_back();
  refusal(accelerator, x);
  return 0;
}
