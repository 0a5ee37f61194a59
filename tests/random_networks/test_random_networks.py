"""Networks that nobody thought of: the exact oracle, engine fast, the dataflow, HLS and RTL agree on all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tests.random_networks.checks import require_hardware, require_integers
from tests.random_networks.descriptions import Description
from tests.random_networks.strategies import descriptions

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))


def drawing(count: int, always_the_same: bool = False) -> settings:
    """So many networks. Nothing is kept between runs: what was found is put into the corpus."""
    return settings(max_examples=count, derandomize=always_the_same, deadline=None, database=None,
                    suppress_health_check=list(HealthCheck))


@drawing(25, always_the_same=True)
@given(descriptions)
def test_integers(description: Description) -> None:
    require_integers(description)


@drawing(3, always_the_same=True)
@given(descriptions)
def test_hardware(description: Description) -> None:
    require_hardware(description)


@pytest.mark.slow
@drawing(500)
@given(descriptions)
def test_integers_of_many(description: Description) -> None:
    require_integers(description)


@pytest.mark.slow
@drawing(60)
@given(descriptions)
def test_hardware_of_many(description: Description) -> None:
    require_hardware(description)


@pytest.mark.parametrize("path", CORPUS, ids=[path.stem for path in CORPUS])
def test_what_was_found_before(path: Path) -> None:
    case = json.loads(path.read_text())
    checks: dict[str, Callable[[Description], None]] = {"integers": require_integers, "hardware": require_hardware}
    checks[case["check"]](case["description"])
