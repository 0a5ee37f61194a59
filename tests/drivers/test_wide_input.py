"""Inputs of too many codes for a list of decision points: the drivers compute the code."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

import headrace as hr
from headrace.datatypes import DataType, Interval, int_type, uint_type
from headrace.drivers.quantizer import has_quantizer, quantizer_arrays
from headrace.engines import host as host_module
from headrace.engines.host import float64_decides, to_stream
from headrace.network.integer import HostInput, HostOutput, IntegerNetwork, Node, TensorType
from headrace.network.rounding import Rounding, round_to_integer
from tests.drivers.test_cpp import compiled
from tests.narrow import there
from tests.small_networks import random_conv
from tests.unverified_build import write_unverified

HERE = Path(__file__).parent
STEP = 2.0**-27

if TYPE_CHECKING:
    from headrace_driver import Accelerator


def host(dtype: DataType, divisor: float, rounding: Rounding = "half_even", scale: float = 1.0, offset: float = 0.0,
         saturates: bool = True) -> HostInput:
    return HostInput((5,), TensorType((1, 1, 5), dtype), np.full(5, scale), np.full(5, offset), rounding,
                     np.full(5, divisor), saturates)


@pytest.mark.parametrize(("case", "there"), [
    (host(uint_type(16), 0.3, offset=0.1), True), (host(int_type(32), STEP), True),
    (host(int_type(20), float(np.float32(0.3))), True), (host(int_type(20), 0.3), False),
    (host(int_type(29), float(np.float32(0.3))), True), (host(int_type(30), float(np.float32(0.3))), False),
    (host(int_type(17), 1.0, offset=0.5), False), (host(int_type(17), 1.0, scale=3.0), False),
])
def test_wide_inputs_that_float64_decides_have_drivers(case: HostInput, there: bool) -> None:
    assert has_quantizer(case) == there
    if there and case.tensor.dtype.bits > 16:
        assert set(quantizer_arrays(case)) == {"input_scale", "input_divisor"}


def near_decisions(case: HostInput) -> np.ndarray:
    """Samples (N, 5) at, just above and just below decision points, and anywhere, as float32."""
    rng = np.random.default_rng(0)
    lo, hi = case.tensor.dtype.lo, case.tensor.dtype.hi
    codes = np.concatenate([rng.integers(lo, hi, 500), np.arange(-20, 20), rng.integers(-9999, 9999, 500), [lo, hi]])
    points = np.concatenate([codes, codes + 0.5]) * float(there(case.divisor)[0]) / float(case.scale[0])
    at = points.astype(np.float32)
    beside = [np.nextafter(at, np.float32(end)) for end in (-np.inf, np.inf)]
    others = np.append(rng.normal(0, 3, 500), [0.0, -0.0, 3e38, -3e38, 1e-45])
    return np.resize(np.concatenate([at, *beside, others.astype(np.float32)]), (1400, 5))


@pytest.mark.parametrize("rounding", get_args(Rounding))
@pytest.mark.parametrize(("bits", "divisor", "scale"), [
    (32, STEP, 1.0), (20, float(np.float32(0.013)), 1.0), (29, float(np.float32(1 / 3)), -4.0),
])
def test_codes_are_those_of_exact_arithmetic(monkeypatch: pytest.MonkeyPatch, rounding: Rounding, bits: int,
                                             divisor: float,
                                             scale: float) -> None:
    from headrace_driver.host import Host

    case = host(int_type(bits), divisor, rounding, scale)
    x, dtype = near_decisions(case), case.tensor.dtype
    assert float64_decides(case)
    monkeypatch.setattr(host_module, "float64_decides", lambda _: False)  # fractions where it is close
    source = {"shape": case.shape, "tensor": case.tensor.shape, "bits": bits, "low": dtype.lo, "high": dtype.hi,
              "bipolar": False, "saturates": True, "rounding": rounding}
    arrays = quantizer_arrays(case) | {"scale": np.ones(1), "offset": np.zeros(1)}
    codes = Host({"input": source, "output": {}}, arrays).encode(x)
    assert codes.dtype == np.uint32 and np.array_equal(codes, dtype.encode(to_stream(case, x)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    """32 bits in, sums of more than 32 bits out, both in another order than that of the stream."""
    case = replace(host(int_type(32), STEP, saturates=False), order=np.asarray([4, 2, 0, 1, 3]))
    nodes = (Node("fc0", random_conv(np.random.default_rng(1), (3, 1, 1, 5), Interval(-7, 7)), ("input",)),)
    output = HostOutput((3,), np.full(3, STEP), np.zeros(3), result=(3,), order=np.asarray([2, 0, 1]))
    net = IntegerNetwork(case, nodes, output)
    build = write_unverified(tmp_path_factory.mktemp("wide") / "b", net, "rtl")
    assert build.dataflow.streams[build.dataflow.output_port].element.bits > 32
    return build


def test_both_drivers_on_the_simulated_board(built: hr.Build, program: Path, accelerator: Accelerator,
                                             tmp_path: Path) -> None:
    x = np.random.default_rng(3).uniform(-16, 15.99, (50, 5)).astype(np.float32)
    wanted = built.predict(x, engine="golden", raw=True)
    assert accelerator.self_test() == "exact"
    assert np.array_equal(accelerator.predict(x, raw=True), wanted)
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="golden"))
    whole = np.arange(10, dtype=np.uint8).reshape(2, 5)
    assert np.array_equal(accelerator.predict(whole), built.predict(whole.astype(np.float32), engine="golden"))
    for value in (16.0, -16.1):
        with pytest.raises(ValueError, match="the input holds values outside the range from -16 to 16 in which"):
            accelerator.predict(np.full((1, 5), value, np.float32))

    driver = compiled(HERE / "sim_driver.cpp", tmp_path, built)
    cpp = built.folder / "driver" / "cpp"
    (tmp_path / "samples").write_bytes(x.tobytes())
    command: list[str | Path] = [driver, program, built.folder / "rtl", tmp_path / "samples", "50",
                                 cpp / "input.bin", cpp / "golden.bin"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    verdict, integers, *_ = done.stdout.splitlines()
    assert verdict == "exact" and np.array_equal(np.array(integers.split(), np.int64), wanted.reshape(-1))
    (tmp_path / "samples").write_bytes(np.full((50, 5), 16, np.float32).tobytes())
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode and "outside the range in which the model reads it" in done.stderr


def test_rules_of_rounding_in_cpp(built: hr.Build, tmp_path: Path) -> None:
    y = np.concatenate([np.arange(-8, 8.25, 0.25), [0.49999999999999994, -0.49999999999999994, 2.0**31 + 0.5]])
    (tmp_path / "numbers").write_bytes(y.tobytes())
    program = compiled(HERE / "rounding.cpp", tmp_path, built)
    command: list[str | Path] = [program, tmp_path / "numbers", *get_args(Rounding)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line, rounding in zip(done.stdout.splitlines(), get_args(Rounding), strict=True):
        assert np.array_equal(np.array(line.split(), np.float64), round_to_integer(y, rounding)), rounding


def test_wide_inputs_are_divided_by_one_where_no_divisor_is() -> None:
    tensor = TensorType((1, 1, 3), Interval(0, (1 << 20) - 1))
    found = quantizer_arrays(HostInput((3, 1, 1), tensor, np.asarray([1.0, 2.0, 4.0]), np.zeros(3)))
    assert found["input_scale"].tolist() == [1, 2, 4] and found["input_divisor"].tolist() == [1, 1, 1]
