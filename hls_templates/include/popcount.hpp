// Number of ones among 64 bits, as a tree of adders: 32 sums of 2 bits, 16 of 4 bits, 8 of 8 bits, and so on.
//
// Invariant: after the step of width k every field of 2k bits holds the number of ones among its own 2k input bits. It
// fits, because 2k < 2^(2k); the masks keep the carries of one field out of the next.
// Input bits that are constant 0 remove their part of the tree in synthesis.
#ifndef HEADRACE_POPCOUNT_HPP
#define HEADRACE_POPCOUNT_HPP

#include <stdint.h>

namespace headrace {

inline int popcount64(uint64_t x) {
#pragma HLS INLINE
  x = (x & 0x5555555555555555) + ((x >> 1) & 0x5555555555555555);
  x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
  x = (x & 0x0F0F0F0F0F0F0F0F) + ((x >> 4) & 0x0F0F0F0F0F0F0F0F);
  x = (x & 0x00FF00FF00FF00FF) + ((x >> 8) & 0x00FF00FF00FF00FF);
  x = (x & 0x0000FFFF0000FFFF) + ((x >> 16) & 0x0000FFFF0000FFFF);
  return int(x & 0xFFFFFFFF) + int(x >> 32);
}

}  // namespace headrace

#endif
