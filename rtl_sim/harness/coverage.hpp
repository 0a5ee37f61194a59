// The file of what a run reached, where the model was compiled with Verilator's coverage: one of every run, where it runs.
#ifndef COVERAGE_HPP
#define COVERAGE_HPP

#include <unistd.h>

#include <cstdio>

#include "verilated.h"
#if VM_COVERAGE
#include "verilated_cov.h"
#endif

inline void write_coverage(VerilatedContext& context) {
#if VM_COVERAGE
  char name[32];
  std::snprintf(name, sizeof name, "coverage%d.dat", int(getpid()));
  context.coveragep()->write(name);
#else
  (void)context;
#endif
}

#endif
