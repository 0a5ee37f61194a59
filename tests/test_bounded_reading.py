"""Files are read within bounds, and what they hold is of the types that are written down."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict, TypeVar

import numpy as np
import pytest
from typing_extensions import TypeAliasType

from headrace.archive import npy_array, npz_bytes, npz_members
from headrace.bounded_reading import parse_json, read_bytes, read_json, read_toml, require_files
from headrace.check_types import conforms
from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval
from headrace.errors import InputError


class Entry(TypedDict):
    """What a record may hold."""

    name: str
    depth: int
    note: NotRequired[str]


@pytest.mark.parametrize(("value", "hint", "fits"), [
    (1, int, True), (True, int, False), (1.0, int, False), (1 << 62, int, True), (1 << 63, int, False),
    (1, float, True), (1.5, float, True), (float("inf"), float, True), (float("nan"), float, False),
    (True, float, False),
    ("a", str, True), (None, str, False), (None, int | None, True), ("a", int | None, False), (True, bool, True),
    ((1, 2), tuple[int, int], True), ((1, 2, 3), tuple[int, int], False), ([1, 2], tuple[int, int], False),
    ((1, 2, 3), tuple[int, ...], True), ((1, "2"), tuple[int, ...], False), ([1], list[int], True),
    ({"a": 1}, dict[str, int], True), ({"a": "1"}, dict[str, int], False), ([], dict[str, int], False),
    ("x", Literal["x", "y"], True), ("z", Literal["x", "y"], False), (1, Literal[True], False),
    (frozenset({1}), frozenset[int], True), (frozenset({"a"}), frozenset[int], False), ({1}, frozenset[int], False),
    (np.zeros(2, np.int64), IntArray, True), (np.zeros(2), IntArray, False), ([0], IntArray, False),
    (np.zeros(2), IntArray | None, False), (None, IntArray | None, True), (Interval(0, 1), DataType, True),
    (BIPOLAR, DataType, True), (5, DataType, False), (Fraction(1), Fraction, True), (object(), Any, True),
    ({"name": "a", "depth": 1}, Entry, True), ({"name": "a", "depth": 1, "more": None}, Entry, True),
    ({"name": "a"}, Entry, False), ({"name": "a", "depth": "1"}, Entry, False), (None, Entry, False),
    ({"name": "a", "depth": 1, "note": 5}, Entry, False),
    ([{"name": "a", "depth": 1}], list[Entry], True), ([{}], list[Entry], False),
])
def test_values_conform_to_annotations(value: object, hint: object, fits: bool) -> None:
    assert conforms(value, hint) is fits


def test_an_alias_of_an_array_is_that_array() -> None:
    """As NDArray is from NumPy 2.5 on."""
    element = TypeVar("element", bound=np.generic)
    alias = TypeAliasType("alias", np.ndarray[Any, np.dtype[element]], type_params=(element,))
    assert conforms(np.zeros(2, np.int64), alias[np.int64]) and not conforms(np.zeros(2), alias[np.int64])


def test_files_within_their_bounds_are_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_bytes(path, 5) == b"12345" and read_json(path) == 12345
    with pytest.raises(InputError, match="file: has more than 4 bytes; give a smaller file"):
        read_bytes(path, 4)
    path.write_text('a = "b"')
    assert read_toml(path) == {"a": "b"}
    (tmp_path / "link").symlink_to(path)
    assert read_bytes(tmp_path / "link") == path.read_bytes()


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(InputError, match="is a device or a pipe, not a file; copy it into a file first"):
            read_bytes(path)
    for path in (tmp_path, tmp_path / "gone", Path("a\0b"), tmp_path / "pipe" / "below"):
        with pytest.raises((OSError, InputError)):
            read_bytes(path)
    with pytest.raises(InputError, match="pipe: is a device or a pipe, not a file; build again"):
        require_files(tmp_path)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "", "9" * 10_000, "\ud800"])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse_json(text)
    assert not isinstance(error.value, RecursionError)


def test_archives_give_their_members() -> None:
    packed = npz_bytes({"a0": np.arange(3), "a1": np.ones((2, 2))}, {"text": "t"})
    members = npz_members(packed)
    assert sorted(members) == ["a0.npy", "a1.npy", "text"] and members["text"] == b"t"
    np.testing.assert_array_equal(npy_array(members["a0.npy"]), np.arange(3))
    for damaged in (packed[:-1], packed[30:], b"", b"PK"):
        with pytest.raises(ValueError, match=r"is not a sound \.npz file"):
            npz_members(damaged)
    broken = bytearray(packed)
    broken[60] ^= 0xFF
    with pytest.raises(ValueError, match=r"is not a sound \.npz file"):
        npz_members(bytes(broken))
