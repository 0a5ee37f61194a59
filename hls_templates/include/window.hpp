// Arithmetic of sliding windows.
#ifndef HEADRACE_WINDOW_HPP
#define HEADRACE_WINDOW_HPP

namespace headrace {

constexpr int window_max(int a, int b) { return a > b ? a : b; }
constexpr int window_min(int a, int b) { return a < b ? a : b; }

// Windows along an axis; pads: before and after it together.
constexpr int window_count(int size, int kernel, int stride, int dilation, int pads) {
  return (size + pads - dilation * (kernel - 1) - 1) / stride + 1;
}

}  // namespace headrace

#endif
