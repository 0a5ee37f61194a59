"""Hostile arguments of the other commands: quantize, export, boards, lint-hls and bitstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace import serialize
from tests.hostile.table import Maker, Row, both, file, link, nothing, refused, rows, table
from tests.small_networks import small_network

QUANTIZE = "quantize {dir}/m.py:f --data {dir}/d.py:g --out {dir}/q.npz"


LINEAR = "return torch.nn.Sequential(torch.nn.Linear(2, 2)), torch.zeros(1, 2)"


def code(body: str) -> Maker:
    """A model file whose function does this, and data."""
    return both(file("m.py", f"import torch\ndef f():\n    {body}\n"),
                file("d.py", "import torch\ndef g():\n    return [torch.zeros(1, 2)]\n"))


def data(body: str) -> Maker:
    return both(file("m.py", f"import torch\ndef f():\n    {LINEAR}\n"),
                file("d.py", f"import torch\ndef g():\n    {body}\n"))


ROWS = rows(
    QUANTIZE,
    (nothing, "m.py: no such file; check the path"),
    (code("raise GeneratorExit"), "m.py:f: fails when called (GeneratorExit); mend the file"),
    (code("raise SystemExit(0)"), "m.py:f: fails when called (SystemExit: 0); mend the file"),
    (code("return 5"), "the model is of type int, not a torch module; pass a torch.nn.Module"),
    (data("raise GeneratorExit"), "d.py:g: fails "),
    (data("return None"), "d.py:g: "),
    (data("return []"), "no "),
) + rows(
    f"{QUANTIZE} --weight-bits 1000000000000", (code(LINEAR), "1000000000000"),
) + rows(
    f"{QUANTIZE} --act-bits -1", (code(LINEAR), "-1"),
) + rows(
    "export {dir}/m.txt --out {dir}/o.onnx", (nothing, "m.txt: is"),
) + rows(
    "export {dir}/net.npz --out {dir}/o.onnx",
    (lambda folder: serialize.save_npz(small_network(), folder / "net.npz"), "an integer network has only thresholds"),
) + rows(
    "lint-hls {dir}", (nothing, ""),
) + rows(
    "bitstream {dir}/b --board {dir}/b.toml", (both(nothing, link("b.toml", "/dev/zero")), "is not a build directory"),
) + rows(
    "check {dir}/a\x1b[31mb.onnx", (nothing, "a\\x1b[31mb.onnx: cannot be read"),
) + rows(
    "check {dir}/" + "x" * 5000 + ".onnx", (nothing, "cannot be read (File name too long); check the path"),
) + rows(
    "check {dir}/m\0.onnx", (nothing, "an argument cannot hold a NUL character; remove it"),
) + rows(
    "report {dir}/m\0", (nothing, "an argument cannot hold a NUL character; remove it"),
) + rows(
    "layer {dir}/m\0.json", (nothing, "an argument cannot hold a NUL character; remove it"),
)


@table(ROWS)
def test_commands(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)
