"""The examples in the documentation of the methods."""

import doctest
import importlib
import pkgutil

import pytest

import generator.quantize

MODULES = [module.name for module in pkgutil.iter_modules(generator.quantize.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    result = doctest.testmod(importlib.import_module(f"generator.quantize.{name}"))
    assert result.failed == 0
    assert result.attempted > 0
