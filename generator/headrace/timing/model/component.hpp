// What the scheduler asks of every component.
#pragma once

#include <cstdint>
#include "streams.hpp"

namespace cycles {

class Component {
 public:
  virtual ~Component() = default;
  // One clock cycle. Returns for how many further ones nothing but a counter would move, if no stream does: 0 if
  // registers changed, kForever if none did.
  virtual int64_t step() = 0;
  // Shows the registers that are TVALID and TREADY.
  virtual void show() = 0;
  // Passes over `cycles` cycles in which only a counter moves.
  virtual void skip(int64_t) {}
  // Appends everything that decides what happens next.
  virtual void save(Integers& state) const = 0;
  // Most words that were held at once; of FIFOs.
  virtual int64_t most() const { return 0; }

  int64_t wake = 0;  // the cycle of the next step
  int64_t next = 0;  // the cycle after the last step
};

}  // namespace cycles
