"""Rules for the processes of a DATAFLOW function and for the loops that move words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from headrace.hls_lint.clang import Sources, live
from headrace.hls_lint.findings import Finding
from headrace.hls_lint.kernels import pragmas_of
from headrace.hls_lint.network import StreamUse
from headrace.hls_lint.pragmas import Pragma


def check_process(sources: Sources, process: Any, pragmas: Sequence[Pragma]) -> Iterator[Finding]:
    """A function that a DATAFLOW function calls: a module of its own, which gives nothing back."""
    place = sources.place(process)
    if process.result_type.get_canonical().kind.name != "VOID":
        yield Finding(*place, "process", f"{process.spelling} returns {process.result_type.spelling}")
    inlines = [pragma for pragma in pragmas_of(sources, process, pragmas) if pragma.directive == "INLINE"]
    if not inlines:
        yield Finding(*place, "process", f"{process.spelling} has no #pragma HLS INLINE off")
    for pragma in inlines:
        if "off" not in pragma.words:
            yield pragma.finding("process", f"{process.spelling} is inlined")


def check_pipelines(sources: Sources, function: Any, pragmas: Sequence[Pragma]) -> Iterator[Finding]:
    """Loops that touch streams are pipelined, and nothing but a loop is."""
    own = [pragma for pragma in pragmas_of(sources, function, pragmas) if pragma.directive == "PIPELINE"]
    uses, leading = StreamUse(sources), set()
    for loop in _outermost_loops(function):
        for inner in _moving_loops(loop, uses, own):
            pragma = pipeline_of(inner, own)
            if pragma is None:
                yield Finding(*sources.place(inner), "pipeline",
                              f"a loop of {function.spelling} touches a stream and is not pipelined")
            elif pragma.options.get("ii") != "1" or "off" in pragma.words:
                yield pragma.finding("pipeline", f"this loop of {function.spelling} is not asked for II=1")
    for loop in live(function):
        if loop.kind.name == "FOR_STMT" and (pragma := pipeline_of(loop, own)):
            leading.add(pragma)
    for pragma in own:
        if pragma not in leading:
            yield pragma.finding("pipeline", "PIPELINE is not the first statement of a loop")


def pipeline_of(loop: Any, pragmas: Sequence[Pragma]) -> Pragma | None:
    """The PIPELINE among the directives in front of a loop's first statement."""
    body = list(loop.get_children())[-1]
    if body.kind.name != "COMPOUND_STMT":
        return None
    first = next(body.get_children(), None)
    end = first.extent.start.line if first is not None else body.extent.end.line
    begin = body.extent.start.line
    return next((pragma for pragma in pragmas
                 if pragma.directive == "PIPELINE" and begin < pragma.line < end), None)


def _outermost_loops(node: Any) -> Iterator[Any]:
    for child in node.get_children():
        if child.kind.name == "FOR_STMT":
            yield child
        else:
            yield from _outermost_loops(child)


def _moving_loops(loop: Any, uses: StreamUse, pragmas: Sequence[Pragma]) -> Iterator[Any]:
    """Of a nest the loops that must be pipelined: those that touch a stream outside of their inner loops."""
    if not uses.uses(loop):
        return
    body = list(loop.get_children())[-1]
    inner = list(_outermost_loops(body))
    if pipeline_of(loop, pragmas) is not None or not any(uses.uses(child) for child in inner):
        yield loop
        return
    for child in inner:
        yield from _moving_loops(child, uses, pragmas)
