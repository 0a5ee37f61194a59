// Samples to codes: round(x * scale / divisor) in float64, for inputs of many codes; the build has proved that no
// rounding of float64 shows.
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
  if (rule == "half_up") return nearest(y, true);
  if (rule == "half_away") return std::copysign(nearest(std::abs(y), true), y);
  if (rule == "half_inward") return std::copysign(nearest(std::abs(y), false), y);
  if (rule == "floor") return std::floor(y);
  if (rule == "ceil") return std::ceil(y);
  if (rule == "away") return std::copysign(std::ceil(std::abs(y)), y);
  return std::trunc(y);  // inward
}

// The code of a sample of channel c. Throws std::invalid_argument for a value that the model does not take.
inline uint32_t encode(float x, size_t c) {
  if (!std::isfinite(x)) throw std::invalid_argument("the input holds values that are not finite");
  const double low = double(model::IN_LOW), high = double(model::IN_HIGH);
  const double integer = rounded(double(x) * model::IN_SCALE[c] / model::IN_DIVISOR[c], model::ROUNDING);
  if (!model::SATURATES && (integer < low || integer > high)) {
    throw std::invalid_argument("the input holds values outside the range in which the model reads it");
  }
  const uint64_t mask = (uint64_t(1) << model::IN_BITS) - 1;
  return uint32_t(uint64_t(int64_t(std::clamp(integer, low, high))) & mask);
}

}  // namespace headrace

#endif
