// Codes to the bytes of stream words and back.
#ifndef HEADRACE_PACKING_HPP
#define HEADRACE_PACKING_HPP

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace headrace {

// Codes in stream order to the bytes of stream words, lane 0 lowest, each word padded to `size` bytes.
template <class Code>
std::vector<uint8_t> pack(const std::vector<Code>& codes, size_t lanes, size_t bits, size_t size) {
  std::vector<uint8_t> bytes(codes.size() / lanes * size);
  for (size_t i = 0; i < codes.size(); ++i) {
    uint64_t code = codes[i];
    size_t bit = i % lanes * bits;
    uint8_t* word = &bytes[i / lanes * size];
    for (size_t left = bits; left > 0;) {  // the bits that fall into one byte at a time
      const size_t fits = std::min(left, 8 - bit % 8);
      word[bit / 8] |= uint8_t((code & ((1u << fits) - 1)) << bit % 8);
      code >>= fits;
      bit += fits;
      left -= fits;
    }
  }
  return bytes;
}

inline std::vector<uint64_t> unpack(const std::vector<uint8_t>& bytes, size_t lanes, size_t bits, size_t size) {
  std::vector<uint64_t> codes(bytes.size() / size * lanes);
  for (size_t i = 0; i < codes.size(); ++i) {
    size_t bit = i % lanes * bits;
    const uint8_t* word = &bytes[i / lanes * size];
    uint64_t code = 0;
    for (size_t done = 0; done < bits;) {
      const size_t fits = std::min(bits - done, 8 - bit % 8);
      code |= uint64_t(word[bit / 8] >> bit % 8 & ((1u << fits) - 1)) << done;
      bit += fits;
      done += fits;
    }
    codes[i] = code;
  }
  return codes;
}

}  // namespace headrace

#endif
