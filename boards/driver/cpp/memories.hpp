// Weights and thresholds to the words of memories in the accelerator, each in whole parts of 32 bits.
#ifndef HEADRACE_MEMORIES_HPP
#define HEADRACE_MEMORIES_HPP

#include <stdexcept>
#include <string>
#include <vector>

#include "model.hpp"
#include "packing.hpp"

namespace headrace {

// The layer of this name whose weights can be written. Throws std::invalid_argument where there is none.
inline const model::Writable& writable(const std::string& layer) {
  for (const model::Writable& entry : model::WRITABLE) {
    if (layer == entry.layer) return entry;
  }
  throw std::invalid_argument(layer + ": its weights cannot be written; build with --writable");
}

inline void require_size(const std::string& layer, const char* what, size_t size, size_t rows, size_t columns) {
  if (size == rows * columns) return;
  throw std::invalid_argument(layer + ": " + std::to_string(size) + " " + what + " should be " + std::to_string(rows) +
                              " x " + std::to_string(columns));
}

// Words in whole parts of 32 bits.
inline std::vector<uint8_t> parts(const std::vector<uint64_t>& codes, size_t lanes, size_t bits) {
  return pack(codes, lanes, bits, (lanes * bits + 31) / 32 * 4);
}

inline uint64_t low_bits(int64_t value, size_t bits) { return uint64_t(value) & ((uint64_t(1) << bits) - 1); }

// Word nf*SF + sf holds rows nf*PE + p and columns sf*SIMD + s as lanes [PE][SIMD].
inline std::vector<uint8_t> weight_words(const model::Writable& layer, const std::vector<int64_t>& weights) {
  require_size(layer.layer, "weights", weights.size(), layer.mh, layer.mw);
  for (const int64_t value : weights) {
    if (value < layer.low || value > layer.high || (layer.bipolar && value == 0)) {
      throw std::invalid_argument(std::string(layer.layer) + ": the weight " + std::to_string(value) +
                                  (layer.bipolar ? " must be -1 or 1" : " must be from " + std::to_string(layer.low) +
                                                                            " to " + std::to_string(layer.high)));
    }
  }
  std::vector<uint64_t> codes;
  for (size_t row = 0; row < layer.mh; row += layer.pe) {
    for (size_t column = 0; column < layer.mw; column += layer.simd) {
      for (size_t lane = 0; lane < layer.pe * layer.simd; ++lane) {
        const int64_t value = weights[(row + lane / layer.simd) * layer.mw + column + lane % layer.simd];
        codes.push_back(layer.bipolar ? value > 0 : low_bits(value, layer.bits));
      }
    }
  }
  return parts(codes, layer.pe * layer.simd, layer.bits);
}

// Word nf*2^S + k + 1 holds threshold k of rows nf*PE + p as lanes [PE], S the bits of N; elsewhere stands a bound that
// is never reached.
inline std::vector<uint8_t> threshold_words(const model::Writable& layer, const std::vector<int64_t>& thresholds) {
  if (layer.steps == 0) throw std::invalid_argument(std::string(layer.layer) + ": has no thresholds; leave them out");
  require_size(layer.layer, "thresholds", thresholds.size(), layer.mh, layer.steps);
  size_t group = 1;
  while (group <= layer.steps) group *= 2;
  std::vector<uint64_t> codes(layer.mh * group, low_bits(layer.never, layer.threshold_bits));
  for (size_t i = 0; i < thresholds.size(); ++i) {
    const size_t row = i / layer.steps, k = i % layer.steps;
    if (k > 0 && thresholds[i] < thresholds[i - 1]) {
      throw std::invalid_argument(std::string(layer.layer) + ": the thresholds of a row do not ascend; sort them");
    }
    int64_t bound = thresholds[i];
    if (layer.matches > 0) {  // the accelerator counts matches: a sum is twice their number less all columns
      const int64_t twice = bound + layer.matches;
      bound = twice / 2 + (twice % 2 > 0);
    }
    bound = std::min(std::max(bound, layer.threshold_low), layer.never);
    codes[(row / layer.pe * group + k + 1) * layer.pe + row % layer.pe] = low_bits(bound, layer.threshold_bits);
  }
  return parts(codes, layer.pe, layer.threshold_bits);
}

}  // namespace headrace

#endif
