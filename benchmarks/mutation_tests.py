"""Which tests should notice a mutant, the cheapest first."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.mutation_worker import BENCH
from benchmarks.prove import MODULES

ROOT = Path(__file__).resolve().parents[1]
#: Processor seconds of tests without a mutant that judge one.
BUDGET_S = 15.0
#: Kinds of layers that judge a file by a few layers, and by all of their tests.
FEW_KINDS, WHOLE_KINDS = 8, 4
#: Tests that `make test` leaves out, too.
SLOW = ("-m", "slow")
#: From here on a proof takes too long to judge mutants.
MANY_CYCLES = 40
#: The kind with most batteries.
_LARGEST = "mvtu"
_UNIT = re.compile(r"\b(headrace_\w+)\b")
_INCLUDE = re.compile(r'#include "(\w+\.hpp)"')


@dataclass(frozen=True, eq=False)
class Group:
    """A test function or a class of tests: its time and the lines of the mutated files that it runs."""

    name: str
    seconds: float
    lines: Mapping[str, frozenset[int]]


def groups_of(watched: Mapping[str, Any]) -> list[Group]:
    """The groups of a run that a Watch saw, those that passed."""
    found = []
    for name, group in watched.items():
        lines: dict[str, set[int]] = {}
        for path, line in group["lines"]:
            lines.setdefault(path, set()).add(line)
        if group["passed"]:
            found.append(Group(name, group["seconds"], {path: frozenset(own) for path, own in lines.items()}))
    return sorted(found, key=lambda group: group.seconds)


def judges_of_line(groups: Sequence[Group], path: str, line: int) -> tuple[str, ...]:
    """Tests that run a line; then those that run its function; then their neighbours, as long as the budget lasts.

    The first test that imports a module runs the line of a constant: those judge it that run a line with its name.
    """
    first, last = _function(ROOT / path, line)
    if names := frozenset(_constants(ROOT / path, line)):
        places = {file: _uses(ROOT / file, names) for group in groups for file in group.lines}
        direct = near = [group for group in groups if any(places[file] & lines for file, lines in group.lines.items())]
    else:
        direct = [group for group in groups if line in group.lines.get(path, ())]
        near = [group for group in groups if any(first <= own <= last for own in group.lines.get(path, ()))]
    files = {group.name.split("::")[0] for group in near}
    beside = [group for group in groups if group.name.split("::")[0] in files]
    others = [group for group in groups if path in group.lines] if not near else []
    chosen: list[str] = []
    spent = 0.0
    for group in dict.fromkeys((*direct, *near, *others, *beside)):
        if spent + group.seconds <= BUDGET_S or not chosen:
            spent += group.seconds
            chosen.append(group.name)
    return tuple(chosen)


def _constants(path: Path, line: int) -> set[str]:
    """The names of the constants of a module that a line gives."""
    body = ast.parse(path.read_text()).body
    targets = [target for node in body if isinstance(node, ast.Assign) and node.lineno <= line <= (node.end_lineno or 0)
               for target in node.targets]
    return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}


@cache
def _uses(path: Path, names: frozenset[str]) -> set[int]:
    """The lines of a file that read one of some names."""
    return {node.lineno for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load)}


@cache
def _functions(path: Path) -> list[tuple[int, int]]:
    tree = ast.parse(path.read_text())
    return [(node.lineno, node.end_lineno or 0) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _function(path: Path, line: int) -> tuple[int, int]:
    """The lines of the innermost function around a line; the line itself outside of all."""
    return max(((first, last) for first, last in _functions(path) if first <= line <= last), default=(line, line))


def judges_of_module(path: Path, engine: str, other: Sequence[str]) -> list[tuple[str, ...]]:
    """Runs of tests of the kinds of layers whose hardware uses a file, those first of which it is the largest part.

    A few layers of every kind come before the whole batteries of some of them.
    """
    sources = _closures(path.suffix)
    using = sorted((len(parts), kind) for kind, parts in sources.items() if path.name in parts)
    kinds = [kind for _, kind in using if (ROOT / f"tests/layers/test_{kind}.py").exists()]
    whole = list(dict.fromkeys((*kinds[:WHOLE_KINDS], *(kind for kind in kinds if kind == _LARGEST))))
    few = [(f"{BENCH}{kind} {engine}",) for kind in dict.fromkeys((*kinds[:FEW_KINDS], *whole))]
    forms = [("tests/rtl/test_primitives.py", "-k", f"{path.stem.removeprefix('headrace_')} or compute_the_same")]
    runs = [*few, *(forms if _has_forms(path) else []), *checks_of(path), *proofs_of(path),
            *((f"tests/layers/test_{kind}.py", "-k", engine) for kind in whole)]
    return runs or [(*other, "-k", f"{engine} or primitive or forms or kernel or csim")]


def checks_of(path: Path) -> list[tuple[str, ...]]:
    """The test of the parameter checks of a module that has some."""
    return [("tests/rtl/test_parameter_checks.py", *SLOW, "-k", path.stem)] if "gen_check" in _text(path) else []


def proofs_of(path: Path) -> list[tuple[str, ...]]:
    """The proofs whose properties name a module, but for those that look at many cycles."""
    names = [name for name, module in MODULES.items()
             if module.steps < MANY_CYCLES and path.stem in _UNIT.findall(module.text)]
    return [(*SLOW, *(f"tests/test_proofs.py::test_modules_are_proved[{name}]" for name in names))] if names else []


def _has_forms(path: Path) -> bool:
    """Is a module made of primitive cells, or does it have such a form?"""
    return "PRIMITIVES" in _text(path)


def _text(path: Path) -> str:
    """What is in the module of this name; nothing for a header."""
    return "".join(place.read_text() for place in ROOT.glob(f"rtl_sim/rtl/*/{path.name}"))


@cache
def _closures(suffix: str) -> Mapping[str, frozenset[str]]:
    """By kind of layer, the files that it is made of."""
    folder, pattern = {".sv": ("rtl_sim/rtl", _UNIT), ".hpp": ("hls_templates/include", _INCLUDE)}[suffix]
    used = {path.name: {name.removesuffix(suffix) + suffix for name in pattern.findall(path.read_text())}
            for path in sorted((ROOT / folder).rglob(f"*{suffix}"))}
    return {name.removeprefix("headrace_").removesuffix(suffix): frozenset(_closed(name, used)) for name in used}


def _closed(name: str, used: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        new = used.get(waiting.pop(), set()) & used.keys() - found
        found |= new
        waiting += new
    return found
