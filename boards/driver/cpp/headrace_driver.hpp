// Driver of an accelerator made by headrace: C++17, the files beside this one are all it needs. model.hpp is made for
// the accelerator.
//
// A device gives registers and transfers: linux_device.hpp is the one of a board with Linux.
#ifndef HEADRACE_DRIVER_HPP
#define HEADRACE_DRIVER_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "host.hpp"
#include "memories.hpp"
#include "packing.hpp"

namespace headrace {

class Device {
 public:
  virtual ~Device() = default;
  virtual uint32_t read(uint32_t offset) = 0;
  virtual void write(uint32_t offset, uint32_t value) = 0;
  // Sends all bytes of `in` in one transfer and receives at most those of `out` in another, which shrinks to what came.
  virtual void transfer(const std::vector<uint8_t>& in, std::vector<uint8_t>& out) = 0;
  // Sends the weights of stream number `port` in `times` transfers while the next transfer of frames runs.
  virtual void replay(size_t port, const std::vector<uint8_t>& image, size_t times) {
    (void)image, (void)times;
    throw std::logic_error("this device has no stream of weights number " + std::to_string(port));
  }
  // Ends all transfers where they are, those of weights too.
  virtual void reset() = 0;
  // Receives what is left behind an accelerator that is held, for no use, after reset(). True if a transfer ended, so
  // that there may be more.
  virtual bool collect() = 0;
};

// Calls done() until it is true. Throws std::runtime_error that says `what` has not happened in so many seconds.
template <class Done>
void wait_until(Done done, double seconds, const std::string& what) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!done()) {
    if (std::chrono::steady_clock::now() > end) {
      throw std::runtime_error(what + " within " + std::to_string(int(seconds)) +
                               " seconds; check the clock and the bitstream of the board");
    }
  }
}

class Accelerator {
 public:
  // weights: the contents of w0_axis.bin, w1_axis.bin, ... where the accelerator takes weights from memory. Whatever
  // the device was doing ends. Throws std::runtime_error if the device does not hold this model,
  // std::invalid_argument for weights of another one.
  explicit Accelerator(Device& device, const std::vector<std::vector<uint8_t>>& weights = {}) : device_(device) {
    if (device_.read(model::REGISTER_MAGIC) != model::MAGIC) {
      throw std::runtime_error("there is no headrace accelerator");
    }
    for (uint32_t k = 0; k < 8; ++k) {
      if (device_.read(model::REGISTER_HASH0 + 4 * k) != model::HASH[k]) {
        throw std::runtime_error("the board holds another model; load the bitstream of the same build");
      }
    }
    if (weights.size() != model::WEIGHT_STREAMS.size()) {
      throw std::invalid_argument("the accelerator has " + std::to_string(model::WEIGHT_STREAMS.size()) +
                                  " streams of weights; give the contents of their files w0_axis.bin, "
                                  "w1_axis.bin, ...");
    }
    for (size_t k = 0; k < weights.size(); ++k) load_image(model::WEIGHT_STREAMS[k], weights[k]);
    reset();
  }

  // Resets the accelerator and its DMAs: what is inside and what is under way is lost, counters begin at 0.
  void reset() {
    device_.write(model::REGISTER_CONTROL, model::CONTROL_HOLD);  // it drops what comes
    device_.reset();
    wait_until([this] { return status(model::STATUS_QUIET); }, 5, "the words that wait for the accelerator do not end");
    for (int rests = 0; device_.collect(); ++rests) {
      if (rests > 256) throw std::runtime_error("words come from an accelerator that is held; check the bitstream");
    }
    device_.reset();  // with what was collected
    device_.write(model::REGISTER_CONTROL, model::CONTROL_RESET);
    wait_until([this] { return !status(model::STATUS_IN_RESET); }, 5, "the accelerator does not leave its reset");
    at_work_ = false;
    frames_ = 0;
  }

