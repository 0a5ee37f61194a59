"""How far a step is that counts nothing: by what it usually takes, corrected by what such steps took here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.cli.pace import Pace
from headrace.progress import Step


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which tests move."""
    time = [100.0]
    monkeypatch.setattr("headrace.cli.pace.time.monotonic", lambda: time[0])
    return time


def test_a_step_tells_about_how_far_it_is(now: list[float], tmp_path: Path) -> None:
    pace = Pace(tmp_path / "steps.json")
    pace.begin(Step("Yosys maps 900 LUTs", "Yosys", seconds=20.0))
    assert (pace.line(), pace.part) == ("Yosys maps 900 LUTs: about 0%, 20 s left", 0.0)
    now[0] += 5
    pace.begin(Step("Yosys goes on", "Yosys", seconds=20.0))
    assert (pace.line(), pace.part) == ("Yosys goes on: about 25%, 15 s left", 0.25)
    now[0] += 25
    assert (pace.line(), pace.part) == ("Yosys goes on: 30 s, longer than usual", 0.99)


def test_what_is_counted_too_knows_better(now: list[float]) -> None:
    pace = Pace(None)
    pace.begin(Step("layer 1", "Yosys", 0.0, seconds=5.0))
    now[0] += 40
    pace.begin(Step("layer 2", "Yosys", 0.8, seconds=5.0))
    assert pace.line() == "layer 2: about 80%, 10 s left"
    now[0] += 5
    assert (pace.line(), pace.part) == ("layer 2: about 90%, 5 s left", 0.9)


def test_what_is_counted_or_short_or_unknown_says_no_more(now: list[float]) -> None:
    pace = Pace(None)
    for step, part in ((Step("counted: 40%, 9 s left", "counted", 0.4), 0.4), (Step("short", seconds=1.0), 0.99),
                       (Step("unknown"), None)):
        pace.begin(step)
        now[0] += 1.5
        assert (pace.line(), pace.part) == (step, part)


def test_the_next_time_is_expected_as_the_last_ones_were_here(now: list[float], tmp_path: Path) -> None:
    file = tmp_path / "new" / "steps.json"
    for took, expected in ((30.0, 10.0), (10.0, 30.0), (10.0, 20.0)):
        pace = Pace(file)
        pace.begin(Step("Yosys", seconds=10.0))
        assert pace.seconds == expected
        now[0] += took
        pace.begin(Step("next"))
        pace.finish()
    assert json.loads(file.read_text()) == {"Yosys": 1.5}


@pytest.mark.parametrize("kept", ["", "[]", '{"Yosys": "x"}', '{"Yosys": -1.0}', '{"Yosys": 1e9}'])
def test_what_is_damaged_is_forgotten(kept: str, tmp_path: Path) -> None:
    (tmp_path / "steps.json").write_text(kept)
    assert Pace(tmp_path / "steps.json").factors == {}
