// Runs the accelerator on frames from a file: testbench FRAMES INPUT OUTPUT [GOLDEN]
//
// INPUT holds the words of all frames, OUTPUT receives theirs, each in whole bytes, lowest first. Exit status 0 says
// that TLAST stood on the last word of every frame and on no other, and that OUTPUT equals GOLDEN.
//
// With HEADRACE_TRACE defined the fourth file is written instead: for every stream inside the accelerator, in the order
// of their declaration, bytes per word and number of words, as 64-bit integers, then the words.
//
// With g++ and the folder AP_TYPES of ap_int.h:
//   g++ -std=c++14 -O2 -I. -Iinclude -Isim -isystem AP_TYPES top.cpp testbench.cpp -o testbench
#include <stdio.h>
#include <stdlib.h>

#include "axis.hpp"
#include "config.hpp"
#include "word_io.hpp"

typedef ap_uint<headrace::padded_bits(config::IN_BITS)> InWord;
typedef ap_axiu<headrace::padded_bits(config::OUT_BITS), 0, 0, 0> OutBeat;

extern "C" void accelerator(hls::stream<InWord>& s_axis, hls::stream<OutBeat>& m_axis);

static FILE* open_file(const char* path, const char* mode) {
  FILE* file = fopen(path, mode);
  if (file == NULL) {
    fprintf(stderr, "cannot open %s\n", path);
    exit(4);
  }
  return file;
}

static void run_frame(FILE* input, FILE* output) {
  hls::stream<InWord> s_axis;
  hls::stream<OutBeat> m_axis;
  headrace::feed(s_axis, input, config::IN_WORDS);
#ifdef HEADRACE_TRACE
  hls::sim::trace().on = true;
  hls::sim::trace().next = 0;
#endif
  accelerator(s_axis, m_axis);
#ifdef HEADRACE_TRACE
  hls::sim::trace().on = false;
#endif
  for (int i = 0; i < config::OUT_WORDS; ++i) {
    const OutBeat beat = m_axis.read();
    if ((beat.last == 1) != (i == config::OUT_WORDS - 1)) {
      fprintf(stderr, "csim: TLAST is wrong on output word %d\n", i);
      exit(3);
    }
    headrace::write_word(output, beat.data);
  }
}

#ifndef HEADRACE_TRACE
// Exit status: 0 if both files hold the same bytes.
static int compare_files(const char* path, const char* golden_path) {
  FILE* got = open_file(path, "rb");
  FILE* golden = open_file(golden_path, "rb");
  long bytes = 0;
  int byte = fgetc(got);
  int wanted = fgetc(golden);
  while (byte == wanted && byte != EOF) {
    ++bytes;
    byte = fgetc(got);
    wanted = fgetc(golden);
  }
  fclose(got);
  fclose(golden);
  if (byte == wanted) return 0;
  fprintf(stderr, "%s differs from %s at byte %ld\n", path, golden_path, bytes);
  return 1;
}
#else
static void write_trace(FILE* file) {
  for (const hls::sim::Recorded& stream : hls::sim::trace().streams) {
    const uint64_t head[2] = {uint64_t(stream.word_bytes), uint64_t(stream.words.size() / stream.word_bytes)};
    fwrite(head, sizeof head, 1, file);
    fwrite(stream.words.data(), 1, stream.words.size(), file);
  }
}
#endif

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: testbench FRAMES INPUT OUTPUT [GOLDEN]\n");
    return 2;
  }
  FILE* input = open_file(argv[2], "rb");
  FILE* output = open_file(argv[3], "wb");
  for (long frame = 0; frame < atol(argv[1]); ++frame) run_frame(input, output);
  fclose(input);
  fclose(output);
#ifdef HEADRACE_TRACE
  if (argc > 4) {
    FILE* trace = open_file(argv[4], "wb");
    write_trace(trace);
    fclose(trace);
  }
  return 0;
#else
  return argc > 4 ? compare_files(argv[3], argv[4]) : 0;
#endif
}
