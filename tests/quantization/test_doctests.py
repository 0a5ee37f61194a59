"""The examples in the documentation of the methods."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import headrace.quantization

MODULES = [module.name for module in pkgutil.iter_modules(headrace.quantization.__path__) if not module.ispkg]


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name: str) -> None:
    result = doctest.testmod(importlib.import_module(f"headrace.quantization.{name}"))
    assert result.failed == 0
    assert result.attempted > 0


def test_user_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "quantization-methods.md"
    code = [line[4:] for line in page.read_text().splitlines() if line.startswith("    ")]
    exec("\n".join(code), {})
    assert "dB" in capsys.readouterr().out