  // Gives a layer that was built as writable other weights, row by row (MH, MW), and thresholds (MH, N) where it has
  // some and they are given. To be done while no frame is inside. Throws std::invalid_argument for what does not fit
  // the layer, before anything changes.
  void write_weights(const std::string& layer, const std::vector<int64_t>& weights,
                     const std::vector<int64_t>& thresholds = {}) {
    const model::Writable& entry = writable(layer);
    const std::vector<uint8_t> words = weight_words(entry, weights);
    const std::vector<uint8_t> bounds =
        thresholds.empty() ? std::vector<uint8_t>() : threshold_words(entry, thresholds);
    write_memory(entry.memory, words);
    if (!bounds.empty()) write_memory(entry.memory + 1, bounds);
  }

  // Writes all words of a memory, each in whole parts of 32 bits, as in the files LAYER_weights.bin and
  // LAYER_thresholds.bin.
  void write_memory(uint32_t memory, const std::vector<uint8_t>& words) {
    written_.insert(memory);
    device_.write(model::REGISTER_MEMORY, memory);
    device_.write(model::REGISTER_WORD, 0);
    for (size_t i = 0; i + 4 <= words.size(); i += 4) {
      device_.write(model::MEMORY_DATA,
                    words[i] | words[i + 1] << 8 | words[i + 2] << 16 | uint32_t(words[i + 3]) << 24);
    }
  }

  // The last integers of `frames` samples of the only input, in stream order. x: samples one behind the other, each as
  // the model takes it.
  template <size_t Ends = model::INPUTS.size() + model::OUTPUTS.size()>
  std::vector<int64_t> integers(const float* x, size_t frames) {
    static_assert(Ends == 2, "the model has several inputs or outputs: give a map of samples by their names");
    std::vector<uint32_t> codes(frames * model::IN_ELEMENTS);
    encode_frames(model::INPUTS[0], x, frames, codes);
    return run(pack(codes, model::IN_LANES, model::IN_BITS, model::IN_WORD_BYTES), frames);
  }

  // Outputs y = scale * integer + offset in the model's order; where its head leaves fewer values, in the order of
  // channels, rows, columns in front of it.
  template <size_t Ends = model::INPUTS.size() + model::OUTPUTS.size()>
  std::vector<float> predict(const float* x, size_t frames) {
    return decode(model::OUTPUTS[0], integers<Ends>(x, frames));
  }

  // The same by the names of inputs and outputs, for any number of them. Throws std::invalid_argument for other names
  // and for different numbers of samples.
  Named<int64_t> integers(const Named<float>& x) {
    const size_t frames = frames_of(x);
    std::vector<uint32_t> codes(frames * model::IN_ELEMENTS);
    for (const model::Input& input : model::INPUTS) encode_frames(input, x.at(input.name).data(), frames, codes);
    const std::vector<int64_t> values = run(pack(codes, model::IN_LANES, model::IN_BITS, model::IN_WORD_BYTES), frames);
    Named<int64_t> result;
    for (const model::Output& output : model::OUTPUTS) result[output.name] = integers_of(output, values);
    return result;
  }

  Named<float> predict(const Named<float>& x) {
    const Named<int64_t> values = integers(x);
    Named<float> result;
    for (const model::Output& output : model::OUTPUTS) result[output.name] = decode(output, values.at(output.name));
    return result;
  }

  // Replays verified vectors: "exact", or what differs first.
  std::string self_test(const std::vector<uint8_t>& input, const std::vector<uint8_t>& golden) {
    const std::vector<int64_t> got = run(input, input.size() / model::IN_FRAME_BYTES);
    const std::vector<uint64_t> wanted = unpack(golden, model::OUT_LANES, model::OUT_BITS, model::OUT_WORD_BYTES);
    for (size_t i = 0; i < got.size(); ++i) {
      if (got[i] == integer(wanted[i])) continue;
      return "frame " + std::to_string(i / model::OUT_ELEMENTS) + ", " + place(i % model::OUT_ELEMENTS) +
             ": the board gives " + std::to_string(got[i]) + ", the golden model " + std::to_string(integer(wanted[i]));
    }
    return "exact";
  }

