"""Switches and fixtures of the test suite."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace import serialize
from headrace.paths import data_folder
from tests.small_networks import small_network

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew; read the diff")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a small network."""
    path = tmp_path_factory.mktemp("model") / "small"
    serialize.save(small_network(), path)
    return f"{path}.json"


@pytest.fixture(scope="module")
def importable() -> Iterator[None]:
    """The Python driver's package can be imported."""
    folder = str(data_folder("boards") / "driver")
    sys.path.insert(0, folder)
    yield
    sys.path.remove(folder)


@pytest.fixture
def same_as_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a rendered text with the file of this name in tests/golden."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.write_text(text)
        assert text == path.read_text(), f"{name} changed; if it is meant, run pytest --update-golden and read the diff"

    return check
