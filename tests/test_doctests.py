"""The examples in docstrings; those of the quantization methods are in tests/quantization/test_doctests.py."""

import doctest
import importlib
from pathlib import Path

import pytest

import headrace

PACKAGE = Path(headrace.__file__).parent
MODULES = [path.relative_to(PACKAGE.parent).with_suffix("") for path in sorted(PACKAGE.rglob("*.py"))
           if ">>> " in path.read_text() and path.parent.name != "quantization"]


@pytest.mark.parametrize("module", [".".join(module.parts) for module in MODULES])
def test_examples_in_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0 and result.attempted > 0
