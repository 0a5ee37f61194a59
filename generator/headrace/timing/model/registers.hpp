// The registers that decide when words move, as the modules of rtl_sim/rtl/parts have them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>
#include "streams.hpp"

namespace cycles {

// headrace_skid.sv: two words. `take`: a word comes in; `leave`: the word at the output is taken.
struct Skid {
  bool ready = false, valid = false, spare = false;

  // True if a register changes.
  bool step(bool take, bool leave) {
    const bool move = leave || !valid, was_ready = ready, was_valid = valid, was_spare = spare;
    if (move) valid = spare || take;
    spare = !move && (was_spare || take);
    ready = !spare;
    return ready != was_ready || valid != was_valid || spare != was_spare;
  }
  int64_t held() const { return int64_t{valid} + int64_t{spare}; }
  void save(Integers& state) const { state.push_back(ready | valid << 1 | spare << 2); }
};

// headrace_spaced_slice.sv: one word and the enable of the pipeline in front of it. `here`: a result stands at the
// input; `next`: one will after an enabled cycle; `leave`: the word at the output is taken.
struct SpacedSlice {
  bool enabled = false, full = false;

  // True if a register changes.
  bool step(bool here, bool next, bool leave) {
    const bool was_enabled = enabled, was_full = full;
    full = (was_enabled && here) || (was_full && !leave);
    enabled = !(full && (was_enabled ? next : here));
    return enabled != was_enabled || full != was_full;
  }
  void save(Integers& state) const { state.push_back(enabled | full << 1); }
};

// Register stages behind one enable; the bits are words under way.
struct Stages {
  uint64_t words = 0;
  int count = 0;

  bool last(bool now) const { return count == 0 ? now : words >> (count - 1) & 1; }
  // What will be last after the next shift; without stages that is not known, and a word may come.
  bool last_but_one(bool now) const { return count == 0 || (count == 1 ? now : words >> (count - 2) & 1); }
  void shift(bool word) {
    if (count > 0) words = (words << 1 | (word ? 1 : 0)) & ((uint64_t{1} << count) - 1);
  }
};

// An output register of one word, which is filled in the cycle in which its word is taken.
struct Register {
  bool full = false;

  bool free(bool leave) const { return leave || !full; }
  // True if it changes.
  bool step(bool take, bool leave) {
    const bool was = full;
    if (free(leave)) full = take;
    return full != was;
  }
};

}  // namespace cycles
