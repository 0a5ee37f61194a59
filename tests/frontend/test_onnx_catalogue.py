"""The list of what is read from ONNX files is that of the code, stands in the documentation, and has tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.frontend.onnx.catalogue import BEGIN, END, ROWS, catalogue, operations
from headrace.frontend.onnx.reader import CHANNELS_LAST, COMPUTED, HANDLERS

ROOT = Path(__file__).parents[2]
TESTS = "".join(path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py")) if path != Path(__file__))


def test_every_operation_with_a_reader_is_in_one_row() -> None:
    assert sorted(operations()) == sorted(HANDLERS)
    assert set(CHANNELS_LAST) <= set(HANDLERS)


@pytest.mark.parametrize("kind", [row.kind for row in ROWS])
def test_every_operation_of_a_row_is_in_a_test(kind: str) -> None:
    (row,) = [row for row in ROWS if row.kind == kind]
    assert [name for name in row.operations if f'"{name}"' not in TESTS] == []


def test_every_computation_with_constants_is_listed() -> None:
    assert all(name in catalogue() for name in COMPUTED)


def test_the_documentation_has_the_list_of_the_code() -> None:
    text = (ROOT / "docs" / "onnx.md").read_text()
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)] == catalogue()
