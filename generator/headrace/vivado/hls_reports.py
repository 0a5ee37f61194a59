"""What Vitis HLS says of its result: csynth.xml, for the whole design and for every process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from headrace.errors import ToolError

#: Where vitis_hls and v++ leave the report of the whole design, in hls/.
REPORTS = ("project/solution/syn/report/csynth.xml", "project/hls/syn/report/csynth.xml")
_PERFORMANCE = "PerformanceEstimates"
_OVERALL = f"{_PERFORMANCE}/SummaryOfOverallLatency"
_LOOPS = f"{_PERFORMANCE}/SummaryOfLoopLatency"
_VIOLATIONS = f"{_PERFORMANCE}/SummaryOfViolations/SummaryOfLoopViolations"
#: Logs of vitis_hls and v++ in hls/, and how they say why a loop is slow: the module, then the places in the sources.
_LOGS = ("vitis_hls.log", "v++.log")
_REASON = re.compile(r"\[(?:HLS|SCHED) [\d-]+\] The II Violation in (?:the )?module '([^']+)'.*?: (.*)")
_PLACE = re.compile(r"[\w./-]+\.(?:hpp|cpp|h):\d+")


@dataclass(frozen=True)
class Process:
    """A process of the design: its slowest pipelined loop, and cycles; None is what the compiler leaves open.

    ii, depth, source: of that loop, the stages of its pipeline and "file:line"; latency and interval: of a call.
    modules: the names of the process and of all modules in it.
    """

    name: str
    ii: int | None
    depth: int | None
    source: str | None
    latency_cycles: int | None
    interval_cycles: int | None
    modules: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """As build.json holds it."""
        return {key: value for key, value in asdict(self).items() if key != "modules"}


@dataclass(frozen=True)
class HlsSynthesis:
    """The whole design, as far as the compiler knows it, and its processes in the order of the report."""

    estimated_clock_ns: float | None
    latency_cycles: int | None
    interval_cycles: int | None
    processes: tuple[Process, ...]

    def record(self) -> dict[str, Any]:
        """As build.json holds it."""
        return asdict(self) | {"processes": [process.record() for process in self.processes]}

    def warnings(self, layers: Mapping[str, str], reasons: Mapping[str, str]) -> list[str]:
        """A sentence for every layer that is slower than one word per cycle, or that the report does not name.

        layers: names of layers by those of their functions; reasons: what `read_reasons` found.
        """
        found = {process.name: process for process in self.processes}
        missing = [f"{layer}: csynth.xml has no process {name}, its II is not known"
                   for name, layer in layers.items() if name not in found]
        slow = [f"{layers[process.name]}: Vitis HLS made {_loop(process)} with II={process.ii} instead of 1; "
                f"{_reason(process, reasons)}"
                for process in self.processes if process.name in layers and (process.ii or 1) > 1]
        return missing + slow


def compared(synthesis: HlsSynthesis, layers: Mapping[str, str], planned: Mapping[str, int]) -> list[dict[str, Any]]:
    """For every process of a layer what was planned and what the compiler made of it.

    layers: names of layers by those of their functions; planned: cycles per frame at II=1, by the same names. `cycles`
    are those of the II that was reached, None where the report does not tell.
    """
    return [{"name": layers[process.name], "process": process.name, "planned_ii": 1, "ii": process.ii,
             "planned_cycles": planned[process.name],
             "cycles": None if process.ii is None else process.ii * planned[process.name],
             "depth": process.depth, "latency_cycles": process.latency_cycles, "source": process.source}
            for process in synthesis.processes if process.name in layers]


def _loop(process: Process) -> str:
    return f"its loop at {process.source}" if process.source else "its loop"


def _reason(process: Process, reasons: Mapping[str, str]) -> str:
    found = next((reasons[module] for module in process.modules if module in reasons), None)
    return f"its log names {found}" if found else "look for its name in hls/vitis_hls.log or hls/v++.log"


def read_reasons(hls: Path) -> dict[str, str]:
    """For modules with a slow loop the places of the sources that the logs of a folder hls/ give as the reason."""
    found: dict[str, str] = {}
    for log in (hls / name for name in _LOGS):
        text = log.read_text(errors="replace") if log.is_file() else ""
        for module, message in _REASON.findall(text):
            if places := list(dict.fromkeys(_PLACE.findall(message))):
                found.setdefault(module, " and ".join(places))
    return found


def find_report(hls: Path) -> Path:
    """The report in the folder hls/ of a build, the newest if both tools left one.

    Raises ToolError if there is none.
    """
    found = [hls / name for name in REPORTS if (hls / name).is_file()]
    if not found:
        raise ToolError(f"{hls / REPORTS[0]}: was not written; look into the log of the HLS compiler")
    return max(found, key=lambda path: path.stat().st_mtime_ns)


def read_synthesis(path: Path) -> HlsSynthesis:
    """Read csynth.xml (UG1399, "Synthesis Summary"). Raises ToolError where it is not such a report."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ToolError(f"{path}: cannot be read ({error}); look into the log of the HLS compiler") from None
    modules = {_text(module, "Name"): module for module in root.iterfind("ModuleInformation/Module")}
    instances = root.findall("RTLDesignHierarchy/TopModule/InstancesList/Instance")
    if root.find(_OVERALL) is None or not modules or not instances:
        raise ToolError(f"{path}: holds no performance of modules; look into the log of the HLS compiler")
    clock = _text(root, f"{_PERFORMANCE}/SummaryOfTimingAnalysis/EstimatedClockPeriod")
    return HlsSynthesis(
        float(clock) if clock else None, _integer(root, f"{_OVERALL}/Worst-caseLatency"),
        _integer(root, f"{_OVERALL}/Interval-max"),
        tuple(_process(instance, modules) for instance in instances if _text(instance, "ModuleName") in modules),
    )


def _process(instance: ElementTree.Element, modules: Mapping[str, ElementTree.Element]) -> Process:
    name = _text(instance, "ModuleName")
    inside = tuple(_below(instance))
    loops = [loop for module in inside if module in modules for loop in _loops(modules[module])]
    ii, depth, source = max(loops, key=lambda loop: loop[0], default=(None, None, None))
    return Process(name, ii, depth, source, _integer(modules[name], f"{_OVERALL}/Worst-caseLatency"),
                   _integer(modules[name], f"{_OVERALL}/Interval-max"), inside)


def _below(instance: ElementTree.Element) -> Iterator[str]:
    """Modules of an instance and of all in it: pipelined loops become modules of their own."""
    yield _text(instance, "ModuleName")
    for inner in instance.iterfind("InstancesList/Instance"):
        yield from _below(inner)


def _loops(module: ElementTree.Element) -> Iterator[tuple[int, int | None, str | None]]:
    """II, depth and place of all pipelined loops of a module; loops lie in loops, each an element of its own name."""
    places = {place.tag: _text(place, "SourceLocation") for places in module.iterfind(_VIOLATIONS) for place in places}
    for loops in module.iterfind(_LOOPS):
        for loop in loops.iter():
            if (ii := _integer(loop, "PipelineII")) is not None:
                yield ii, _integer(loop, "PipelineDepth"), places.get(loop.tag) or None


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _integer(element: ElementTree.Element, path: str) -> int | None:
    return _number(element.findtext(path))


def _number(text: str | None) -> int | None:
    """A number of cycles; None for what depends on data or is not pipelined: "?", "undef", "no"."""
    word = (text or "").strip()
    return int(word) if word.isdecimal() else None
