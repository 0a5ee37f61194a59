// Samples to codes: a sample is compared with the float32 numbers at which its code changes.
#ifndef HEADRACE_QUANTIZER_HPP
#define HEADRACE_QUANTIZER_HPP

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "model.hpp"

namespace headrace {

// The code of a sample of channel c. Throws std::invalid_argument for a value that the model does not take.
inline uint32_t encode(float x, size_t c) {
  const float value = x * model::SIGNS[c];
  const float* first = model::DECISION_POINTS[c];
  const float* last = first + model::CODES;  // the end of the range
  if (!std::isfinite(x)) throw std::invalid_argument("the input holds values that are not finite");
  if (!model::SATURATES && (value < *first || value >= *last)) {
    throw std::invalid_argument("the input holds values outside the range in which the model reads it");
  }
  const int64_t step = std::upper_bound(first + 1, last, value) - (first + 1);
  if (model::IN_BIPOLAR) return uint32_t(step);
  const uint64_t mask = (uint64_t(1) << model::IN_BITS) - 1;
  return uint32_t(uint64_t(model::IN_LOW + step) & mask);
}

}  // namespace headrace

#endif
