// A network of two processes that keeps every rule; test_hls.py breaks one at a time.
#define AP_INT_MAX_W 4096
#include <stdint.h>
#include <ap_int.h>
#include <ap_axi_sdata.h>
#include <hls_stream.h>

typedef ap_uint<16> Word;
typedef ap_axiu<16, 0, 0, 0> Beat;

static const uint64_t weights[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};

struct Offset {
  int value() const { return 3; }
};

template <int N>
int sum(const ap_uint<16> (&words)[N]) {
  int total = 0;
  for (int i = 0; i < N; ++i) {
    total += words[i];
  }
  return total;
}

static void scale(hls::stream<Word>& in, hls::stream<Word>& out) {
#pragma HLS INLINE off
  ap_uint<16> last[4];
#pragma HLS ARRAY_PARTITION variable=last complete dim=1
  for (int i = 0; i < 8; ++i) {
#pragma HLS PIPELINE II=1
    const Word word = in.read();
    last[i % 4] = ap_uint<8>(word.range(7, 0)) + weights[i / 4][i % 4];
    out.write(sum<4>(last) + Offset().value());
  }
}

static void finish(hls::stream<Word>& in, hls::stream<Beat>& out) {
#pragma HLS INLINE off
  for (int i = 0; i < 8; ++i) {
#pragma HLS PIPELINE II=1
    Beat beat;
    beat.data = in.read();
    beat.last = i == 7;
    out.write(beat);
  }
}

extern "C" void accelerator(hls::stream<Word>& s_axis, hls::stream<Beat>& m_axis) {
#pragma HLS INTERFACE mode=axis port=s_axis
#pragma HLS INTERFACE mode=axis port=m_axis
#pragma HLS INTERFACE mode=ap_ctrl_none port=return
#pragma HLS DATAFLOW
  hls::stream<Word> scaled;
#pragma HLS STREAM variable=scaled depth=4
  scale(s_axis, scaled);
  finish(scaled, m_axis);
}
