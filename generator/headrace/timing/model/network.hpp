// The scheduler: which words pass in a cycle, and which components have to step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "graph.hpp"

namespace cycles {

class Network {
 public:
  // `most` frames; if `slowest` is not 0, as many as are under way at once at so many cycles per frame, and `more`; if
  // `cycles` is not 0, no more once two frames took longer. pace: cycles per frame at which the source gives its words, 0
  // for one in every cycle.
  struct Frames {
    int64_t most, slowest, more, cycles, pace;
  };

  // depths: of every FIFO in the order of the graph; 0 leaves it out.
  Network(const int64_t* graph, const int64_t* depths) {
    Reader reader(graph);
    const int64_t streams = reader.next();
    for (int64_t k = 0; k < streams; ++k) wire_.push_back(k);
    words_.resize(streams);
    ends_.assign(streams, {-1, -1});
    streams_.valid = streams_.ready = streams_.moves = Bits((streams + 63) / 64);
    source_words_ = reader.next();
    sink_ = reader.next();
    sink_words_ = reader.next();
    const int64_t components = reader.next();
    for (int64_t k = 0; k < components; ++k) add_component(reader, depths);
    sink_ = wire_[sink_];
    awake_ = Bits((components_.size() + 63) / 64);
    for (size_t k = 0; k < components_.size(); ++k) add(awake_, static_cast<int64_t>(k));
  }

  // Runs until `frames` frames have left. Returns the frames that have, fewer in a deadlock. ends: the cycle of every
  // frame's last word. traces: the cycle of every word of every stream, room for all of its words, or null.
  // repeats: stop earlier where the state at a frame's end was there before; period[0] frames and period[1] cycles ago.
  int64_t run(const Frames& asked, bool repeats, int64_t* ends, int64_t* const* traces, int64_t* period) {
    std::vector<Integers> states;
    int64_t frames = asked.most;
    const int64_t supply = repeats ? kForever : frames * source_words_;
    int64_t done = 0;
    add(streams_.ready, sink_);
    for (int64_t cycle = 0; done < frames; ++cycle) {
      const int64_t offered = words_[0] == supply ? kForever : (words_[0] * asked.pace + source_words_ - 1) / source_words_;
      if (offered <= cycle) add(streams_.valid, 0);
      else remove(streams_.valid, 0);
      const int64_t before = words_[sink_];
      transfer(cycle, traces);
      step(cycle);
      if (empty(awake_) && empty(streams_.moves)) {
        const int64_t next = offered > cycle ? std::min(alarm_, offered) : alarm_;
        if (next == kForever) {
          stuck_ = true;
          return done;
        }
        cycle = next - 1;
      }
      if (words_[sink_] != before && words_[sink_] % sink_words_ == 0) {
        ends[done++] = cycle;
        if (done == 1 && asked.slowest > 0) {
          frames = std::min(frames, (cycle - first_cycle_) / asked.slowest + asked.more);
        }
        if (asked.cycles > 0 && done > 2 && ends[done - 1] - ends[done - 2] > asked.cycles &&
            ends[done - 2] - ends[done - 3] > asked.cycles) {
          return done;
        }
        if (repeats && recurs(states, ends, done, asked.pace, period)) return done;
      }
    }
    return done;
  }

  void report(int64_t* first_cycle, int64_t* most, int64_t* waits) const {
    *first_cycle = first_cycle_;
    for (size_t k = 0; k < fifos_.size(); ++k) most[k] = fifos_[k] < 0 ? 0 : components_[fifos_[k]]->most();
    for (size_t k = 0; stuck_ && k < wire_.size(); ++k) {
      const int64_t wire = wire_[k];
      const bool valid = streams_.valid[wire >> 6] >> (wire & 63) & 1;
      const bool ready = streams_.ready[wire >> 6] >> (wire & 63) & 1;
      waits[k] = valid ? ready ? 0 : 1 : ready ? 2 : 3;
    }
  }

 private:
  struct Ends {
    int64_t producer, reader;  // components, -1 outside
  };

