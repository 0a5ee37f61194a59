// packing: reads lanes, bits, count, bytes of a word and the codes as 32-bit integers from stdin, writes the packed bytes to stdout.
// Exit status 1 if they do not unpack to the same codes.
#include <cstdio>

#include "headrace_driver.hpp"

int main() {
  uint32_t head[4];
  if (fread(head, sizeof head, 1, stdin) != 1) return 2;
  std::vector<uint32_t> codes(head[2]);
  if (fread(codes.data(), 4, codes.size(), stdin) != codes.size()) return 2;
  const std::vector<uint8_t> bytes = headrace::pack(codes, head[0], head[1], head[3]);
  fwrite(bytes.data(), 1, bytes.size(), stdout);
  const std::vector<uint64_t> back = headrace::unpack(bytes, head[0], head[1], head[3]);
  return std::equal(back.begin(), back.end(), codes.begin(), codes.end()) ? 0 : 1;
}
