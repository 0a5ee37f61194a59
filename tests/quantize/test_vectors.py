"""All cases of the specification's vector file, and the command that checks such files."""

import json
from pathlib import Path

import pytest

from generator.quantize import vectors

FILE = Path(__file__).resolve().parents[3] / "shared" / "spec" / "quantization_vectors.json"
CASES = json.loads(FILE.read_text())["cases"] if FILE.is_file() else []


@pytest.mark.skipif(not CASES, reason=f"no vector file {FILE}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case):
    assert vectors.verdict(case) == ("pass", [])


@pytest.mark.parametrize(("case", "outcome", "code"), [
    ({"op": "log2_int", "inputs": {"x": 8}, "expected": {"ceil": 3}, "tol": "exact"}, "pass", 0),
    ({"op": "log2_int", "inputs": {"x": 8}, "expected": {"ceil": 4}, "tol": "exact"}, "fail", 1),
    ({"op": "log2_int", "inputs": {"x": 8}, "expected": {"round": 3}, "tol": "exact"}, "fail", 1),
    ({"op": "log2_int", "inputs": {"x": -8}, "expected": {"ceil": 3}, "tol": "exact"}, "fail", 1),
    ({"op": "no_such", "inputs": {}, "expected": {}, "tol": "exact"}, "missing", 1),
    ({"op": "gamma_params", "inputs": {"m": 5, "v": 2}, "expected": {"beta": 11.5001}, "tol": {"rel": 1e-4}},
     "pass", 0),
    ({"op": "gamma_params", "inputs": {"m": 5, "v": 2}, "expected": {"beta": 11.5001}, "tol": {"lam": {"rel": 1e-4}}},
     "fail", 1),
    ({"op": "gamma_params", "inputs": {"m": 5, "v": 2}, "expected": {"beta": 11.5001}, "tol": {"beta": {"abs": 1e-3}}},
     "pass", 0),
    ({"op": "quantize", "inputs": {"x": [1], "fl": 0, "bw": 8, "signed": True}, "expected": {"codes": [1, 1]},
      "tol": "exact"}, "fail", 1),
])
def test_command(tmp_path, capsys, case, outcome, code):
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [{"id": "the-case", **case}]}))
    assert vectors.main([str(path)]) == code
    row = {"pass": "1 │ 0 │ 0", "fail": "0 │ 1 │ 0", "missing": "0 │ 0 │ 1"}[outcome]
    text = " ".join(capsys.readouterr().out.split())
    assert row in text
    assert ("the-case" in text) == (code == 1)


def test_command_wants_a_file(capsys):
    assert vectors.main([]) == 2
    assert "usage" in capsys.readouterr().out
