"""Check the methods against files of test vectors: `python3 -m headrace.quantization.conformance.vectors FILE`.

A file holds {"cases": [{"id", "op", "inputs", "expected", "tol"}]}; tol is "exact", {"rel", "abs"} for every float, or
such a pair per field.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from headrace.errors import HeadraceError, InputError
from headrace.quantization.conformance.operations import OPERATIONS, Result


def _plain(value: object) -> Any:
    """The value as JSON has it: arrays and tuples as lists."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def run(op: str, inputs: Mapping[str, Any]) -> Result:
    """Results of one operation as plain JSON values.

    Raises InputError for an operation that does not exist and for inputs that it does not have.

    >>> run("log2_int", {"x": 127})
    {'ceil': 7, 'floor': 6}
    """
    if op not in OPERATIONS:
        raise InputError(f"operation {op!r} does not exist; use one of {', '.join(OPERATIONS)}")
    try:
        signature(OPERATIONS[op]).bind(**inputs)
    except TypeError as error:
        raise InputError(f"operation {op!r} does not take the inputs {list(inputs)}: {error}") from error
    result: Result = _plain(OPERATIONS[op](**inputs))
    return result


def _close(got: Any, expected: Any, tolerance: Mapping[str, float] | None) -> bool:
    """Equality, with a tolerance for floats if there is one."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        return all(key in got and _close(got[key], value, tolerance) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(got, list):
        return len(got) == len(expected) and all(map(lambda g, e: _close(g, e, tolerance), got, expected))
    if tolerance is None or not isinstance(expected, float) or isinstance(got, str | list | Mapping | None):
        return bool(got == expected)
    return math.isclose(got, expected, rel_tol=tolerance.get("rel", 0.0), abs_tol=tolerance.get("abs", 0.0))


def mismatches(case: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """Fields of a case whose result differs or is absent."""
    tol = case["tol"]
    everywhere = tol if tol != "exact" and tol.keys() <= {"rel", "abs"} else None
    fields = {} if tol == "exact" or everywhere is not None else tol
    return [f"{name}: got {got.get(name)}, expected {value}" for name, value in case["expected"].items()
            if name not in got or not _close(got[name], value, fields.get(name, everywhere))]


def verdict(case: Mapping[str, Any]) -> tuple[str, list[str]]:
    """(pass, fail or missing; what differs) of one case."""
    if case["op"] not in OPERATIONS:
        return "missing", [f"operation {case['op']} does not exist"]
    try:
        differences = mismatches(case, run(case["op"], case["inputs"]))
    except (HeadraceError, TypeError, ValueError) as error:  # the latter two: inputs of a wrong kind
        differences = [str(error)]
    return "fail" if differences else "pass", differences


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file. Raises InputError for a file that cannot be read or does not hold cases."""
    try:
        cases = list(json.loads(path.read_text(encoding="utf-8"))["cases"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: no test vectors ({error}); give a JSON file of cases") from error
    for number, case in enumerate(cases):
        if not _is_case(case):
            raise InputError(f"{path}: case {number} is incomplete; a case has id, op, inputs, expected and tol")
    return cases


def _is_case(case: object) -> bool:
    """True for an object that has all fields of a case."""
    return (isinstance(case, Mapping) and {"id", "op", "tol"} <= case.keys()
            and isinstance(case.get("inputs"), Mapping) and isinstance(case.get("expected"), Mapping)
            and (case["tol"] == "exact" or isinstance(case["tol"], Mapping)))


def check(cases: Sequence[Mapping[str, Any]], console: Console) -> bool:
    """Print what differs and pass, fail and missing per operation; whether all cases pass."""
    counts: dict[str, Counter[str]] = {}
    for case in cases:
        outcome, differences = verdict(case)
        counts.setdefault(case["op"], Counter())[outcome] += 1
        for difference in differences:
            console.print(f"{case['id']}: {difference}", markup=False)
    table = Table("operation", "pass", "fail", "missing")
    for op, count in counts.items():
        table.add_row(op, *(str(count[outcome]) for outcome in ("pass", "fail", "missing")))
    console.print(table)
    return all(set(count) == {"pass"} for count in counts.values())


def main(arguments: Sequence[str]) -> int:
    """Check a file; 0 if all cases pass, 1 if one does not, 2 for wrong usage and damaged files."""
    console = Console()
    if len(arguments) != 1:
        console.print("usage: python3 -m headrace.quantization.conformance.vectors FILE")
        return 2
    try:
        cases = read_cases(Path(arguments[0]))
    except InputError as error:
        console.print(str(error), markup=False, soft_wrap=True)
        return 2
    return 0 if check(cases, console) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
