"""All long benchmarks, one after the other: `make bench`."""

from __future__ import annotations

import importlib
import sys

#: Modules with a function main() that prints one table and writes JSON; the quantization methods have their own target.
BENCHMARKS = ("simulation", "fast_engine", "area", "throughput", "packing")


def main() -> int:
    codes = [importlib.import_module(f"benchmarks.{name}").main() for name in BENCHMARKS]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