  void add_component(Reader& reader, const int64_t* depths) {
    const auto kind = static_cast<Kind>(reader.next());
    std::vector<int64_t> in = reader.counted();
    const std::vector<int64_t> out = reader.counted();
    for (int64_t& stream : in) stream = wire_[stream];
    const int64_t depth = kind == kQueue ? depths[fifos_.size()] : 0;
    if (kind == kQueue && depth == 0) {
      wire_[out[0]] = in[0];
      fifos_.push_back(-1);
      return;
    }
    const auto index = static_cast<int64_t>(components_.size());
    std::vector<Port> inputs, outputs;
    for (const int64_t k : in) {
      inputs.emplace_back(streams_.ready, streams_.moves, k);
      ends_[k].reader = index;
    }
    for (const int64_t k : out) {
      outputs.emplace_back(streams_.valid, streams_.moves, k);
      ends_[k].producer = index;
    }
    if (kind == kQueue) fifos_.push_back(index);
    components_.push_back(factory_.component(kind, inputs, outputs, depth, reader));
  }

  // Moves the words of this cycle, which wakes the components on either side.
  void transfer(int64_t cycle, int64_t* const* traces) {
    for (size_t w = 0; w < streams_.moves.size(); ++w) streams_.moves[w] = streams_.valid[w] & streams_.ready[w];
    each(streams_.moves, [&](int64_t k) {
      const Ends& ends = ends_[k];
      if (ends.producer >= 0) add(awake_, ends.producer);
      if (ends.reader >= 0) add(awake_, ends.reader);
      if (traces != nullptr) traces[k][words_[k]] = cycle;
      if (k == 0 && words_[k] == 0) first_cycle_ = cycle;
      ++words_[k];
    });
  }

  // Steps the components that are awake.
  void step(int64_t cycle) {
    if (alarm_ <= cycle) {
      alarm_ = kForever;
      for (size_t k = 0; k < components_.size(); ++k) {
        if (components_[k]->wake <= cycle) add(awake_, static_cast<int64_t>(k));
        else alarm_ = std::min(alarm_, components_[k]->wake);
      }
    }
    each(awake_, [&](int64_t k) {
      Component& component = *components_[k];
      if (component.next < cycle) component.skip(cycle - component.next);
      const int64_t quiet = component.step();
      component.show();
      component.next = cycle + 1;
      component.wake = quiet == kForever ? kForever : cycle + 1 + quiet;
      if (quiet == 0) return;
      remove(awake_, k);
      alarm_ = std::min(alarm_, component.wake);
    });
  }

  // Has this state, at the end of frame number `done`, been there before?
  bool recurs(std::vector<Integers>& states, const int64_t* ends, int64_t done, int64_t pace,
              int64_t* period) const {
    Integers state;
    if (pace > 0) state.push_back(words_[0] * pace - ends[done - 1] * source_words_);
    for (const auto& component : components_) component->save(state);
    for (const auto& component : components_) {  // a sleeping counter stands where it fell asleep
      state.push_back(component->wake == kForever ? 0 : component->next - ends[done - 1]);
    }
    for (auto before = states.rbegin(); before != states.rend(); ++before) {
      if (*before != state) continue;
      period[0] = before - states.rbegin() + 1;
      period[1] = ends[done - 1] - ends[done - 1 - period[0]];
      return true;
    }
    states.push_back(std::move(state));
    return false;
  }

  std::vector<int64_t> wire_;   // for every stream of the graph the one that carries its words
  std::vector<int64_t> words_;  // passed on every stream
  std::vector<Ends> ends_;      // of every stream
  Streams streams_;
  Factory factory_;
  std::vector<std::unique_ptr<Component>> components_;
  std::vector<int64_t> fifos_;  // components of the FIFOs, -1 where one is left out
  Bits awake_;                  // components that step
  int64_t alarm_ = kForever;    // when the first sleeping counter runs out, or before
  int64_t source_words_ = 0, sink_ = 0, sink_words_ = 0, first_cycle_ = 0;
  bool stuck_ = false;
};

}  // namespace cycles
