"""One input pixel per cycle: parallel windows chosen by a folding file; the benchmark says what a row does not keep."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from benchmarks.throughput import Figures
from headrace import serialize
from headrace.__main__ import main
from tests.small_networks import small_network

KEPT = Figures(asked=100, measured=96, predicted=96, schedule=96, arithmetic=96, latency_measured=204,
               latency_predicted=200, fifo_bits=0, sizing_s=1.0, compile_s=1.0, simulated_cycles_per_s=1.0, lut=1,
               bram18=0)


def test_a_file_with_wide_matrices_makes_parallel_windows(tmp_path: Path) -> None:
    serialize.save(small_network(), tmp_path / "net")
    file = tmp_path / "folding.json"
    file.write_text(json.dumps({"conv0": {"pe": 4, "simd": 9}, "conv1": {"pe": 6, "simd": 36}}))
    arguments = ["build", str(tmp_path / "net.json"), "--out", str(tmp_path / "b"), "--folding", str(file),
                 "--backend", "both", "--verify", "6"]
    assert main(arguments) == 0
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    kinds = {layer["name"]: layer["kind"] for layer in record["layers"]}
    assert kinds["conv0_swu"] == kinds["conv1_swu"] == "parallel_swu"
    assert record["cycles_per_frame"] == 8 * 8  # pixels of the input


def test_what_a_row_of_the_benchmark_does_not_keep() -> None:
    assert KEPT.complaints == []
    wrong = {"asked": 95, "predicted": 95, "latency_predicted": 198, "schedule": 95, "arithmetic": 94}
    for field, value in wrong.items():
        assert len(replace(KEPT, **{field: value}).complaints) == 1, field
