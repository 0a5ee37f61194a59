"""Networks that nobody thought of: the exact oracle, engine fast, the dataflow, HLS and RTL agree on all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.random_networks.checks import require_hardware, require_integers
from tests.random_networks.network import Description
from tests.random_networks.strategies import descriptions

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))

#: Nothing is kept between runs: what was found is put into the corpus.
_drawing = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))


@_drawing
@settings(max_examples=25, derandomize=True)
@given(descriptions)
def test_integers(description: Description) -> None:
    require_integers(description)


@_drawing
@settings(max_examples=2, derandomize=True)
@given(descriptions)
def test_hardware(description: Description) -> None:
    require_hardware(description)


@pytest.mark.slow
@_drawing
@settings(max_examples=500)
@given(descriptions)
def test_integers_of_many(description: Description) -> None:
    require_integers(description)


@pytest.mark.slow
@_drawing
@settings(max_examples=60)
@given(descriptions)
def test_hardware_of_many(description: Description) -> None:
    require_hardware(description)


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_what_was_found_before(path: Path) -> None:
    case = json.loads(path.read_text())
    checks: dict[str, Callable[[Description], None]] = {"integers": require_integers, "hardware": require_hardware}
    checks[case["check"]](case["description"])
