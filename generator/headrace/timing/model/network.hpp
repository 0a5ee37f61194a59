// One cycle after the other: which words pass which streams.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "history.hpp"
#include "wiring.hpp"

namespace cycles {

class Network {
 public:
  // `most` frames; if `slowest` is not 0, as many as are under way at once at so many cycles per frame, and `more`; if
  // `cycles` is not 0, no more once two frames took longer. pace: cycles per frame at which the source gives its words, 0
  // for one in every cycle. patient: not if the second was shorter.
  struct Frames {
    int64_t most, slowest, more, cycles, pace;
    bool patient;
  };

  // depths: of every FIFO in the order of the graph; 0 leaves it out.
  Network(const int64_t* graph, const int64_t* depths) : wiring_(graph, depths), groups_(wiring_.groups) {
    for (Group& at : groups_) each(at.kinds.program, 64 * (&at - groups_.data()), [&](int64_t k) { enter(k); });
    group(wiring_.sink).ready |= bit(wiring_.sink);
  }

  // Runs until `frames` frames have left. Returns the frames that have, fewer in a deadlock. ends: the cycle of every
  // frame's last word. traces: the cycle of every word of every stream, room for all of its words, or null.
  // repeats: stop earlier where the state was there before; period[0] frames and period[1] cycles ago.
  int64_t run(const Frames& asked, bool repeats, int64_t* ends, int64_t* const* traces, int64_t* period) {
    History history(wiring_.sink_words);
    std::vector<int64_t> traced(traces == nullptr ? 0 : wiring_.streams.size());
    int64_t frames = asked.most, done = 0, given = 0, taken = 0, waited = -1;
    const int64_t supply = repeats ? kForever : frames * wiring_.source_words, first = wiring_.source_words;
    int64_t offered = supply > 0 ? 0 : kForever;  // the cycle of the source's next word
    for (int64_t cycle = 0; done < frames; ++cycle) {
      groups_[0].valid = chosen(1, offered <= cycle, groups_[0].valid);
      if (offered > cycle) waited = cycle;
      step();
      if (traces != nullptr) trace(cycle, traces, traced);
      if (groups_[0].moves & 1) {
        if (given++ == 0) first_cycle_ = cycle;
        offered = given == supply ? kForever : (given * asked.pace + first - 1) / first;
      }
      if (!changes()) {
        const int64_t quiet = std::min(least_left(), offered > cycle ? offered - cycle : kForever);
        if (quiet == kForever) {
          stuck_ = true;
          return done;
        }
        skip(quiet - 1);
        cycle += quiet - 1;
      }
      if (!moves(wiring_.sink)) continue;
      const bool whole = ++taken == wiring_.sink_words;
      if (whole) {
        ends[done++] = cycle;
        if (done == 1 && asked.slowest > 0) {
          frames = std::min(frames, (cycle - first_cycle_) / asked.slowest + asked.more);
        }
        if (asked.cycles > 0 && done > 2 && falls_behind(asked, ends + done - 3)) return done;
      }
      const int64_t late = asked.pace > 0 ? cycle * first - given * asked.pace : 0;
      if (repeats && history.keeps(taken) && history.knows(taken, {cycle, late, waited, state()}, period)) return done;
      if (whole) taken = 0;
    }
    return done;
  }

  // ends: of the last three frames.
  static bool falls_behind(const Frames& asked, const int64_t* ends) {
    const int64_t before = ends[1] - ends[0], last = ends[2] - ends[1];
    return before > asked.cycles && last > asked.cycles && (last >= before || !asked.patient);
  }

  void report(int64_t* first_cycle, int64_t* most, int64_t* waits) const {
    *first_cycle = first_cycle_;
    for (size_t k = 0; k < wiring_.fifos.size(); ++k) most[k] = held(wiring_.fifos[k]);
    for (size_t k = 0; stuck_ && k < wiring_.wire.size(); ++k) {
      const int64_t wire = wiring_.wire[k];
      const bool valid = group(wire).valid & bit(wire), ready = group(wire).ready & bit(wire);
      waits[k] = valid ? ready ? 0 : 1 : ready ? 2 : 3;
    }
  }

