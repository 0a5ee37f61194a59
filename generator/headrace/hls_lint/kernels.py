"""Rules for every function that is synthesised, on its concrete form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from headrace.hls_lint.clang import Sources, instance_key, is_constant, live
from headrace.hls_lint.constructs import is_stream
from headrace.hls_lint.findings import Finding
from headrace.hls_lint.pragmas import MAX_WIDTH, Pragma

MAX_PARTITION = 1024
#: uint8_t to uint64_t, ap_uint<1> to ap_uint<64>.
_UNSIGNED = re.compile(r"unsigned (?:char|short|int|long)|ap_uint<(?:[1-9]|[1-5]\d|6[0-4])>")
_LOOPS = ("FOR_STMT", "WHILE_STMT", "DO_STMT", "CXX_FOR_RANGE_STMT")
_ALLOCATORS = ("malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign")
_ARITHMETIC = ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "~")
_CONTAINER = re.compile(r"\bstd::(?:\w+::)*(vector|deque|list|forward_list|map|set|multimap|multiset|unordered_\w+|"
                        r"(?:basic_)?string|array|stack|queue|priority_queue)\b")
_STREAM_WORD = re.compile(r"\bhls::stream<\s*ap_u?int<\s*(\d+)\s*>")


def concrete_functions(sources: Sources, top: object) -> Iterator[Any]:
    """The top and every function that it calls, directly or not, templates with their arguments."""
    seen, waiting = set(), [top]
    while waiting:
        function = waiting.pop()
        if instance_key(function) not in seen:
            seen.add(instance_key(function))
            yield function
            waiting += [target for _, target in sources.callees(function)]


def check_function(sources: Sources, function: object, pragmas: Sequence[Pragma]) -> Iterator[Finding]:
    """All rules for one concrete function."""
    yield from _check_nodes(sources, function)
    yield from _check_loops(sources, function)
    yield from _check_variables(sources, function, pragmas)


def check_recursion(sources: Sources, top: object) -> Iterator[Finding]:
    """Functions that reach themselves; an instance of a template that calls another instance does not."""
    done: set[str] = set()

    def visit(function: object, path: tuple[str, ...]) -> Iterator[Finding]:
        key = instance_key(function)
        if key in done:
            return
        for call, target in sources.callees(function):
            if instance_key(target) in (*path, key):
                yield Finding(*sources.place(call), "recursion", f"{target.spelling} calls itself")
            else:
                yield from visit(target, (*path, key))
        done.add(key)

    yield from visit(top, ())


def check_declarations(sources: Sources) -> Iterator[Finding]:
    """Constant arrays and virtual functions, wherever the folder declares them."""
    for declaration in sources.declarations:
        kind = declaration.kind.name
        if kind == "VAR_DECL":
            array = declaration.type.get_canonical()
            element = _element(array).spelling.removeprefix("const ")
            if array.kind.name == "CONSTANTARRAY" and not _UNSIGNED.fullmatch(element):
                text = f"{declaration.spelling} holds {element}"
                yield Finding(*sources.place(declaration), "weights", text)
        elif kind in ("CLASS_DECL", "STRUCT_DECL", "CLASS_TEMPLATE"):
            for member in declaration.get_children():
                if member.kind.name in ("CXX_METHOD", "DESTRUCTOR") and member.is_virtual_method():
                    text = f"{declaration.spelling}::{member.spelling} is virtual"
                    yield Finding(*sources.place(member), "virtual", text)


def _element(array: Any) -> Any:
    while array.kind.name == "CONSTANTARRAY":
        array = array.element_type
    return array


def _check_nodes(sources: Sources, function: object) -> Iterator[Finding]:
    """What may not stand anywhere."""
    for node in live(function):
        kind = node.kind.name
        if kind in ("CXX_NEW_EXPR", "CXX_DELETE_EXPR"):
            yield Finding(*sources.place(node), "dynamic-memory", "new or delete")
        elif kind == "CALL_EXPR" and node.spelling in _ALLOCATORS:
            yield Finding(*sources.place(node), "dynamic-memory", f"a call of {node.spelling}")
        elif kind in ("VAR_DECL", "PARM_DECL"):
            if match := _CONTAINER.search(node.type.get_canonical().spelling):
                yield Finding(*sources.place(node), "stl", f"{node.spelling} is a std::{match[1]}")
        elif kind in ("BINARY_OPERATOR", "UNARY_OPERATOR", "CALL_EXPR") and _computes_on_range(sources, node):
            yield Finding(*sources.place(node), "range", f"{sources.text(node)} computes on a range")


def _computes_on_range(sources: Sources, node: Any) -> bool:
    """True for an arithmetic operator one of whose operands is a range of bits that is not cast."""
    operands = list(node.get_children())
    if node.kind.name == "CALL_EXPR":
        if not node.spelling.startswith("operator"):
            return False
        operator = node.spelling.removeprefix("operator")
    elif len(operands) == 2:
        operator = sources.text_between(*operands)
    else:
        operator = sources.text(node)[:1]
    return operator in _ARITHMETIC and any("ap_range_ref<" in _innermost(x).type.get_canonical().spelling
                                           for x in operands)


def _innermost(expression: Any) -> Any:
    """An operand without the conversions that the compiler added, and without parentheses."""
    while expression.kind.name in ("UNEXPOSED_EXPR", "PAREN_EXPR"):
        children = list(expression.get_children())
        if len(children) != 1:
            break
        expression = children[0]
    if expression.kind.name == "CALL_EXPR" and expression.spelling.startswith("operator "):  # a conversion
        children = list(expression.get_children())
        return _innermost(children[0].get_children().__next__()) if children else expression
    return expression


def _check_loops(sources: Sources, function: Any) -> Iterator[Finding]:
    """Loops are counted, and left through their condition alone."""

    def visit(node: Any, inside: str) -> Iterator[Finding]:
        kind = node.kind.name
        if kind in _LOOPS:
            yield from _check_loop(sources, node)
        leaves = kind in ("RETURN_STMT", "GOTO_STMT") and inside
        if leaves or (kind == "BREAK_STMT" and inside == "loop"):
            yield Finding(*sources.place(node), "loop-exit", f"{sources.text(node).split()[0].rstrip(';')} in a loop")
        # A break in a switch leaves the switch, a return still the loop around it.
        within = "loop" if kind in _LOOPS else "switch" if kind == "SWITCH_STMT" and inside else inside
        for child in node.get_children():
            yield from visit(child, within)

    yield from visit(function, "")


def _check_loop(sources: Sources, loop: Any) -> Iterator[Finding]:
    parts = list(loop.get_children())
    if loop.kind.name != "FOR_STMT" or len(parts) != 4 or parts[0].kind.name != "DECL_STMT":
        yield Finding(*sources.place(loop), "unbounded-loop", "a loop without counter, bound and step")
        return
    start, condition, _, body = parts
    counters = [child for child in start.get_children() if child.kind.name == "VAR_DECL"]
    known = all(is_constant(counter) for counter in counters)
    bounded = condition.kind.name == "BINARY_OPERATOR" and any(is_constant(x) for x in condition.get_children())
    if not (known and bounded):
        yield Finding(*sources.place(loop), "trip-count", f"the bounds of `{sources.text(condition)}` are not constant")
    names = {counter.spelling for counter in counters}
    for node in body.walk_preorder():
        if (target := _assigned(sources, node)) in names:
            yield Finding(*sources.place(node), "trip-count", f"the body changes the counter {target}")


def _assigned(sources: Sources, node: Any) -> str | None:
    """The variable that an expression changes."""
    operands = list(node.get_children())
    kind = node.kind.name
    if kind in ("BINARY_OPERATOR", "COMPOUND_ASSIGNMENT_OPERATOR") and len(operands) == 2:
        operator = sources.text_between(*operands)
        changes = operator.endswith("=") and operator not in ("==", "!=", "<=", ">=")
    else:
        text = sources.text(node) if kind == "UNARY_OPERATOR" else ""
        changes = text[:2] in ("++", "--") or text[-2:] in ("++", "--")
    return operands[0].spelling if changes and operands[0].kind.name == "DECL_REF_EXPR" else None


def _check_variables(sources: Sources, function: Any, pragmas: Sequence[Pragma]) -> Iterator[Finding]:
    """Streams, and the variables that directives name."""
    declared = [node for node in function.walk_preorder() if node.kind.name in ("VAR_DECL", "PARM_DECL")]
    variables = {node.spelling: node for node in declared}
    for node in declared:
        is_local = node.kind.name == "VAR_DECL"
        spelling = node.type.get_canonical().spelling
        if is_local and (match := _STREAM_WORD.search(spelling)) and int(match[1]) > MAX_WIDTH:
            yield Finding(*sources.place(node), "stream-width", f"{node.spelling} has words of {match[1]} bits")
        if is_local and spelling.startswith("hls::stream<") and _constructor_arguments(node):
            yield Finding(*sources.place(node), "stream-name", f"{node.spelling} is constructed with a name")
    for pragma in pragmas_of(sources, function, pragmas):
        name = pragma.options.get("variable", "")
        if name and name not in variables:
            yield pragma.finding("pragma", f"{function.spelling} has no variable {name}")
        elif name:
            yield from _check_named(sources, pragma, variables[name])


def _check_named(sources: Sources, pragma: Pragma, variable: Any) -> Iterator[Finding]:
    """A directive and the variable that it names."""
    if pragma.directive == "STREAM" and not is_stream(variable):
        yield pragma.finding("pragma", f"{variable.spelling} is not a stream")
    elif pragma.directive == "STREAM" and variable.location.line != pragma.line - 1:
        yield pragma.finding("pragma", f"STREAM does not stand right behind the declaration of {variable.spelling}")
    elif pragma.directive == "ARRAY_PARTITION" and is_complete(pragma) and pragma.options.get("dim", "1").isdecimal():
        yield from _check_partition(pragma, variable)


def is_complete(pragma: Pragma) -> bool:
    """True for an ARRAY_PARTITION into single elements."""
    return "complete" in (*pragma.words, pragma.options.get("type", "").lower())


def pragmas_of(sources: Sources, function: Any, pragmas: Sequence[Pragma]) -> list[Pragma]:
    """The directives in the body of a function."""
    file, first = sources.place(function)
    return [pragma for pragma in pragmas if pragma.file == file and first <= pragma.line <= function.extent.end.line]


def _constructor_arguments(variable: Any) -> bool:
    calls = [child for child in variable.get_children() if child.kind.name == "CALL_EXPR"]
    return any(len(list(call.get_arguments())) > 0 for call in calls)


def _check_partition(pragma: Pragma, variable: Any) -> Iterator[Finding]:
    kind, sizes = variable.type.get_canonical(), []
    if kind.kind.name == "LVALUEREFERENCE":
        kind = kind.get_pointee()
    while kind.kind.name == "CONSTANTARRAY":
        sizes.append(kind.element_count)
        kind = kind.element_type
    dimension = int(pragma.options.get("dim", "1"))
    elements = 1
    for index, size in enumerate(sizes, 1):
        elements *= size if dimension in (0, index) else 1
    if elements > MAX_PARTITION:
        yield pragma.finding("partition", f"{variable.spelling} would become {elements} elements")
