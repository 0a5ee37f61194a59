"""Rules for pipelined loops: what keeps an iteration from starting every cycle."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from headrace.hls_lint.clang import Sources
from headrace.hls_lint.delays import MEMORY_NS
from headrace.hls_lint.findings import Finding
from headrace.hls_lint.interpret import Interpreter
from headrace.hls_lint.loops import Loop, MemoryAccess, exclusive
from headrace.hls_lint.pragmas import Pragma
from headrace.hls_lint.recurrence import carried_operations, slowest_circle
from headrace.hls_lint.translate import Translator
from headrace.hls_lint.values import Array

#: What Vitis HLS takes off the clock period unless it is told otherwise (UG1702, clock_uncertainty).
UNCERTAINTY = 0.27
_PORTS = 2
_SETTING = re.compile(r"^\s*set\s+(period|uncertainty)\s+([\d.]+)(%?)", re.MULTILINE)


@dataclass(frozen=True)
class Clock:
    """The clock of a project: its period, and what of it is left for logic, in ns."""

    period_ns: float
    budget_ns: float


@dataclass(frozen=True)
class LoopTiming:
    """The estimate for a loop: the delay of its slowest recurrence, through these variables, and where it stands."""

    process: str
    file: str
    line: int
    recurrence_ns: float
    through: tuple[str, ...]


def read_clock(folder: Path) -> Clock | None:
    """The clock that csynth.tcl of a folder sets, None where there is none."""
    script = folder / "csynth.tcl"
    found = {name: (float(number), percent) for name, number, percent in
             _SETTING.findall(script.read_text(errors="replace"))} if script.is_file() else {}
    if "period" not in found:
        return None
    period = found["period"][0]
    number, percent = found.get("uncertainty", (100 * UNCERTAINTY, "%"))
    return Clock(period, period - (period * number / 100 if percent else number))


def pipelined_loops(sources: Sources, top: object, pragmas: Sequence[Pragma]) -> list[Loop]:
    """The pipelined loops of all processes that a top calls, in this order."""
    translator, interpreter = Translator(sources, pragmas), Interpreter()
    for call, process in sources.callees(top):
        names = [argument.spelling for argument in call.get_arguments()]
        interpreter.process(translator.function(process), names)
    return interpreter.loops


def loop_timing(loop: Loop) -> LoopTiming:
    """The estimate for a loop."""
    ns, circle = slowest_circle(loop.edges)
    names = tuple(dict.fromkeys(loop.names.get(key, "a value") for key in circle))
    return LoopTiming(loop.process, *loop.place, round(ns, 2), names)


def check_loop(loop: Loop, clock: Clock | None) -> Iterator[Finding]:
    """All rules for a pipelined loop."""
    yield from _check_streams(loop)
    yield from _check_operations(loop)
    yield from _check_memories(loop, clock)
    timing = loop_timing(loop)
    if clock and timing.recurrence_ns > clock.budget_ns:
        text = (f"{loop.process}: the recurrence through {', '.join(timing.through)} takes {timing.recurrence_ns:g} ns "
                f"and the clock of {clock.period_ns:g} ns leaves {clock.budget_ns:.2f} ns")
        yield Finding(*loop.place, "recurrence", text)


def _check_streams(loop: Loop) -> Iterator[Finding]:
    for first, second in combinations(loop.streams, 2):
        # Branches that exclude each other do not help: a compiler schedules the port, not the condition.
        if first.stream == second.stream and first.reads == second.reads:
            verb = "reads" if first.reads else "writes"
            yield Finding(*second.place, "stream-access", f"an iteration {verb} {first.stream} a second time")


def _check_operations(loop: Loop) -> Iterator[Finding]:
    for place in dict.fromkeys(loop.divisions):
        yield Finding(*place, "division", "a division in a pipelined loop")
    for what, place in carried_operations(loop.edges):
        if what != "division":
            yield Finding(*place, "carried-operation", f"a {what} between an iteration of {loop.function} and the next")


def _check_memories(loop: Loop, clock: Clock | None) -> Iterator[Finding]:
    accesses: dict[Array, list[MemoryAccess]] = defaultdict(list)
    for access in loop.memories:
        accesses[access.array].append(access)
    for array, mine in accesses.items():
        if any({"*", "mux"} & set(access.indices) for access in mine):
            yield from _check_ports(loop, array, mine)
        if memories := [access for access in mine if "*" in access.indices]:
            yield from _check_dependence(loop, array, memories, clock)


def _check_ports(loop: Loop, array: Array, accesses: Sequence[MemoryAccess]) -> Iterator[Finding]:
    for dimension in range(1, len(array.shape.sizes) + 1):
        used = {access.indices[dimension - 1] for access in accesses} - {"*", "mux"}
        if len(used) > 1 and not array.is_split(dimension):
            text = f"{array.name} is used at {len(used)} places of dimension {dimension}, which is not partitioned"
            yield Finding(*loop.place, "ports", f"an iteration of {loop.process}: {text}")
            return
    banks: dict[tuple[int | str, ...], list[MemoryAccess]] = defaultdict(list)
    for access in accesses:
        rivals = banks[access.indices]
        if not any(access.address == rival.address or exclusive(access.guards, rival.guards) for rival in rivals):
            rivals.append(access)
    if (most := max(len(rivals) for rivals in banks.values())) > _PORTS:
        text = f"{array.name} is used at {most} addresses, and a memory has {_PORTS} ports"
        yield Finding(*loop.place, "ports", f"an iteration of {loop.process}: {text}")


def _check_dependence(loop: Loop, array: Array, accesses: Sequence[MemoryAccess],
                      clock: Clock | None) -> Iterator[Finding]:
    stores = [access for access in accesses if not access.loads]
    loads = [access for access in accesses if access.loads]
    meet = any(not exclusive(load.guards, store.guards) for load in loads for store in stores)
    updates = [update for update in loop.updates if update.array is array]
    if meet and not array.claims:
        yield Finding(*stores[0].place, "memory-dependence",
                      f"an iteration of {loop.function} loads and stores {array.name}")
    for claim in sorted(array.claims, key=lambda claim: claim.place):
        if updates and claim.is_false:
            yield Finding(*claim.place, "memory-dependence", f"{array.name} is stored as computed from its own loads, "
                          "so that the claim of no dependence is wrong")
    distances = [claim.distance for claim in array.claims if claim.distance is not None]
    for update in updates:
        if clock and distances and (cycles := _cycles(update.ns, clock)) > max(distances):
            text = f"load, {update.ns:.2f} ns of logic and store of {array.name} take {cycles} cycles"
            yield Finding(*update.place, "recurrence",
                          f"{loop.process}: {text}, and it comes back after {max(distances)}")


def _cycles(ns: float, clock: Clock) -> int:
    """Cycles from a load to where the next may see what was stored."""
    return 2 + math.floor((MEMORY_NS + ns) / clock.budget_ns)
