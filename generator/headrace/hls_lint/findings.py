"""What the lint of HLS C++ can find: the rules of the subset that more than one HLS compiler accepts."""

from __future__ import annotations

from dataclasses import dataclass

#: Every rule by its name, with the reason that makes it one.
RULES: dict[str, str] = {
    "c++14": "HLS compilers read C++14",
    "one-unit": "a network is one translation unit, top.cpp",
    "max-width": "AP_INT_MAX_W, at most 4096, must be defined before the headers of ap_int are read",
    "weights": "constant arrays hold unsigned integers of up to 64 bits: ap_uint has no wider literal",
    "pragma": "what a compiler does not know of a directive, it ignores without a word",
    "stream-depth": "the depth of a stream is a literal number of at least 2, the depth without a directive",
    "interface": "every argument of the top and its return need #pragma HLS INTERFACE with mode=, axis for a stream",
    "free-running": "a top without control signals needs #pragma HLS INTERFACE mode=ap_ctrl_none port=return",
    "extern-c": 'the top is extern "C", so that its name survives',
    "tlast": "a stream of a plain type has no TLAST, which a DMA needs: the output is ap_axiu<W, 0, 0, 0>",
    "stream-name": "a stream's constructor takes no name",
    "stream-width": "a word of a stream has at most 4096 bits",
    "partition": "complete partitioning makes at most 1024 elements",
    "range": "a range is cast before arithmetic: ap_uint<8>(x.range(7, 0)) + 1",
    "recursion": "hardware does not recurse",
    "virtual": "hardware has no virtual functions",
    "dynamic-memory": "hardware allocates no memory",
    "static-state": "a process forgets everything at the end of a frame; declare it in the function, without static",
    "polling": "a process waits for its words, else its results depend on time; only read and write streams",
    "floating-point": "the networks are exact in integers; use ap_int, ap_uint or the integer types",
    "int128": "HLS compilers have no __int128; use ap_int of the width",
    "function-pointer": "hardware calls no addresses; choose by a template argument or by an if",
    "pointer-cast": "memory has no bytes in hardware; convert values, with range() or shifts",
    "stl": "containers of the standard library allocate memory",
    "unbounded-loop": "a loop is a for with a counter, a bound and a step",
    "loop-exit": "a loop has one exit, its condition",
    "trip-count": "start and bound of a loop are constants, and its body leaves the counter alone",
    "dataflow": "the processes of the top run at the same time only with #pragma HLS DATAFLOW in it",
    "process": "a process is a void function with #pragma HLS INLINE off, so that it is a module of its own",
    "pipeline": "a loop that touches a stream begins with #pragma HLS PIPELINE II=1",
    "stream-access": "a stream passes one word a cycle: read and write each at one place of an iteration",
    "division": "a divider takes dozens of cycles and thousands of LUTs; count with a counter that wraps",
    "carried-operation": "the next iteration waits for it; keep a running sum, or registers, instead",
    "memory-dependence": "a compiler then waits from the store to the next load; state the true distance by "
                         "#pragma HLS DEPENDENCE, or use registers",
    "ports": "a memory serves two accesses a cycle; partition the dimension that is unrolled, with its dim=",
    "recurrence": "the loop cannot reach II=1; shorten what is carried, or build with a lower --clock-mhz",
    "stream-scope": "streams lie in the DATAFLOW function and are passed by reference",
    "dataflow-body": "a DATAFLOW function holds declarations and calls only",
    "dataflow-conditional": "a call in a DATAFLOW function depends on no condition",
    "dataflow-streams": "a stream in a DATAFLOW function has exactly one producer and one consumer",
    "dataflow-order": "in a DATAFLOW function a producer comes before its consumer; there is no feedback",
}


@dataclass(frozen=True, order=True)
class Finding:
    """A place that breaks a rule of RULES; `file` is relative to the folder of the sources."""

    file: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.text}; {RULES[self.rule]}"
