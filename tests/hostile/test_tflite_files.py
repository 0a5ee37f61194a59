"""Hostile .tflite files: offsets that lead anywhere, claims without end, and every kind of damage."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headrace.errors import HeadraceError
from headrace.frontend.tflite.reader import from_file
from tests.frontend.tflite_files import TfliteFile
from tests.hostile.table import SECONDS, Maker, Row, file, missing_pipe, nothing, refused, rows, sparse, table


def made(make: Callable[[TfliteFile], int]) -> bytes:
    """A file whose input is (1, 6, 7, 4) codes."""
    tflite = TfliteFile()
    x = tflite.codes((1, 6, 7, 4), 0.1, 3)
    assert x == 0
    return tflite.content([x], [make(tflite)])


def relu(tflite: TfliteFile) -> int:
    return tflite.operator("RELU", [0], tflite.codes((1, 6, 7, 4), 0.1, 3))


def conv(tflite: TfliteFile, shape: tuple[int, ...] = (2, 3, 3, 4), **options: int) -> int:
    W = tflite.constant(np.ones(shape, np.int8), [0.02])
    settings = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, "Padding": 1} | options
    return tflite.operator("CONV_2D", [0, W, -1], tflite.codes((1, 4, 5, 2), 0.1, 3), **settings)


def chain(count: int) -> Callable[[TfliteFile], int]:
    def make(tflite: TfliteFile) -> int:
        place = 0
        for _ in range(count):
            place = tflite.operator("RELU", [place], tflite.codes((1, 6, 7, 4), 0.1, 3))
        return place
    return make


def scaled(*scales: float) -> Callable[[TfliteFile], int]:
    def make(tflite: TfliteFile) -> int:
        place = tflite.operator("RELU", [0], tflite.codes((1, 6, 7, 4), 0.1, 3))
        tflite.tensors[place].scales, tflite.tensors[place].zeros = list(scales), [0] * len(scales)
        return place
    return make


def padded(ends: list[list[int]]) -> Callable[[TfliteFile], int]:
    return lambda tflite: tflite.operator("PAD", [0, tflite.integers(ends)],
                                          tflite.codes((1, 6, 7, 4), 0.1, 3))


def graph(make: Callable[[TfliteFile], int]) -> Maker:
    return file("m.tflite", made(make))


LONG = 2**31 - 1
FILES = rows("check {dir}/m.tflite", *[
    (nothing, "m.tflite: no such file; check the path"),
    (missing_pipe("m.tflite"), "is a device or a pipe, not a file"),
    (sparse("m.tflite", 1 << 40), "has more than 536870912 bytes"),
    (file("m.tflite", b""), "is not a TensorFlow Lite file"),
    (file("m.tflite", b"\0\0\0\0TFL3"), "holds no graph"),
    (file("m.tflite", b"\xff\xff\xff\xffTFL3" + bytes(64)), "is not a sound TensorFlow Lite file"),
    (file("m.tflite", made(relu)[:200]), "is not a sound TensorFlow Lite file"),
    (graph(chain(5000)), "claims 5001 tensors and at most 4096 are read"),
    (graph(scaled(0.0)), "its scale 0.0 is not a positive number"),
    (graph(scaled(float("nan"))), "is not a positive number"),
    (graph(scaled(0.1, 0.2)), "has 2 scales and 2 zero points"),
    (graph(scaled(1e-30)), "leaves the 32 bits of the kernels"),
    (graph(lambda tflite: conv(tflite, StrideH=-1)), "has StrideH=-1 and StrideW=1, which must be 1 or more"),
    (graph(lambda tflite: conv(tflite, DilationWFactor=LONG)), "does not fit into 6x7"),
    (graph(lambda tflite: conv(tflite, (2, 3, 3, 3))), "has weights of shape (2, 3, 3, 3) for 4 input channels"),
    (graph(lambda tflite: conv(tflite, (2, 3, 12))), "which need 4 axes"),
    (graph(lambda tflite: conv(tflite, FusedActivationFunction=5)), "has the fused activation number 5"),
    (graph(padded([[0, 0], [LONG, LONG], [LONG, LONG], [0, 0]])), "elements and at most 2147483647 are possible"),
    (graph(padded([[0, 0], [-1, 0], [0, 0], [0, 0]])), "has paddings of shape (4, 2)"),
    (graph(lambda tflite: 0), "has no layer between its input and its output"),
    (graph(lambda tflite: tflite.codes((1, 2), 0.1, 3)), "has the output 't1', which no operator makes"),
    (graph(lambda tflite: tflite.operator("RELU", [7], tflite.codes((1, 2), 0.1))), "names tensor 7 of 2"),
    (graph(lambda tflite: tflite.operator("CONCATENATION", [], tflite.codes((1, 2), 0.1))), "has 0 inputs"),
    (graph(lambda tflite: tflite.operator("RELU", [1], tflite.codes((1, 6, 7, 4), 0.1))), "reads 't1'"),
])


@table(FILES)
def test_files(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)


@pytest.mark.parametrize("seed", range(4))
def test_damage_of_any_kind_is_a_sentence_or_another_model(seed: int, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(seed), tmp_path / "m.tflite"
    whole, words = made(conv), (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\x01\0\0\0")
    refusals, start = 0, time.process_time()
    for _ in range(150):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole) - 4, rng.integers(1, 5)).tolist():
            damaged[at : at + 4] = words[rng.integers(4)] if rng.integers(2) else rng.bytes(4)
        path.write_bytes(damaged)
        try:
            from_file(path)
        except HeadraceError as error:
            refusals += 1
            assert str(error).startswith(f"{path}: ")
    assert refusals > 50
    assert time.process_time() - start < SECONDS
