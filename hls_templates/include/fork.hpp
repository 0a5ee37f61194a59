// Fork: every word goes to all OUTPUTS streams.
//
// An iteration ends when all of them had room, so a full branch holds the others up: the depths of the streams behind
// must cover what one branch takes before the other gives. In RTL every branch takes a word at its own time.
#ifndef HEADRACE_FORK_HPP
#define HEADRACE_FORK_HPP

#include "words.hpp"

namespace headrace {

template <class C, typename... Streams>
void fork(hls::stream<ap_uint<C::PE * C::E_BITS> >& in, Streams&... outs) {
#pragma HLS INLINE
  static_assert(sizeof...(outs) == C::OUTPUTS, "OUTPUTS is the number of output streams");
  for (loop_count i = 0; i < frames() * C::WORDS; ++i) {
#pragma HLS PIPELINE II=1 style=flp
    const ap_uint<C::PE * C::E_BITS> word = in.read();
    const int written[] = {(outs.write(word), 0)...};
    (void)written;
  }
}

}  // namespace headrace

#endif