 private:
  Group& group(int64_t k) { return groups_[k >> 6]; }
  const Group& group(int64_t k) const { return groups_[k >> 6]; }
  bool moves(int64_t k) const { return group(k).moves & bit(k); }

  static void put(Word& word, int64_t k, bool value) { word = (word & ~bit(k)) | (value ? bit(k) : 0); }

  void step() {
    Word carry = 0;
    for (Group& at : groups_) {
      at.transfer();
      at.given = at.here << 1 | carry;
      carry = at.here >> 63;
    }
    for (const Link& link : wiring_.links) put(group(link.output).given, link.output, here(link.input));
    for (const Join& join : wiring_.joins) put(group(join.output).given, join.output, all_here(join));
    for (Group& at : groups_) at.put = 0;
    for (Choice& choice : wiring_.choices) choose(choice);
    for (Group& at : groups_) at.act();
    for (size_t k = 0; k < groups_.size(); ++k) count(groups_[k], static_cast<int64_t>(64 * k));
    settle();
    for (size_t k = 0; k < groups_.size(); ++k) go_on(groups_[k], static_cast<int64_t>(64 * k));
  }

  bool here(int64_t k) const { return group(k).here & bit(k); }

  // Are all words there that a step of a layer with several inputs reads?
  bool all_here(const Join& join) const {
    const int64_t source = wiring_.programs[join.output].now().source;
    if (source >= 0) return here(join.inputs[source]);
    return std::all_of(join.inputs.begin(), join.inputs.end(), [&](int64_t k) { return here(k); });
  }

  void choose(Choice& choice) {
    const int64_t k = choice.output;
    const auto now = choice.selection.step(here(choice.input), group(k).room & bit(k));
    put(group(k).put, k, now.puts);
    choice.leaves = now.leaves;
    choice.changes = now.changes;
  }

  // Visits counters.
  void count(Group& at, int64_t first) {
    at.count_down();
    const Word visits = at.visits();
    at.again = 0;
    count<Window>(at, visits & at.kinds.window, first);
    count<Ring>(at, visits & at.kinds.ring, first);
    count<Queue>(at, visits & at.kinds.queue, first);
    at.changes |= at.again;
    at.open_inputs();
  }

  template <typename Kind>
  void count(Group& at, Word visits, int64_t first) {
    if (visits == 0) return;
    const Word takes = at.takes(), puts = at.puts();
    Word accepts = at.accepts & ~visits, next = at.next & ~visits, again = at.again;
    each(visits, first, [&](int64_t k) {
      const Word one = bit(k);
      const Visit now{(takes & one) != 0, (puts & one) != 0, (at.free & one) != 0, (at.valid & one) != 0};
      const Outlook then = std::get_if<Kind>(&wiring_.counters[k])->visit(now);
      accepts |= then.accepts ? one : 0;
      next |= then.next ? one : 0;
      again |= then.again ? one : 0;
    });
    at.accepts = accepts;
    at.next = next;
    at.again = again;
  }

  // What layers take from their input slices, and what they are ready for, is brought to their inputs.
  void settle() {
    for (size_t k = 0; k < groups_.size(); ++k) {
      const bool last = k + 1 == groups_.size();
      groups_[k].in_leaves = groups_[k].leaves >> 1 | (last ? 0 : groups_[k + 1].leaves << 63);
      groups_[k].in_open = groups_[k].open >> 1 | (last ? 0 : groups_[k + 1].open << 63);
    }
    for (const Link& link : wiring_.links) {
      const Group& at = group(link.output);
      bring(link.input, at.leaves & bit(link.output), at.open & bit(link.output));
    }
    for (const Join& join : wiring_.joins) {
      const Group& at = group(join.output);
      const int64_t source = wiring_.programs[join.output].now().source;
      for (size_t j = 0; j < join.inputs.size(); ++j) {
        const bool reads = source < 0 || source == static_cast<int64_t>(j);
        bring(join.inputs[j], reads && (at.leaves & bit(join.output)), at.open & bit(join.output));
      }
    }
    for (const Choice& choice : wiring_.choices) bring(choice.input, choice.leaves, false);
    for (const Fork& fork : wiring_.forks) bring(fork.input, all_gone(fork), false);
    for (Group& at : groups_) at.settle();
    for (const Fork& fork : wiring_.forks) {
      if (!(group(fork.input).in_leaves & bit(fork.input))) continue;
      const bool there = group(fork.input).in_valid & bit(fork.input);
      for (const int64_t k : fork.outputs) put(group(k).valid, k, there);
    }
  }

