// rounding NUMBERS RULE...: the integers of the numbers of a file by every rule, a line each.
#include <cstdio>
#include <fstream>

#include "headrace_driver.hpp"

int main(int count, char** argv) {
  for (int i = 2; i < count; ++i) {
    std::ifstream file(argv[1], std::ios::binary);
    for (double y; file.read(reinterpret_cast<char*>(&y), sizeof y);) {
      std::printf("%.1f ", headrace::rounded(y, argv[i]));
    }
    std::printf("\n");
  }
}
