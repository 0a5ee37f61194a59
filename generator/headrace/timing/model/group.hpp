// The registers of 64 streams, a bit each, that decide when words move: as the modules of rtl_sim/rtl/parts have them.
//
// A stream belongs to the output of one layer and to the input of one other. What a layer with one output has for itself
// is at the bit of its output stream: "at the output". What belongs to a layer's input is at the bit of that stream.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>
#include "bits.hpp"
#include "countdown.hpp"

namespace cycles {

// What lies on either side of every stream, and does not change when all are placed.
struct Kinds {
  Word input_slice = 0;  // at the input: a slice of two words (headrace_skid.sv)
  Word sink = 0;         // the network's output, which is always ready

  Word slice = 0;      // at the output: a slice of two words that a pipeline fills
  Word fifo = 0;       // a slice of two words that a stream fills
  Word spaced = 0;     // one word, and the enable of the pipeline in front of it (headrace_spaced_slice.sv)
  Word single = 0;     // one word; the enable of the pipeline in front of it follows TREADY
  Word narrow = 0;     // one word, whose units are counted: see Group::count_down
  Word widen = 0;
  Word queue = 0;      // counters, with a register of one word: see counters.hpp
  Word ring = 0;
  Word window = 0;     // a counter, with a slice at the output
  Word selection = 0;  // with a slice at the output

  Word program = 0;     // at the output: reads and writes in one order
  Word ahead = 0;       // cycles that put nothing do not wait for room at the output
  Word no_stage = 0;    // between what puts words and the output register
  Word one_stage = 0;

  // What several have in common, known when all are placed. filled: slices behind a pipeline; always: the register in
  // front of which its reader's TREADY is the enable; direct: what says itself whether it is ready.
  Word slices = 0, registers = 0, converters = 0, buffers = 0, filled = 0, always = 0, direct = 0;

  void complete() {
    slices = slice | fifo | window | selection;
    registers = single | narrow | queue | ring;
    converters = narrow | widen;
    buffers = ring | window;
    filled = slice | window;
    always = single | ring;
    direct = queue | ring | converters;
  }
};

// Registers behind one enable: the words in them, and a word of which layers enters here. The last is the same for all.
struct Stage {
  Word words = 0, enter = 0;
};

struct Group {
  Kinds kinds;

  // Streams.
  Word valid = 0, ready = 0, moves = 0;
  // Slices at the input: a word, and another one.
  Word in_valid = 0, in_spare = 0;
  // At the output: the second word of a slice and its room for one; the enable of spaced pipelines; words under way.
  Word spare = 0, room = 0, enable = 0;
  std::vector<Stage> stages;
  // Of programs: what the current step does. Of counters: what they may do next, and which are visited in any case.
  Word reads = 0, writes = 0, accepts = 0, next = 0, again = 0;
  Countdown left;  // of programs: how often the step is repeated; of converters: units of a word

  // Of this cycle. given: at the output, a word is there for the layer.
  Word here = 0, given = 0, enabled = 0, free = 0, emits = 0, fires = 0, ended = 0;
  // At the output: the input slice's word is taken; what a layer without input slices is ready for; both at the input.
  Word leaves = 0, open = 0, in_leaves = 0, in_open = 0;
  // Words that selections put; slices whose second word was ever there or first one.
  Word put = 0, held = 0, held_both = 0;
  Word changes = 0;

  // Which words move; what is there for readers.
  void transfer() {
    moves = valid & ready;
    here = chosen(kinds.input_slice, in_valid, moves);
  }

  // What every layer does.
  void act() {
    free = moves | ~valid;
    enabled = (kinds.filled & room) | (kinds.spaced & enable) | (kinds.always & free);
    const Word there = kinds.program & (given | ~reads);
    emits = enabled & next & kinds.buffers;
    fires = there & (enabled | (kinds.ahead & ~writes));
    leaves = (fires & reads) | (kinds.window & given & accepts);
    changes = fires & (reads | writes);
    put_out((there & writes) | (kinds.window & emits));
  }

