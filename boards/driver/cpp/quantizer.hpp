// Samples to codes. A sample is compared with the float32 numbers at which its code changes; where there are many
// codes it is rounded in float64, and the build has proved that no rounding of float64 shows.
#ifndef HEADRACE_QUANTIZER_HPP
#define HEADRACE_QUANTIZER_HPP

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "model.hpp"

namespace headrace {

// The nearest integer; a tie goes up, or else down.
inline double nearest(double y, bool ties_up) {
  const double whole = std::floor(y);
  return whole + (ties_up ? y - whole >= 0.5 : y - whole > 0.5);
}

// The integer of a number by a rule of rounding.
inline double rounded(double y, std::string_view rule) {
  if (rule == "half_even") return std::nearbyint(y);
  if (rule == "half_odd") return nearest(y, std::fmod(std::floor(y), 2) == 0);  // up to the next, which is odd
  if (rule == "half_up") return nearest(y, true);
  if (rule == "half_away") return std::copysign(nearest(std::abs(y), true), y);
  if (rule == "half_inward") return std::copysign(nearest(std::abs(y), false), y);
  if (rule == "floor") return std::floor(y);
  if (rule == "ceil") return std::ceil(y);
  if (rule == "away") return std::copysign(std::ceil(std::abs(y)), y);
  return std::trunc(y);  // inward
}

inline void require_inside(const model::Input& input, bool inside) {
  if (input.saturates || inside) return;
  throw std::invalid_argument("the input holds values outside the range in which the model reads it");
}

// What stands in a word for a sample: its integer, or 0 and 1 where all are -1 and 1.
inline int64_t compared(const model::Input& input, float x, size_t c) {
  const float value = x * input.signs[c];
  const float* first = input.points + c * (input.codes + 1);
  const float* last = first + input.codes;  // the end of the range
  require_inside(input, value >= *first && value < *last);
  const int64_t step = std::upper_bound(first + 1, last, value) - (first + 1);
  if (model::IN_BIPOLAR) return step;
  return input.low + (input.bipolar ? 2 * step : step);  // among inputs of other types -1 and +1 are numbers
}

inline int64_t computed(const model::Input& input, float x, size_t c) {
  const double low = double(input.low), high = double(input.high);
  const double integer = rounded(double(x) * input.scale[c] / input.divisor[c], input.rounding);
  require_inside(input, integer >= low && integer <= high);
  return int64_t(std::clamp(integer, low, high));
}

// The code of a sample of channel c. Throws std::invalid_argument for a value that the model does not take.
inline uint32_t encode(const model::Input& input, float x, size_t c) {
  if (!std::isfinite(x)) throw std::invalid_argument("the input holds values that are not finite");
  const uint64_t mask = (uint64_t(1) << model::IN_BITS) - 1;
  return uint32_t(uint64_t(input.points ? compared(input, x, c) : computed(input, x, c)) & mask);
}

}  // namespace headrace

#endif
