// A beat of AXI4-Stream for C simulation with g++: DATA bits with TKEEP, TSTRB and TLAST, without the optional signals.
#ifndef HEADRACE_SIM_AP_AXI_SDATA_H
#define HEADRACE_SIM_AP_AXI_SDATA_H

#include <ap_int.h>

template <int DATA, int USER, int ID, int DEST>
struct ap_axiu {
  static_assert(USER == 0 && ID == 0 && DEST == 0, "the optional signals are not simulated");
  ap_uint<DATA> data;
  ap_uint<(DATA + 7) / 8> keep;
  ap_uint<(DATA + 7) / 8> strb;
  ap_uint<1> last;
};

#endif