  // Steps of programs and units of words are counted. Where a word becomes `units` words (headrace_dwc.sv), what is left
  // of it lies behind the output register; where they become one, the last completes it in the output register, which is
  // then known to be free.
  void count_down() {
    const Word there = kinds.narrow & (given | next);
    ended = left.go_on(fires | (there & free) | (kinds.widen & given));
    const Word whole = ended & kinds.converters;
    if (whole != 0) left.restart(whole);
    valid |= whole & kinds.widen;
    const Word busy = there & ~ended;
    next = chosen(kinds.narrow, busy, next);
    accepts = chosen(kinds.converters, ~busy & ~(kinds.widen & valid & left.last()), accepts);
  }

  // Counters that are visited, and whether they put a word.
  Word visits() const {
    return again | (given & (kinds.queue | kinds.ring)) | (kinds.window & leaves) | emits | (free & next & kinds.queue);
  }
  Word takes() const { return (kinds.window & leaves) | (given & ~kinds.window); }
  Word puts() const { return emits | (kinds.queue & free & next); }

  // What layers without input slices are ready for in the next cycle.
  void open_inputs() {
    open = (kinds.slices & room) | (kinds.spaced & enable) | (kinds.single & ~valid) | (kinds.direct & accepts);
  }

  // Slices at the inputs.
  void settle() {
    const Word move = in_leaves | ~in_valid, more = in_spare | moves, slice = kinds.input_slice;
    const Word now_valid = slice & chosen(move, more, in_valid), now_spare = slice & ~move & more;
    const Word now_ready = chosen(slice, ~now_spare, in_open) | kinds.sink;
    changes |= (in_valid ^ now_valid) | (in_spare ^ now_spare) | (ready ^ now_ready) | moves;
    in_valid = now_valid;
    in_spare = now_spare;
    ready = now_ready;
  }

  // Cycles, if nothing changes, until the foremost word on its way through stages comes to the last but one.
  int64_t until_out() const {
    const auto count = static_cast<int64_t>(stages.size());
    for (int64_t k = count; k-- > 0;) {
      if (stages[k].words & enabled) return std::max<int64_t>(1, count - 1 - k);
    }
    return kForever;
  }

  // Passes over so many of these cycles.
  void go_through(int64_t cycles) {
    for (auto k = static_cast<int64_t>(stages.size()); k-- > 0;) {
      stages[k].words = chosen(enabled, k >= cycles ? stages[k - cycles].words : 0, stages[k].words);
    }
  }

  void save(Integers& state) const {
    for (const Word word : {valid, ready, in_valid, in_spare, spare, room, enable, reads, writes, accepts, next, again}) {
      state.push_back(static_cast<int64_t>(word));
    }
    for (const Stage& stage : stages) state.push_back(static_cast<int64_t>(stage.words));
    left.save(state);
  }

 private:
  // The stages behind one enable and the register at the output. writes: words that enter.
  void put_out(Word words) {
    const size_t count = stages.size();
    const Word last = (words & kinds.no_stage) | (count > 0 ? stages[count - 1].words : 0);
    const Word last_but_one = kinds.no_stage | (words & kinds.one_stage) | (count > 1 ? stages[count - 2].words : 0);
    go_through_stages(words);
    const Word comes = (last & enabled & kinds.filled) | (given & kinds.fifo) | put;
    const Word fills = (kinds.single & last) | (kinds.narrow & (given | next)) | (kinds.queue & next) |
                       (kinds.ring & emits);
    Word full = (valid & ~moves) | (kinds.spaced & enable & last);
    full = chosen(kinds.registers, chosen(free, fills, valid), full);
    const Word waits = spare | comes;
    const Word now_valid = chosen(kinds.slices, chosen(free, waits, valid), full);
    const Word now_spare = kinds.slices & ~free & waits, now_room = kinds.slices & ~now_spare;
    const Word now_enable = kinds.spaced & ~(now_valid & chosen(enable, last_but_one, last));
    changes |= (valid ^ now_valid) | (spare ^ now_spare) | (enable ^ now_enable) | (room ^ now_room);
    valid = now_valid;
    spare = now_spare;
    room = now_room;
    enable = now_enable;
    held |= now_valid;
    held_both |= now_spare;
  }

  void go_through_stages(Word words) {
    const Word by = enabled;
    Word comes = 0;
    for (Stage& stage : stages) {
      const Word was = stage.words;
      stage.words = chosen(by, comes | (words & stage.enter), was);
      comes = was;
    }
  }
};

}  // namespace cycles
