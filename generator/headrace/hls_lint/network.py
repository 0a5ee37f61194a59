"""Rules for the top and for functions whose body is a dataflow region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.hls_lint.clang import Sources, instance_key, live
from headrace.hls_lint.constructs import is_stream
from headrace.hls_lint.findings import Finding
from headrace.hls_lint.kernels import pragmas_of
from headrace.hls_lint.pragmas import Pragma

_READS = ("read", "read_nb", "operator>>")
_WRITES = ("write", "write_nb", "operator<<")
_BRANCHES = ("IF_STMT", "SWITCH_STMT", "CONDITIONAL_OPERATOR")


@dataclass(eq=False)
class StreamUse:
    """Whether a concrete function reads or writes each of its parameters; remembered per function."""

    sources: Sources
    _known: dict[str, list[tuple[bool, bool]]] = field(default_factory=dict)

    def of(self, function: Any) -> list[tuple[bool, bool]]:
        """(reads, writes) for every parameter."""
        key = instance_key(function)
        if key not in self._known:
            parameters = list(function.get_arguments())
            self._known[key] = [(False, False)] * len(parameters)  # ends a recursion
            uses = self.uses(function)
            self._known[key] = [uses.get(parameter.hash, (False, False)) for parameter in parameters]
        return self._known[key]

    def uses(self, body: Any) -> dict[int, tuple[bool, bool]]:
        """(reads, writes) of every variable in a piece of code, by the hash of its declaration."""
        found: dict[int, tuple[bool, bool]] = {}

        def add(declaration: Any, reads: bool, writes: bool) -> None:
            if declaration is not None:
                before = found.get(declaration.hash, (False, False))
                found[declaration.hash] = before[0] or reads, before[1] or writes

        for call in live(body):
            if call.kind.name != "CALL_EXPR":
                continue
            if call.spelling in (*_READS, *_WRITES):
                for variable in _first_reference(call):
                    add(variable.referenced, call.spelling in _READS, call.spelling in _WRITES)
            target = call.referenced and (call.referenced.get_definition() or call.referenced)
            if target is not None and self.sources.owns(target):
                for argument, (reads, writes) in zip(call.get_arguments(), self.of(target), strict=False):
                    for variable in _first_reference(argument):
                        add(variable.referenced, reads, writes)
        return found


def _first_reference(expression: Any) -> list[Any]:
    """The first variable that an expression names, if it is a stream."""
    names = (node for node in expression.walk_preorder() if node.kind.name == "DECL_REF_EXPR" and is_stream(node))
    first = next(names, None)
    return [] if first is None else [first]


def check_top(sources: Sources, top: Any, pragmas: Sequence[Pragma]) -> Iterator[Finding]:
    """Linkage and interface of the top."""
    place = sources.place(top)
    if top.mangled_name != top.spelling:
        yield Finding(*place, "extern-c", f"{top.spelling} is mangled to {top.mangled_name}")
    own = pragmas_of(sources, top, pragmas)
    if not any(pragma.directive == "DATAFLOW" for pragma in own):
        yield Finding(*place, "dataflow", f"{top.spelling} has no #pragma HLS DATAFLOW")
    interfaces = {pragma.options.get("port", ""): pragma for pragma in own if pragma.directive == "INTERFACE"}
    if "return" not in interfaces:
        yield Finding(*place, "free-running", f"{top.spelling} has no interface for its return")
    for argument in top.get_arguments():
        if argument.spelling not in interfaces:
            yield Finding(*place, "interface", f"argument {argument.spelling} has no interface")
    for pragma in interfaces.values():
        yield from _check_interface(top, pragma)
    yield from _check_tlast(sources, top)


def _check_interface(top: Any, pragma: Pragma) -> Iterator[Finding]:
    port, mode = pragma.options.get("port", ""), pragma.options.get("mode", "")
    streams = {argument.spelling for argument in top.get_arguments() if is_stream(argument)}
    if not mode:
        yield pragma.finding("interface", f"the interface of {port} has no mode=")
    elif port == "return":
        if mode != "ap_ctrl_none":
            yield pragma.finding("free-running", f"the mode of return is {mode}")
    elif port not in {argument.spelling for argument in top.get_arguments()}:
        yield pragma.finding("interface", f"{top.spelling} has no argument {port}")
    elif port in streams and mode != "axis":
        yield pragma.finding("interface", f"the mode of the stream {port} is {mode}")


def _check_tlast(sources: Sources, top: Any) -> Iterator[Finding]:
    for argument, (_, writes) in zip(top.get_arguments(), StreamUse(sources).of(top), strict=True):
        if writes and is_stream(argument) and "ap_axiu<" not in argument.type.get_canonical().spelling:
            yield Finding(*sources.place(argument), "tlast", f"output {argument.spelling} has no TLAST")


def is_dataflow(sources: Sources, function: object, pragmas: Sequence[Pragma]) -> bool:
    """True for a function with #pragma HLS DATAFLOW."""
    return any(pragma.directive == "DATAFLOW" for pragma in pragmas_of(sources, function, pragmas))


def check_dataflow(sources: Sources, function: Any) -> Iterator[Finding]:
    """The body of a function with #pragma HLS DATAFLOW."""
    body = next(child for child in function.get_children() if child.kind.name == "COMPOUND_STMT")
    processes = []
    for statement in body.get_children():
        kind = _innermost_kind(statement)
        if kind in _BRANCHES:
            text = f"{kind.split('_')[0].lower()} in the body"
            yield Finding(*sources.place(statement), "dataflow-conditional", text)
        elif kind == "CALL_EXPR":
            processes.append(statement)
        elif kind not in ("DECL_STMT", "NULL_STMT"):
            yield Finding(*sources.place(statement), "dataflow-body", f"{sources.text(statement).splitlines()[0]}")
    streams = [node for node in body.walk_preorder() if node.kind.name == "VAR_DECL" and is_stream(node)]
    ports = [argument for argument in function.get_arguments() if is_stream(argument)]
    yield from _check_streams(sources, streams, ports, processes)


def _innermost_kind(statement: Any) -> str:
    while statement.kind.name in ("UNEXPOSED_EXPR", "PAREN_EXPR", "CSTYLE_CAST_EXPR"):
        statement = list(statement.get_children())[-1]
    return str(statement.kind.name)


def _check_streams(sources: Sources, streams: Sequence[Any], ports: Sequence[Any],
                   processes: Sequence[Any]) -> Iterator[Finding]:
    analysis = StreamUse(sources)
    uses: list[Mapping[int, tuple[bool, bool]]] = [analysis.uses(process) for process in processes]
    for stream in (*streams, *ports):
        producers = [index for index, use in enumerate(uses) if use.get(stream.hash, (False, False))[1]]
        consumers = [index for index, use in enumerate(uses) if use.get(stream.hash, (False, False))[0]]
        counts = len(producers), len(consumers)
        if set(producers) & set(consumers):
            process = processes[min(set(producers) & set(consumers))]
            yield Finding(*sources.place(process), "dataflow-order", f"{stream.spelling} is read by its own producer")
        elif counts != (1, 1) and not (stream in ports and counts in ((0, 1), (1, 0))):
            text = f"{stream.spelling} has {len(producers)} producers and {len(consumers)} consumers"
            yield Finding(*sources.place(stream), "dataflow-streams", text)
        elif counts == (1, 1) and producers[0] >= consumers[0]:
            text = f"{stream.spelling} is read before it is written"
            yield Finding(*sources.place(processes[consumers[0]]), "dataflow-order", text)
