"""All long benchmarks, one after the other: `make bench`."""

from __future__ import annotations

import sys

from benchmarks import area, fast_engine, packing, simulation, throughput

#: Each prints one table and writes JSON; the quantization methods have their own target.
BENCHMARKS = (simulation.main, fast_engine.main, area.main, throughput.main, packing.main)


def main() -> int:
    return max(benchmark() for benchmark in BENCHMARKS)


if __name__ == "__main__":
    sys.exit(main())
