"""Directives of Vitis HLS: their options and values, as UG1399 lists them for 2020.1 to 2026.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.hls_lint.findings import Finding
from headrace.hls_lint.pragmas import Pragma

#: A number or the name of a constant of the code; where the value must be literal, see `check_depths`.
_COUNT = re.compile(r"[A-Za-z_][\w:]*|[1-9]\d*")
_NUMBER = re.compile(r"[A-Za-z_][\w:]*|\d+")
_LITERAL = re.compile(r"\d+")
_NAME = re.compile(r"[A-Za-z_][\w.]*")
_BOOL = ("true", "false")
_MIN_DEPTH = 2

#: What a value may be: a pattern, or the words themselves.
Values = re.Pattern[str] | Sequence[str]


@dataclass(frozen=True)
class Directive:
    """What may follow a directive: options NAME=VALUE, words that stand alone, and the options that must be there."""

    options: Mapping[str, Values] = field(default_factory=dict)
    words: Sequence[str] = ()
    required: Sequence[str] = ()


_PARTITIONS = ("cyclic", "block", "complete")
_PARTITION = Directive({"variable": _NAME, "type": _PARTITIONS, "factor": _COUNT, "dim": _LITERAL, "off": _BOOL},
                       _PARTITIONS, ("variable",))
_STORAGES = ("fifo", "ram_1p", "ram_1wnr", "ram_2p", "ram_s2p", "ram_t2p", "rom_1p", "rom_2p", "rom_np")
_MEMORIES = ("auto", "bram", "bram_ecc", "lutram", "memory", "srl", "uram", "uram_ecc")
_DIRECTIONS, _SCOPES, _CLASSES = ("raw", "war", "waw"), ("inter", "intra"), ("array", "pointer")

#: Modes of INTERFACE.
MODES = ("axis", "s_axilite", "m_axi", "ap_ctrl_none", "ap_ctrl_hs", "ap_ctrl_chain", "ap_none", "ap_stable", "ap_vld",
         "ap_ack", "ap_hs", "ap_ovld", "ap_fifo", "ap_memory", "bram")

#: The directives that the kernels may use.
DIRECTIVES: Mapping[str, Directive] = {
    "INTERFACE": Directive({"mode": MODES, "port": _NAME, "register": _BOOL, "depth": _COUNT, "name": _NAME,
                            "bundle": _NAME, "register_mode": ("both", "forward", "reverse", "off")},
                           (*MODES, "register"), ("port",)),
    "PIPELINE": Directive({"ii": _COUNT, "style": ("stp", "frp", "flp"), "off": _BOOL},
                          ("off", "rewind", "enable_flush")),
    "UNROLL": Directive({"factor": _COUNT, "off": _BOOL}, ("skip_exit_check",)),
    "INLINE": Directive({"off": _BOOL}, ("off", "recursive")),
    "DATAFLOW": Directive({}, ("disable_start_propagation",)),
    "LOOP_FLATTEN": Directive({"off": _BOOL}, ("off", "force")),
    "LOOP_TRIPCOUNT": Directive({"min": _NUMBER, "max": _NUMBER, "avg": _NUMBER}),
    "LATENCY": Directive({"min": _NUMBER, "max": _NUMBER}),
    "STREAM": Directive({"variable": _NAME, "depth": _COUNT, "type": ("fifo", "pipo", "shared", "unsync"),
                         "off": _BOOL}, ("off",), ("variable",)),
    "ARRAY_PARTITION": _PARTITION,
    "ARRAY_RESHAPE": Directive(_PARTITION.options, (*_PARTITIONS, "object"), ("variable",)),
    "BIND_STORAGE": Directive({"variable": _NAME, "type": _STORAGES, "impl": _MEMORIES, "latency": _NUMBER}, (),
                              ("variable", "type")),
    "BIND_OP": Directive({"variable": _NAME, "op": _NAME, "impl": ("dsp", "fabric", "auto"), "latency": _NUMBER}, (),
                         ("variable", "op")),
    "DEPENDENCE": Directive({"variable": _NAME, "class": _CLASSES, "type": _SCOPES, "direction": _DIRECTIONS,
                             "distance": _COUNT, "dependent": _BOOL, **dict.fromkeys(_SCOPES, _BOOL)},
                            (*_CLASSES, *_SCOPES, *_DIRECTIONS, *_BOOL)),
    "AGGREGATE": Directive({"variable": _NAME, "compact": ("auto", "none", "byte", "bit")}, (), ("variable",)),
}


def check_directives(pragmas: Sequence[Pragma]) -> Iterator[Finding]:
    """Directives, options and values that no compiler knows, and what is missing."""
    for pragma in pragmas:
        directive = DIRECTIVES.get(pragma.directive)
        if directive is None:
            yield pragma.finding("pragma", f"{pragma.directive} is not a directive of Vitis HLS")
            continue
        yield from _check_options(pragma, directive)
        yield from _check_words(pragma, directive)
        if pragma.directive == "STREAM":
            yield from _check_depth(pragma)


def _check_options(pragma: Pragma, directive: Directive) -> Iterator[Finding]:
    for name in directive.required:
        if name not in pragma.options:
            yield pragma.finding("pragma", f"{pragma.directive} has no {name}=")
    for name, value in pragma.options.items():
        values = directive.options.get(name)
        if values is None:
            known = ", ".join(option.upper() if option == "ii" else option for option in directive.options)
            yield pragma.finding("pragma", f"{pragma.directive} has no option {name}=; it has {known or 'none'}")
        elif isinstance(values, re.Pattern):
            if not values.fullmatch(value):
                yield pragma.finding("pragma", f"{pragma.directive} {name}={value} is not a value of this option")
        elif value.lower() not in values:
            yield pragma.finding("pragma", f"{pragma.directive} {name}={value} is not one of {', '.join(values)}")


def _check_words(pragma: Pragma, directive: Directive) -> Iterator[Finding]:
    for word in pragma.words:
        if word not in directive.words:
            yield pragma.finding("pragma", f"{pragma.directive} does not know the word {word}")


def _check_depth(pragma: Pragma) -> Iterator[Finding]:
    depth = pragma.options.get("depth")
    if depth is None or not depth.isdecimal() or int(depth) < _MIN_DEPTH:
        text = f"the depth of {pragma.options.get('variable', 'a stream')} is {depth or 'not given'}"
        yield pragma.finding("stream-depth", f"{text}; write a number of {_MIN_DEPTH} or more")
