"""Long jobs say how far they are, not too often."""

from __future__ import annotations

import pytest

from headrace.simulation import remaining


def test_the_time_left_follows_from_the_part_that_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    now, said = [100.0], list[str]()
    monkeypatch.setattr("headrace.simulation.remaining.time.monotonic", lambda: now[0])
    done = remaining.remaining("compiling", said.append)
    for now[0], part in ((101.0, 0.5), (120.0, 0.01), (130.0, 0.25), (140.0, 0.5), (160.0, 0.5), (200.0, 1.0)):
        done(part)
    assert said == ["compiling", "compiling: 25%, 2 min left", "compiling: 50%, 40 s left", "compiling: 50%, 60 s left"]
