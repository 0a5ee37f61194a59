"""C++ that compiles and simulates, but that hardware has no use for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headrace.hls_lint.clang import Sources, live
from headrace.hls_lint.findings import Finding

_FLOATS = ("FLOAT", "DOUBLE", "LONGDOUBLE", "FLOAT128", "HALF")
_WIDE = ("INT128", "UINT128")
_POLLS = ("empty", "full", "size", "capacity", "read_nb", "write_nb")
_POINTER_CASTS = ("CXX_REINTERPRET_CAST_EXPR", "CSTYLE_CAST_EXPR", "CXX_FUNCTIONAL_CAST_EXPR")


def is_stream(variable: Any) -> bool:
    """True for a stream, an array of them or a reference to one."""
    spelling = variable.type.get_canonical().spelling
    return bool(spelling.removeprefix("const ").startswith("hls::stream<"))


def check_constructs(sources: Sources, function: object) -> Iterator[Finding]:
    """What may not stand anywhere in a concrete function."""
    for node in live(function):
        if text := _static(node) or _poll(node) or _number(node) or _pointer(node):
            rule, words = text
            yield Finding(*sources.place(node), rule, words)


def check_state(sources: Sources) -> Iterator[Finding]:
    """Streams and variables at namespace scope."""
    for node in sources.declarations:
        if node.kind.name != "VAR_DECL":
            continue
        if is_stream(node):
            yield Finding(*sources.place(node), "stream-scope", f"{node.spelling} is declared outside of the top")
        elif not _is_constant(node):
            yield Finding(*sources.place(node), "static-state", f"{node.spelling} keeps its value between frames")


def _is_constant(variable: Any) -> bool:
    kind = variable.type.get_canonical()
    while kind.kind.name == "CONSTANTARRAY" and not kind.is_const_qualified():  # canonical arrays carry the qualifier
        kind = kind.element_type
    return bool(kind.is_const_qualified())


def _static(node: Any) -> tuple[str, str] | None:
    if node.kind.name == "VAR_DECL" and node.storage_class.name == "STATIC" and not _is_constant(node):
        return "static-state", f"{node.spelling} keeps its value between frames"
    return None


def _poll(node: Any) -> tuple[str, str] | None:
    if node.kind.name == "CALL_EXPR" and node.spelling in _POLLS:
        callee = next(node.get_children(), None)
        target = next(callee.get_children(), None) if callee is not None else None
        if target is not None and is_stream(target):
            return "polling", f"{target.spelling}.{node.spelling}() asks what a stream holds"
    return None


def _number(node: Any) -> tuple[str, str] | None:
    kind = node.type.get_canonical().kind.name
    if kind in _FLOATS:
        return "floating-point", f"a number of type {node.type.spelling}"
    if kind in _WIDE:
        return "int128", f"a number of type {node.type.spelling}"
    return None


def _pointer(node: Any) -> tuple[str, str] | None:
    kind = node.type.get_canonical()
    if node.kind.name in ("VAR_DECL", "PARM_DECL") and kind.kind.name in ("POINTER", "MEMBERPOINTER"):
        pointee = kind.get_pointee().kind.name
        if pointee in ("FUNCTIONPROTO", "FUNCTIONNOPROTO"):
            return "function-pointer", f"{node.spelling} points to a function"
    if node.kind.name == "CXX_REINTERPRET_CAST_EXPR" or (
            node.kind.name in _POINTER_CASTS and kind.kind.name == "POINTER"):
        return "pointer-cast", f"a cast to {node.type.spelling}"
    return None
