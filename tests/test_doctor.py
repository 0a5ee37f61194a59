"""headrace doctor: what is there, what is not and what it would enable, and a layer through both back ends."""

from __future__ import annotations

import json

import pytest

from headrace import doctor
from headrace.__main__ import main


def test_a_whole_installation_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["healthy"] and found["self_test"] == {"rtl": "bit-exact", "hls": "bit-exact"}
    assert all(part["found"] for part in found["parts"] if part["needed"])


def test_what_is_missing_is_named_with_what_it_would_enable(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    compiler = next(line for line in lines if line.startswith("│ g++"))
    assert "MISSING: install it with the package manager" in compiler and "compiling simulators" in compiler
    assert "self-test of rtl: did not run: g++ is missing; compiling a Verilated model needs g++, make, perl" in lines
    assert lines[-1].startswith("not healthy")


def test_a_layer_that_differs_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(*_: object) -> list[dict[str, object]]:
        return [{"bit_exact": False, "error": "word 3: 1 instead of 2"}]

    monkeypatch.setattr(doctor, "run_specs", differs)
    found = doctor.diagnose()
    assert not found.healthy and found.self_test["hls"] == "differs: word 3: 1 instead of 2"