  void bring(int64_t input, bool leaves, bool open) {
    put(group(input).in_leaves, input, leaves);
    put(group(input).in_open, input, open);
  }

  // Has every branch taken the fork's word?
  bool all_gone(const Fork& fork) const {
    return std::none_of(fork.outputs.begin(), fork.outputs.end(), [&](int64_t k) { return group(k).valid & bit(k); });
  }

  // Programs that fired.
  void go_on(Group& at, int64_t first) {
    each(at.ended & at.kinds.program, first, [&](int64_t k) {
      wiring_.programs[k].next();
      enter(k);
      at.changes = ~Word{0};
    });
  }

  void enter(int64_t k) {
    const Program::Step& now = wiring_.programs[k].now();
    group(k).left.start(k, now.repeats);
    put(group(k).reads, k, now.reads);
    put(group(k).writes, k, now.writes);
  }

  bool changes() const {
    return std::any_of(groups_.begin(), groups_.end(), [](const Group& at) { return at.changes != 0; }) ||
           std::any_of(wiring_.choices.begin(), wiring_.choices.end(), [](const Choice& at) { return at.changes; });
  }

  // Cycles until the first step that only counts ends, or a word comes out of its pipeline.
  int64_t least_left() const {
    int64_t least = kForever;
    for (size_t k = 0; k < groups_.size(); ++k) {
      least = std::min(least, groups_[k].until_out());
      each(groups_[k].fires, 0, [&](int64_t lane) { least = std::min(least, groups_[k].left.left(lane)); });
    }
    return least;
  }

  // Passes over cycles in which steps only count and words go on in pipelines.
  void skip(int64_t cycles) {
    if (cycles == 0) return;
    for (size_t k = 0; k < groups_.size(); ++k) {
      groups_[k].go_through(cycles);
      Countdown& steps = groups_[k].left;
      each(groups_[k].fires, 0, [&](int64_t lane) { steps.start(lane, steps.left(lane) - cycles); });
    }
  }

  void trace(int64_t cycle, int64_t* const* traces, std::vector<int64_t>& traced) const {
    for (size_t k = 0; k < groups_.size(); ++k) {
      each(groups_[k].moves, static_cast<int64_t>(64 * k),
           [&](int64_t at) { traces[wiring_.streams[at]][traced[at]++] = cycle; });
    }
  }

  // Most words that a FIFO held; -1: it is left out.
  int64_t held(int64_t k) const {
    if (k < 0) return 0;
    if (const auto* queue = std::get_if<Queue>(&wiring_.counters[k])) return queue->most();
    return group(k).held_both & bit(k) ? 2 : group(k).held & bit(k) ? 1 : 0;
  }

  // All that decides what comes, but for the source.
  Integers state() const {
    Integers state;
    for (const Group& at : groups_) at.save(state);
    for (const Program& program : wiring_.programs) program.save(state);
    for (const Counter& counter : wiring_.counters) save(counter, state);
    for (const Choice& choice : wiring_.choices) choice.selection.save(state);
    return state;
  }

  static void save(const Counter& counter, Integers& state) {
    switch (counter.index()) {
      case 0: return;
      case 1: return std::get_if<Window>(&counter)->save(state);
      case 2: return std::get_if<Ring>(&counter)->save(state);
      default: return std::get_if<Queue>(&counter)->save(state);
    }
  }

  Wiring wiring_;
  std::vector<Group>& groups_;
  int64_t first_cycle_ = 0;
  bool stuck_ = false;
};

}  // namespace cycles