 private:
  // Several copies of a matrix make a transfer.
  void load_image(const model::WeightStream& stream, const std::vector<uint8_t>& matrix) {
    if (matrix.size() != stream.bytes) {
      throw std::invalid_argument(std::string(stream.layer) + ": " + std::to_string(matrix.size()) +
                                  " bytes of weights should be " + std::to_string(stream.bytes));
    }
    images_.emplace_back();
    for (size_t copy = 0; copy < stream.copies; ++copy) {
      images_.back().insert(images_.back().end(), matrix.begin(), matrix.end());
    }
  }

  std::vector<int64_t> run(const std::vector<uint8_t>& in, size_t frames) {
    const size_t wanted = frames * model::OUT_FRAME_BYTES;
    std::vector<uint8_t> out(wanted);
    if (std::max(in.size(), out.size()) > model::MAX_TRANSFER_BYTES) {
      throw std::invalid_argument("a transfer has at most " + std::to_string(model::MAX_TRANSFER_BYTES) + " bytes; "
                                  "send fewer frames at once");
    }
    require_weights();
    if (at_work_) reset();  // the transfer before this one failed
    require_whole_transfers();
    at_work_ = true;
    device_.write(model::REGISTER_FRAMES, uint32_t(frames));
    for (size_t k = 0; k < images_.size(); ++k) device_.replay(k, images_[k], frames * model::WEIGHT_STREAMS[k].times);
    device_.transfer(in, out);
    if (out.size() != wanted) {
      throw std::runtime_error("a transfer from the accelerator ended after " + std::to_string(out.size()) + " of " +
                               std::to_string(wanted) + " bytes");
    }
    frames_ += uint32_t(frames);
    require_whole_transfers();
    at_work_ = false;
    std::vector<int64_t> values;
    for (uint64_t code : unpack(out, model::OUT_LANES, model::OUT_BITS, model::OUT_WORD_BYTES)) values.push_back(integer(code));
    return values;
  }

  // Throws std::runtime_error where weights are in UltraRAM and nobody has written them: it has no contents after
  // power-up.
  void require_weights() const {
    for (const model::Writable& layer : model::WRITABLE) {
      if (!layer.uram || written_.count(layer.memory) > 0) continue;
      throw std::runtime_error(std::string(layer.layer) + ": its weights are in UltraRAM, which is empty after "
                               "power-up; write them with write_weights, or " + layer.layer +
                               "_weights.bin with write_memory as self_test.cpp does");
    }
  }

  bool status(uint32_t bits) { return (device_.read(model::REGISTER_STATUS) & bits) != 0; }

  // Throws std::runtime_error if not all frames that came since a reset were whole, this driver's, and left again.
  void require_whole_transfers() {
    if (status(model::STATUS_CUT_WORD | model::STATUS_CUT_FRAME | model::STATUS_CUT_WEIGHTS)) {
      throw std::runtime_error("a transfer ended inside a word, a frame or a matrix of weights, so that what comes out "
                               "belongs to no frame; call reset()");
    }
    const uint32_t given = device_.read(model::REGISTER_FRAMES_IN), taken = device_.read(model::REGISTER_FRAMES_OUT);
    if (given == frames_ && taken == frames_) return;
    throw std::runtime_error(std::to_string(given) + " frames entered and " + std::to_string(taken) +
                             " left, but this driver sent " + std::to_string(frames_) +
                             ", so that what comes out belongs to other frames; call reset()");
  }

  Device& device_;
  std::vector<std::vector<uint8_t>> images_;
  std::set<uint32_t> written_;  // memories
  uint32_t frames_ = 0;   // since the reset
  bool at_work_ = false;  // from the start of a transfer until all of its results are there
};

// Index of the largest of n values, the lowest one on ties.
inline size_t argmax(const float* y, size_t n) { return size_t(std::max_element(y, y + n) - y); }

// Indices of the k largest of n values, the largest first, the lowest index first on ties.
inline std::vector<size_t> topk(const float* y, size_t n, size_t k) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(), [y](size_t a, size_t b) { return y[a] > y[b]; });
  order.resize(k);
  return order;
}

}  // namespace headrace

#endif
