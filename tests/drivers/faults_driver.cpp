// Resets at random moments and transfers that break, in the C++ driver on a simulated board:
//   faults_driver BOARD RTL INPUT GOLDEN SEED RESETS BROKEN
// Prints how often each verdict came: "exact", "wrong", or the error that a self-test ended with after a reset.
#include <map>
#include <random>

#include "sim_device.hpp"

// Lets a random time pass after every access, as a processor does, and breaks a transfer where it is told to.
class PausingDevice : public SimDevice {
 public:
  PausingDevice(const char* program, const char* folder, uint32_t seed) : SimDevice(program, folder), random_(seed) {}

  uint32_t below(uint32_t end) { return std::uniform_int_distribution<uint32_t>(0, end - 1)(random_); }
  void break_next() { breaks_ = true; }

  uint32_t read(uint32_t offset) override {
    const uint32_t value = SimDevice::read(offset);
    rest();
    return value;
  }
  void write(uint32_t offset, uint32_t value) override {
    SimDevice::write(offset, value);
    rest();
  }
  void reset() override {
    SimDevice::reset();
    rest();
  }
  bool collect() override {
    const bool ended = SimDevice::collect();
    rest();
    return ended;
  }

  // Bytes of some frames, those that are given where there are as many, perhaps some more or less, and room for the
  // results of another number of frames.
  void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) override {
    if (breaks_) {
      breaks_ = false;
      std::vector<uint8_t> other = in;
      other.resize(frames() * model::IN_FRAME_BYTES - 9 * below(2) + below(2) * below(10));
      out.resize(frames() * model::OUT_FRAME_BYTES);
      SimDevice::transfer(other, out);
    } else {
      SimDevice::transfer(in, out);
    }
  }

  uint32_t frames() { return 1 + below(below(2) ? 4 : 39); }

 private:
  void rest() {
    if (below(2)) pass(below(300));
  }
  std::mt19937 random_;
  bool breaks_ = false;
};

struct Vectors {
  std::vector<uint8_t> input, golden;
};

std::string judged(headrace::Accelerator& accelerator, const Vectors& vectors) {
  try {
    return accelerator.self_test(vectors.input, vectors.golden) == "exact" ? "exact" : "wrong";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string after_a_reset(PausingDevice& device, headrace::Accelerator& accelerator, const Vectors& vectors) {
  const uint32_t frames = 1 + device.below(39);
  device.write(model::REGISTER_FRAMES, frames);
  device.begin(std::vector<uint8_t>(frames * model::IN_FRAME_BYTES, 5), frames * model::OUT_FRAME_BYTES);
  device.pass(1 + device.below(frames * 800));
  accelerator.reset();
  return judged(accelerator, vectors);
}

// The transfer that breaks is the driver's own, or one beside it. An error is right as long as a reset ends it.
std::string after_a_broken_transfer(PausingDevice& device, headrace::Accelerator& accelerator, const Vectors& vectors) {
  device.break_next();
  if (device.below(2)) {
    if (judged(accelerator, vectors) == "wrong") return "wrong";
  } else {
    device.write(model::REGISTER_FRAMES, device.frames());
    std::vector<uint8_t> out;
    try {
      device.transfer({}, out);
    } catch (const std::runtime_error&) {
    }
  }
  const std::string verdict = judged(accelerator, vectors);
  if (verdict == "exact" || verdict == "wrong") return verdict;
  accelerator.reset();
  return judged(accelerator, vectors);
}

int main(int, char** argv) {
  PausingDevice device(argv[1], argv[2], uint32_t(std::atol(argv[5])));
  headrace::Accelerator accelerator(device);
  const Vectors vectors{bytes_of(argv[3]), bytes_of(argv[4])};
  std::map<std::string, int> counts;
  for (long k = 0; k < std::atol(argv[6]); ++k) ++counts[after_a_reset(device, accelerator, vectors)];
  for (long k = 0; k < std::atol(argv[7]); ++k) ++counts[after_a_broken_transfer(device, accelerator, vectors)];
  for (const auto& [verdict, count] : counts) std::printf("%s: %d\n", verdict.c_str(), count);
  return 0;
}
