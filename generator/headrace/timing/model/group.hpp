// The registers of 64 streams, a bit each, that decide when words move: as the modules of rtl_sim/rtl/parts have them.
//
// A stream belongs to the output of one layer and to the input of one other. What a layer with one output has for itself
// is at the bit of its output stream: "at the output". What belongs to a layer's input is at the bit of that stream.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>
#include "bits.hpp"

namespace cycles {

// What lies on either side of every stream, and does not change.
struct Kinds {
  Word input_slice = 0;  // at the input: a slice of two words (headrace_skid.sv)
  Word sink = 0;         // the network's output, which is always ready

  Word slice = 0;      // at the output: a slice of two words that a pipeline fills
  Word fifo = 0;       // a slice of two words that a stream fills
  Word spaced = 0;     // one word, and the enable of the pipeline in front of it (headrace_spaced_slice.sv)
  Word single = 0;     // one word; the enable of the pipeline in front of it follows TREADY
  Word narrow = 0;     // counters: see counters.hpp; a register of one word
  Word widen = 0;
  Word queue = 0;
  Word ring = 0;
  Word window = 0;     // a counter, with a slice at the output
  Word selection = 0;  // with a slice at the output

  Word program = 0;     // at the output: reads and writes in one order
  Word ahead = 0;       // cycles that put nothing do not wait for room at the output
  Word no_stage = 0;    // between what puts words and the output register
  Word one_stage = 0;
  std::vector<Word> enter;  // of each stage: a word of which layers enters here; the last stage is the same for all

  Word slices() const { return slice | fifo | window | selection; }
  Word registers() const { return single | narrow | queue | ring; }
  Word counters() const { return narrow | widen | queue | ring | window; }
};

struct Group {
  Kinds kinds;

  // Streams.
  Word valid = 0, ready = 0, moves = 0;
  // Slices at the input: a word, and another one.
  Word in_valid = 0, in_spare = 0;
  // At the output: the second word of a slice and its room for one; the enable of spaced pipelines; words under way.
  Word spare = 0, room = 0, enable = 0;
  std::vector<Word> stages;
  // Of programs: what the current step does. Of counters: what they may do next, and which are visited in any case.
  Word reads = 0, writes = 0, accepts = 0, next = 0, again = 0;

  // Of this cycle. given: at the output, a word is there for the layer.
  Word here = 0, given = 0, enabled = 0, free = 0, emits = 0, fires = 0;
  // At the output: the input slice's word is taken; what a layer without input slices is ready for; both at the input.
  Word leaves = 0, open = 0, in_leaves = 0, in_open = 0;
  // Words that selections put; slices whose second word was ever there or first one.
  Word put = 0, held = 0, held_both = 0;
  bool changes = false;

  // Which words move; what is there for readers.
  void transfer() {
    moves = valid & ready;
    here = chosen(kinds.input_slice, in_valid, moves);
  }

  // What every layer does.
  void act() {
    free = moves | ~valid;
    enabled = ((kinds.slice | kinds.window) & room) | (kinds.spaced & enable) | ((kinds.single | kinds.ring) & free);
    const Word there = kinds.program & (given | ~reads);
    emits = enabled & next & (kinds.ring | kinds.window);
    fires = there & (enabled | (kinds.ahead & ~writes));
    leaves = (fires & reads) | (kinds.window & given & accepts);
    changes = (fires & (reads | writes)) != 0;
    put_out((there & writes) | (kinds.window & emits));
  }

  // Counters that are visited, and whether they put a word.
  Word visits() const {
    const Word takes = given & (kinds.narrow | kinds.widen | kinds.queue | kinds.ring);
    return again | ((takes | (kinds.window & leaves) | emits | (free & next & (kinds.narrow | kinds.queue)) |
                     (moves & kinds.widen)) & kinds.counters());
  }
  Word takes() const { return (kinds.window & leaves) | (given & ~kinds.window); }
  Word puts() const { return emits | (kinds.queue & free & next); }

  // What layers without input slices are ready for in the next cycle.
  void open_inputs() {
    open = (kinds.slices() & room) | (kinds.spaced & enable) | (kinds.single & ~valid) |
           (kinds.counters() & ~kinds.window & accepts);
  }

  // Slices at the inputs.
  void settle() {
    const Word move = in_leaves | ~in_valid, more = in_spare | moves, slice = kinds.input_slice;
    const Word was_valid = in_valid, was_spare = in_spare, was_ready = ready;
    in_valid = slice & chosen(move, more, in_valid);
    in_spare = slice & ~move & more;
    ready = chosen(slice, ~in_spare, in_open) | kinds.sink;
    changes |= (in_valid ^ was_valid) | (in_spare ^ was_spare) | (ready ^ was_ready) | moves;
  }

  // Cycles, if nothing changes, until the foremost word on its way through stages comes to the last but one.
  int64_t until_out() const {
    const auto count = static_cast<int64_t>(stages.size());
    for (int64_t k = count; k-- > 0;) {
      if (stages[k] & enabled) return std::max<int64_t>(1, count - 1 - k);
    }
    return kForever;
  }

  // Passes over so many of these cycles.
  void go_through(int64_t cycles) {
    for (auto k = static_cast<int64_t>(stages.size()); k-- > 0;) {
      stages[k] = chosen(enabled, k >= cycles ? stages[k - cycles] : 0, stages[k]);
    }
  }

  void save(Integers& state) const {
    for (const Word word : {valid, ready, in_valid, in_spare, spare, room, enable, reads, writes, accepts, next, again}) {
      state.push_back(static_cast<int64_t>(word));
    }
    state.insert(state.end(), stages.begin(), stages.end());
  }

 private:
  // The stages behind one enable and the register at the output. writes: words that enter.
  void put_out(Word words) {
    Word last = words & kinds.no_stage, last_but_one = kinds.no_stage | (words & kinds.one_stage);
    const size_t count = stages.size();
    if (count > 0) last |= stages[count - 1];
    if (count > 1) last_but_one |= stages[count - 2];
    for (size_t k = count; k-- > 0;) {
      stages[k] = chosen(enabled, (k > 0 ? stages[k - 1] : 0) | (words & kinds.enter[k]), stages[k]);
    }
    const Word was_valid = valid, was_spare = spare, was_room = room, was_enable = enable;
    const Word slices = kinds.slices();
    const Word comes = (last & enabled & (kinds.slice | kinds.window)) | (given & kinds.fifo) | put;
    const Word filled = (kinds.single & last) | (kinds.narrow & (given | next)) | (kinds.queue & next) |
                        (kinds.ring & emits);
    Word full = valid & ~moves;
    full = chosen(kinds.spaced, (enable & last) | full, full);
    full = chosen(kinds.registers(), chosen(free, filled, valid), full);
    valid = chosen(slices, chosen(free, spare | comes, valid), full);
    spare = slices & ~free & (spare | comes);
    room = slices & ~spare;
    enable = kinds.spaced & ~(valid & chosen(enable, last_but_one, last));
    held |= valid;
    held_both |= spare;
    changes |= (valid ^ was_valid) | (spare ^ was_spare) | (room ^ was_room) | (enable ^ was_enable);
  }
};

}  // namespace cycles
