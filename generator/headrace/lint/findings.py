"""What the lint of HLS C++ can find: the rules of the subset that more than one HLS compiler accepts."""

from __future__ import annotations

from dataclasses import dataclass

#: Every rule by its name, with the reason that makes it one.
RULES: dict[str, str] = {
    "c++14": "HLS compilers read C++14",
    "one-unit": "a network is one translation unit, top.cpp",
    "max-width": "AP_INT_MAX_W, at most 4096, must be defined before the headers of ap_int are read",
    "weights": "constant arrays hold uint64_t: ap_uint has no literal above 64 bits",
    "pragma": "a directive that is misspelt or names no variable is ignored without a word",
    "interface": "every argument of the top and its return need #pragma HLS INTERFACE with mode=",
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
    "stl": "containers of the standard library allocate memory",
    "unbounded-loop": "a loop is a for with a counter, a bound and a step",
    "loop-exit": "a loop has one exit, its condition",
    "trip-count": "start and bound of a loop are constants, and its body leaves the counter alone",
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
