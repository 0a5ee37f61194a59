"""All cases of the specification's vector file, and the command that checks such files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.errors import InputError
from headrace.quantization.conformance import vectors
from tests.public_models import SHARED

FILE = SHARED / "spec" / "quantization_vectors.json"
CASES = json.loads(FILE.read_text())["cases"] if FILE.is_file() else []


@pytest.mark.skipif(not CASES, reason=f"no vector file {FILE}")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, object]) -> None:
    assert vectors.verdict(case) == ("pass", [])


@pytest.mark.parametrize(("case", "outcome", "code"), [
    ({"op": "log2_int", "inputs": {"x": 8}, "expected": {"ceil": 3}, "tol": "exact"}, "pass", 0),
    ({"op": "log2_int", "inputs": {"x": 8}, "expected": {"ceil": 4}, "tol": "exact"}, "fail", 1),
    ({"op": "log2_int", "inputs": {"x": 8}, "expected": {"round": 3}, "tol": "exact"}, "fail", 1),
    ({"op": "log2_int", "inputs": {"x": -8}, "expected": {"ceil": 3}, "tol": "exact"}, "fail", 1),
    ({"op": "log2_int", "inputs": {"x": "8"}, "expected": {"ceil": 3}, "tol": "exact"}, "fail", 1),
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
def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], case: dict[str, object], outcome: str,
                 code: int) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [{"id": "the-case", **case}]}))
    assert vectors.main([str(path)]) == code
    row = {"pass": "1 │ 0 │ 0", "fail": "0 │ 1 │ 0", "missing": "0 │ 0 │ 1"}[outcome]
    text = " ".join(capsys.readouterr().out.split())
    assert row in text
    assert ("the-case" in text) == (code == 1)


def test_inputs_that_an_operation_does_not_have_fail() -> None:
    case = {"id": "x", "op": "log2_int", "inputs": {"y": 8}, "expected": {"ceil": 3}, "tol": "exact"}
    outcome, differences = vectors.verdict(case)
    assert outcome == "fail"
    assert "'log2_int' does not take the inputs ['y']" in differences[0]
    with pytest.raises(InputError, match="operation 'no_such' does not exist; use one of log2_int"):
        vectors.run("no_such", {})


def test_command_wants_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert vectors.main([]) == 2
    assert "usage" in capsys.readouterr().out


@pytest.mark.parametrize(("text", "sentence"), [
    (None, "no test vectors"), ('{"cases": [', "no test vectors"), ("[]", "no test vectors"), ("{}", "no test vectors"),
    (b"\xff\xfe", "no test vectors"), ('{"cases": 3}', "no test vectors"),
    ('{"cases": [{"id": 1}]}', "case 0 is incomplete"), ('{"cases": [7]}', "case 0 is incomplete"),
    ('{"cases": [{"id": 1, "op": "wq", "inputs": 3, "expected": {}, "tol": "exact"}]}', "case 0 is incomplete"),
    ('{"cases": [{"id": 1, "op": "wq", "inputs": {}, "expected": {}, "tol": 0.1}]}', "case 0 is incomplete"),
])
def test_damaged_files_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | bytes | None,
                                        sentence: str) -> None:
    path = tmp_path / "cases.json"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert vectors.main([str(path)]) == 2
    out = capsys.readouterr().out
    assert out.startswith(f"{path}: {sentence}")
    assert out.count("\n") == 1
