"""Hostile .npy files: what a header claims is not what there is, and nothing is unpickled or executed."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from headrace import serialize
from tests.hostile.table import Maker, Row, both, file, link, missing_pipe, refused, rows, sparse, table
from tests.small_networks import small_network

NUMBERS = "is not a .npy array of numbers; save it with numpy.save"


def network(folder: Path) -> None:
    serialize.save(small_network(), folder / "net")


def header(text: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """An .npy file with the header as it stands."""
    size = len(text).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + size + text.encode("latin1") + data


def claims(shape: str, data: bytes = bytes(128), dtype: str = "<f4") -> bytes:
    return header(f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}\n", data)


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=np.zeros(3))
    return buffer.getvalue()


def samples(content: bytes) -> Maker:
    return both(network, file("x.npy", content))


PREDICT = "predict {dir}/net.json --input {dir}/x.npy --output {dir}/y.npy"
ROWS = rows(
    PREDICT,
    (network, "x.npy: no such file; check the path"),
    (samples(b""), NUMBERS),
    (samples(b"\x93NUMPY"), NUMBERS),
    (samples(b"PK\x03\x04 not a zip"), NUMBERS),
    (samples(archive()), NUMBERS),
    (samples(pickle.dumps([1, 2])), NUMBERS),
    (samples(saved(np.asarray([print], object))), NUMBERS),
    (samples(saved(np.asarray(["text"]))), NUMBERS),
    (samples(saved(np.zeros(3, complex))), NUMBERS),
    (samples(saved(np.zeros(3, [("a", "f4")]))), NUMBERS),
    (samples(saved(np.zeros(3, "datetime64[s]"))), NUMBERS),
    (samples(claims("(2000000000,)")), "claims an array of 2000000000 numbers and at most 268435456 are read"),
    (samples(claims("(100000000,)")), "claims an array of 400000000 bytes but holds 128; save it with numpy.save"),
    (samples(claims(f"({2**70}, {2**70})")), "numbers and at most 268435456 are read; save it with numpy.save"),
    (samples(claims("(-3,)")), NUMBERS),
    (samples(claims("(True, 2)")), NUMBERS),
    (samples(claims("(2.5,)")), NUMBERS),
    (samples(claims("7")), NUMBERS),
    (samples(claims("(" + "1, " * 100 + ")")), "x.npy: "),
    (samples(claims("(4,)", dtype="<f99")), NUMBERS),
    (samples(claims("(4,)", dtype="O")), NUMBERS),
    (samples(header("__import__('os').system('touch canary')\n")), NUMBERS),
    (samples(header("(" * 5000)), NUMBERS),
    (samples(header("{'descr': '<f4'" + " " * 60000 + "}\n")), NUMBERS),
    (samples(header("{}", version=(9, 9))), NUMBERS),
    (samples(saved(np.zeros((2, 1, 8, 8), np.float32))[:-7]), "but holds 505; save it with numpy.save"),
    (samples(saved(np.zeros((2, 3)))), "the input has shape (2, 3) but the model takes (N, 1, 8, 8); reshape it"),
    (samples(saved(np.zeros((0, 1, 8, 8)))), "the input has shape (0, 1, 8, 8) but the model takes (N, 1, 8, 8)"),
    (samples(saved(np.array(3, np.float32))), "the input has shape () but the model takes (N, 1, 8, 8); reshape it"),
    (samples(saved(np.full((1, 1, 8, 8), np.nan))), "the input holds values that are not finite; remove them"),
    (samples(saved(np.full((1, 1, 8, 8), 1e300))), "x.npy: holds 1e+300, which is too large for float32; scale"),
    (both(network, lambda folder: (folder / "x.npy").mkdir()), "x.npy: cannot be read (Is a directory)"),
    (both(network, link("x.npy", "/dev/zero")), "x.npy: is a device or a pipe, not a file; copy it into a file first"),
    (both(network, missing_pipe("x.npy")), "x.npy: is a device or a pipe, not a file; copy it into a file first"),
    (both(network, sparse("x.npy", 1 << 40)), "x.npy: has more than 1073741824 bytes; give a smaller file"),
    (both(network, sparse("x.npy", 1 << 20)), NUMBERS),
)
VERIFY = rows(
    "build {dir}/net.json --out {dir}/b --verify-input {dir}/x.npy",
    (samples(claims("(100000000,)")), "claims an array of 400000000 bytes but holds 128; save it with numpy.save"),
    (both(network, link("x.npy", "/dev/zero")), "x.npy: is a device or a pipe, not a file"),
    (samples(saved(np.zeros((2, 3)))), "the input has shape (2, 3) but the model takes (N, 1, 8, 8); reshape it"),
)


@table(ROWS, VERIFY)
def test_arrays(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<u1", "?", "<i8", "<f2"])
def test_sound_arrays_are_read(tmp_path: Path, order: str, dtype: str) -> None:
    network(tmp_path)
    x = np.random.default_rng(0).integers(0, 2, (3, 1, 8, 8)).astype(dtype)
    np.save(tmp_path / "x.npy", np.asarray(x, order=order))  # type: ignore[call-overload]
    from headrace.model import load
    from headrace.samples import read_samples

    read = read_samples(tmp_path / "x.npy")
    np.testing.assert_array_equal(read, x.astype(np.float32))
    assert load(str(tmp_path / "net.json")).predict(read).shape == (3, 5)
