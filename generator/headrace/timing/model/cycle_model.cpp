// Flow control of a dataflow, clock cycle by clock cycle: which words pass which streams, not what they hold.
//
// Every module of rtl_sim/rtl takes and gives its words through registers, most in slices of two words
// (headrace_skid.sv), so TVALID and TREADY of a stream depend on registers only. In each cycle the streams that are
// valid and ready transfer; then every register takes its next value from registers and transfers, in any order. One
// word of the processor holds the same register of 64 streams (group.hpp), and a bit of what many of them count
// (countdown.hpp); what counts otherwise has a class (counters.hpp) and is visited when one of its words moves. Cycles in
// which nothing but steps of programs pass are passed over. timing/graph.py writes the graph that is read here and documents its layout.

#include "network.hpp"

// slowest, more: if not 0, no more frames are run than are under way at once at so many cycles per frame, and `more`.
// most_cycles: if not 0, a run ends when two frames after each other took longer.
// pace: cycles per frame at which the source gives its words, 0 for one in every cycle.
// patient: frames may take longer while each takes less than the one before.
// waits: of every stream how it waits, if the dataflow stopped; otherwise it is left as it is.
extern "C" int64_t simulate(const int64_t* graph, const int64_t* depths, int64_t frames, int64_t slowest, int64_t more,
                            int64_t most_cycles, int64_t pace, int64_t patient, int64_t repeats,
                            int64_t* ends, int64_t* const* traces, int64_t* period, int64_t* first_cycle, int64_t* most,
                            int64_t* waits) {
  cycles::Network network(graph, depths);
  const cycles::Network::Frames asked{frames, slowest, more, most_cycles, pace, patient != 0};
  const int64_t done = network.run(asked, repeats != 0, ends, traces, period);
  network.report(first_cycle, most, waits);
  return done;
}
