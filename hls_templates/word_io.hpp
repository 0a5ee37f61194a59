// Stream words in files: every word in whole bytes, lowest first.
#ifndef HEADRACE_WORD_IO_HPP
#define HEADRACE_WORD_IO_HPP

#include <stdio.h>
#include <stdlib.h>

#include "words.hpp"

namespace headrace {

// Next word of `file`; a file that ends too early ends the program.
template <int BITS>
ap_uint<BITS> read_word(FILE* file) {
  uint64_t chunks[chunks_of(BITS)] = {};
  for (int b = 0; b < (BITS + 7) / 8; ++b) {
    const int byte = fgetc(file);
    if (byte == EOF) {
      fprintf(stderr, "the input ends inside a frame\n");
      exit(4);
    }
    chunks[b / 8] |= uint64_t(byte) << (b % 8 * 8);
  }
  return join_word<BITS>(chunks);
}

template <int BITS>
void write_word(FILE* file, const ap_uint<BITS>& word) {
  uint64_t chunks[chunks_of(BITS)];
  split_word<BITS>(word, chunks);
  for (int b = 0; b < (BITS + 7) / 8; ++b) fputc(int(chunks[b / 8] >> (b % 8 * 8) & 0xFF), file);
}

// File to stream and stream to file.
template <int BITS>
void feed(hls::stream<ap_uint<BITS> >& stream, FILE* file, long words) {
  for (long i = 0; i < words; ++i) stream.write(read_word<BITS>(file));
}

template <int BITS>
void drain(hls::stream<ap_uint<BITS> >& stream, FILE* file, long words) {
  for (long i = 0; i < words; ++i) write_word<BITS>(file, stream.read());
}

}  // namespace headrace

#endif
