// What the host does before and after the accelerator: samples to codes of a frame, integers of a frame to outputs.
#ifndef HEADRACE_HOST_HPP
#define HEADRACE_HOST_HPP

#include <map>
#include <string>
#include <vector>

#include "quantizer.hpp"

namespace headrace {

// Samples or results by the names of the model's inputs or outputs, one frame behind the other.
template <class Value>
using Named = std::map<std::string, std::vector<Value>>;

// The integer that a code of the output stands for.
inline int64_t integer(uint64_t code) {
  if (model::OUT_BIPOLAR) return 2 * int64_t(code) - 1;
  const int64_t sign = int64_t(1) << (model::OUT_BITS - 1);
  return model::OUT_SIGNED ? (int64_t(code) ^ sign) - sign : int64_t(code);
}

// Samples of an input in channels, rows, columns, or as its order says, to its codes in rows, columns, channels of all
// frames.
inline void encode_frames(const model::Input& input, const float* x, size_t frames, std::vector<uint32_t>& codes) {
  const size_t pixels = input.elements / input.channels;
  for (size_t i = 0; i < frames * input.elements; ++i) {
    const size_t frame = i / input.elements, at = i % input.elements, c = at % input.channels;
    const size_t element = c * pixels + at / input.channels;
    const float sample = x[frame * input.elements + (input.order ? input.order[element] : element)];
    codes[frame * model::IN_ELEMENTS + input.first + at] = encode(input, sample, c);
  }
}

// The integers of an output in those of all frames.
inline std::vector<int64_t> integers_of(const model::Output& output, const std::vector<int64_t>& values) {
  std::vector<int64_t> own;
  for (size_t at = output.first; at < values.size(); at += model::OUT_ELEMENTS) {
    own.insert(own.end(), values.begin() + std::ptrdiff_t(at), values.begin() + std::ptrdiff_t(at + output.elements));
  }
  return own;
}

// y = scale * integer + offset in the model's order, of the integers of an output.
inline std::vector<float> decode(const model::Output& output, const std::vector<int64_t>& own) {
  const size_t channels = output.channels, pixels = output.elements / channels;
  std::vector<float> y(own.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t frame = i / output.elements, pixel = i / channels % pixels, c = i % channels;
    y[(frame * channels + c) * pixels + pixel] = float(double(own[i]) * output.scale[c] + output.offset[c]);
  }
  if (!output.order) return y;
  std::vector<float> ordered(y.size());
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t element = i % output.elements;
    ordered[i] = y[i - element + output.order[element]];
  }
  return ordered;
}

// The frames of samples by name. Throws std::invalid_argument for other names, parts of samples, and different numbers
// of samples.
inline size_t frames_of(const Named<float>& x) {
  std::string names;
  bool same = x.size() == model::INPUTS.size();
  for (const model::Input& input : model::INPUTS) {
    names += (names.empty() ? "" : " and ") + std::string(input.name);
    same = same && x.count(input.name);
  }
  if (!same) throw std::invalid_argument("the model takes " + names + "; give a map of samples by these names");
  const size_t frames = x.at(model::INPUTS[0].name).size() / model::INPUTS[0].elements;
  for (const model::Input& input : model::INPUTS) {
    const size_t size = x.at(input.name).size();
    if (size == 0 || size % input.elements != 0) {
      throw std::invalid_argument(std::string(input.name) + " has " + std::to_string(size) + " values but a sample " +
                                  std::to_string(input.elements) + "; give one or more whole samples");
    }
    if (size / input.elements != frames) {
      throw std::invalid_argument("the inputs have different numbers of samples; give equally many of each");
    }
  }
  return frames;
}

// Where an element of a frame is.
inline std::string place(size_t element) {
  const model::Output* output = &model::OUTPUTS[0];
  for (const model::Output& next : model::OUTPUTS) {
    if (next.first <= element) output = &next;
  }
  const size_t at = element - output->first;
  return (model::OUTPUTS.size() > 1 ? "output " + std::string(output->name) + ", " : "") + "pixel " +
         std::to_string(at / output->channels) + ", channel " + std::to_string(at % output->channels);
}

}  // namespace headrace

#endif
