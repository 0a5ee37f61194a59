"""libclang's syntax tree of a concrete function -> the trees of code.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from headrace.hls_lint.clang import Sources, constant, initial_of, instance_key, operator_of
from headrace.hls_lint.code import (
    Access,
    Assign,
    Block,
    Call,
    Choice,
    Constant,
    Declare,
    Dependence,
    For,
    Function,
    If,
    Index,
    Items,
    Member,
    Name,
    Node,
    Operation,
    Return,
    Shape,
    Wires,
)
from headrace.hls_lint.constructs import is_stream
from headrace.hls_lint.kernels import is_complete, pragmas_of
from headrace.hls_lint.pragmas import Pragma
from headrace.hls_lint.processes import pipeline_of

_INTEGERS = {"BOOL": 1, "CHAR_U": 8, "CHAR_S": 8, "UCHAR": 8, "SCHAR": 8, "USHORT": 16, "SHORT": 16, "UINT": 32,
             "INT": 32, "ENUM": 32}
_NUMBER = re.compile(r"\bap_(?:u?int|int_base|private)<\s*(\d+)")
_REFERENCE = re.compile(r"\bap_(bit_ref|range_ref|concat_ref)<")
_CASTS = ("CSTYLE_CAST_EXPR", "CXX_STATIC_CAST_EXPR", "CXX_FUNCTIONAL_CAST_EXPR", "CXX_CONST_CAST_EXPR")
_STEPS = {"++": "+", "--": "-"}
_COMPOUND = ("+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
_ACCESSES = {"read": True, "write": False, "operator>>": True, "operator<<": False}


def shape_of(kind: Any) -> Shape:
    """The shape of a type."""
    kind, sizes = kind.get_canonical(), []
    if kind.kind.name in ("LVALUEREFERENCE", "RVALUEREFERENCE", "POINTER"):
        kind = kind.get_pointee().get_canonical()
    while kind.kind.name == "CONSTANTARRAY":
        sizes.append(int(kind.element_count))
        kind = kind.element_type.get_canonical()
    spelling = kind.spelling.removeprefix("const ")
    if spelling.startswith("hls::stream<"):
        return Shape(0, (), is_stream=True)
    if match := _NUMBER.match(spelling):
        return Shape(int(match[1]), tuple(sizes))
    structure = kind.kind.name == "RECORD" and not _REFERENCE.match(spelling)
    return Shape(0 if structure else _INTEGERS.get(kind.kind.name, 64), tuple(sizes), is_structure=structure)


class Translator:
    """Translates functions when they are first asked for."""

    def __init__(self, sources: Sources, pragmas: Sequence[Pragma]) -> None:
        self._sources = sources
        self._pragmas = pragmas
        self._done: dict[str, Function] = {}
        self._own: Sequence[Pragma] = ()

    def function(self, cursor: object) -> Function:
        """The tree of a concrete function with a body."""
        key = instance_key(cursor)
        if key not in self._done:
            outer, self._own = self._own, pragmas_of(self._sources, cursor, self._pragmas)
            self._done[key] = self._function(cursor)
            self._own = outer
        return self._done[key]

    def _function(self, cursor: Any) -> Function:
        parameters = tuple((self._name(item), "REFERENCE" in item.type.get_canonical().kind.name or
                            bool(shape_of(item.type).sizes)) for item in cursor.get_arguments())
        body = next(child for child in cursor.get_children() if child.kind.name == "COMPOUND_STMT")
        constants = {node.spelling: node for node in cursor.walk_preorder() if node.kind.name == "VAR_DECL"}
        return Function(cursor.spelling, self._sources.place(cursor), parameters, self.node(body),
                        self._partitions(), self._dependences(constants))

    def _partitions(self) -> dict[str, frozenset[int]]:
        found: dict[str, frozenset[int]] = {}
        for pragma in self._own:
            dimension = pragma.options.get("dim", "1")
            if pragma.directive == "ARRAY_PARTITION" and is_complete(pragma) and dimension.isdecimal():
                name = pragma.options.get("variable", "")
                found[name] = found.get(name, frozenset()) | {int(dimension)}
        return found

    def _dependences(self, constants: dict[str, Any]) -> dict[str, tuple[Dependence, ...]]:
        found: dict[str, tuple[Dependence, ...]] = {}
        for pragma in self._own:
            if pragma.directive == "DEPENDENCE" and "variable" in pragma.options:
                name = pragma.options["variable"]
                found[name] = (*found.get(name, ()), _claim(pragma, constants))
        return found

    def node(self, cursor: Any) -> Node:
        """The tree of a statement or an expression."""
        kind = cursor.kind.name
        if method := _STATEMENTS.get(kind):
            return method(self, cursor)
        bits = shape_of(cursor.type).bits
        if bits and cursor.type.get_canonical().kind.name != "RECORD" and (value := constant(cursor)) is not None:
            return Constant(self._place(cursor), value, bits)
        if method := _EXPRESSIONS.get(kind):
            return method(self, cursor)
        return self._wires(cursor)

    def _place(self, cursor: Any) -> tuple[str, int]:
        return self._sources.place(cursor) if cursor.location.file else ("", 0)

    def _nodes(self, cursors: Sequence[Any]) -> tuple[Node, ...]:
        return tuple(self.node(cursor) for cursor in cursors)

    def _name(self, declaration: Any) -> Name:
        return Name(self._place(declaration), declaration.hash, declaration.spelling, shape_of(declaration.type))

    def _wires(self, cursor: Any) -> Node:
        children = [child for child in cursor.get_children() if not child.kind.name.endswith("_REF")]
        if len(children) == 1 and cursor.kind.name in ("UNEXPOSED_EXPR", "PAREN_EXPR"):
            inner = shape_of(children[0].type)
            if inner.sizes or inner == shape_of(cursor.type):  # an array that becomes a pointer stays an array
                return self.node(children[0])
        return Wires(self._place(cursor), self._nodes(children), shape_of(cursor.type).bits or 64)

    def _reference(self, cursor: Any) -> Node:
        declaration = cursor.referenced
        if declaration is None or declaration.kind.name not in ("VAR_DECL", "PARM_DECL"):
            return Constant(self._place(cursor), None, 64)
        return self._name(declaration)

    def _member(self, cursor: Any) -> Node:
        base = next((child for child in cursor.get_children() if not child.kind.name.endswith("_REF")), None)
        return Member(self._place(cursor), self.node(base) if base is not None else None, cursor.spelling,
                      shape_of(cursor.type))

    def _index(self, cursor: Any) -> Node:
        return Index(self._place(cursor), *self._nodes(list(cursor.get_children())))

    def _binary(self, cursor: Any) -> Node:
        left, right = cursor.get_children()
        return self._operator(cursor, operator_of(cursor), self._nodes((left, right)))

    def _operator(self, cursor: Any, operator: str, operands: tuple[Node, ...]) -> Node:
        place, bits = self._place(cursor), shape_of(cursor.type).bits or 64
        if operator == ",":
            return Items(place, operands)
        if operator == "=" or operator in _COMPOUND:
            return Assign(place, operands[0], operator[:-1], operands[1], bits)
        if operator in _STEPS:
            return Assign(place, operands[0], _STEPS[operator], Constant(place, 1, 1), bits, old=len(operands) > 1)
        if operator in ("[]", "()"):
            return Wires(place, operands, bits)
        return Operation(place, operator, operands, bits)

    def _unary(self, cursor: Any) -> Node:
        (operand,) = cursor.get_children()
        operator = operator_of(cursor)
        tree = self.node(operand)
        if operator in ("&", "*"):
            return tree
        if operator.startswith("post"):
            return self._operator(cursor, operator.removeprefix("post"), (tree, tree))
        return self._operator(cursor, operator, (tree,))

    def _choice(self, cursor: Any) -> Node:
        condition, yes, no = cursor.get_children()
        if (value := constant(condition)) is not None:
            return self.node(yes if value else no)
        return Choice(self._place(cursor), *self._nodes((condition, yes, no)))

    def _items(self, cursor: Any) -> Node:
        return Items(self._place(cursor), self._nodes(list(cursor.get_children())))

    def _call(self, cursor: Any) -> Node:
        callee = next(cursor.get_children(), None)
        is_operator = cursor.spelling.startswith("operator") and not cursor.spelling.startswith("operator ")
        is_method = callee is not None and callee.kind.name == "MEMBER_REF_EXPR" and not is_operator
        base = next(callee.get_children(), None) if callee is not None and is_method else None
        if base is not None and is_stream(base) and cursor.spelling in _ACCESSES:
            return self._access(cursor, base)
        arguments = list(cursor.get_arguments())
        if cursor.spelling in _ACCESSES and arguments and is_stream(arguments[0]):
            return Access(self._place(cursor), self.node(arguments[0]), self.node(arguments[1]), 64)
        target = cursor.referenced and (cursor.referenced.get_definition() or cursor.referenced)
        if target is not None and target.is_definition() and self._sources.owns(target) and (
                target.kind.name in ("FUNCTION_DECL", "CXX_METHOD")):
            return Call(self._place(cursor), self._later(target), self._nodes(arguments),
                        self.node(base) if base is not None else None)
        if is_operator and arguments:
            return self._operator(cursor, cursor.spelling.removeprefix("operator"), self._nodes(arguments))
        return Wires(self._place(cursor), self._nodes([*([base] if base is not None else []), *arguments]),
                     shape_of(cursor.type).bits or 64)

    def _access(self, cursor: Any, stream: Any) -> Node:
        arguments = self._nodes(list(cursor.get_arguments()))
        value = None if _ACCESSES[cursor.spelling] else Items(self._place(cursor), arguments)
        return Access(self._place(cursor), self.node(stream), value, shape_of(cursor.type).bits or 64)

    def _later(self, target: object) -> Callable[[], Function]:
        return lambda: self.function(target)

    def _declarations(self, cursor: Any) -> Node:
        return Block(self._place(cursor), tuple(self._declaration(child) for child in cursor.get_children()
                                                if child.kind.name == "VAR_DECL"))

    def _declaration(self, variable: Any) -> Node:
        initial = initial_of(variable)
        is_reference = "REFERENCE" in variable.type.get_canonical().kind.name
        tree = self.node(initial) if initial is not None else None
        if variable.type.is_const_qualified() and (value := constant(variable)) is not None:
            tree = Constant(self._place(variable), value, shape_of(variable.type).bits)
        return Declare(self._place(variable), self._name(variable), tree, is_reference)

    def _block(self, cursor: Any) -> Node:
        return Block(self._place(cursor), self._nodes(list(cursor.get_children())))

    def _if(self, cursor: Any) -> Node:
        condition, yes, *no = cursor.get_children()
        if (value := constant(condition)) is not None:
            taken = yes if value else no[0] if no else None
            return self.node(taken) if taken is not None else Block(self._place(cursor), ())
        return If(self._place(cursor), self.node(condition), self.node(yes), self.node(no[0]) if no else None)

    def _for(self, cursor: Any) -> Node:
        parts = list(cursor.get_children())
        if len(parts) != 4:  # another rule's finding
            return Block(self._place(cursor), self._nodes(parts))
        start, condition, step, body = self._nodes(parts)
        return For(self._place(cursor), start, condition, step, body, pipeline_of(cursor, self._own) is not None)

    def _return(self, cursor: Any) -> Node:
        value = next(cursor.get_children(), None)
        return Return(self._place(cursor), self.node(value) if value is not None else None)


_Method = Callable[[Translator, Any], Node]
_STATEMENTS: dict[str, _Method] = {
    "COMPOUND_STMT": Translator._block, "DECL_STMT": Translator._declarations, "IF_STMT": Translator._if,
    "FOR_STMT": Translator._for, "RETURN_STMT": Translator._return,
}
_EXPRESSIONS: dict[str, _Method] = {
    "DECL_REF_EXPR": Translator._reference, "MEMBER_REF_EXPR": Translator._member,
    "ARRAY_SUBSCRIPT_EXPR": Translator._index, "BINARY_OPERATOR": Translator._binary,
    "COMPOUND_ASSIGNMENT_OPERATOR": Translator._binary, "UNARY_OPERATOR": Translator._unary,
    "CONDITIONAL_OPERATOR": Translator._choice, "INIT_LIST_EXPR": Translator._items, "CALL_EXPR": Translator._call,
}


def _claim(pragma: Pragma, constants: dict[str, Any]) -> Dependence:
    """What a DEPENDENCE directive says; a distance that is not known is taken as 1."""
    words = {*pragma.words, *(value.lower() for key, value in pragma.options.items() if key != "distance")}
    text = pragma.options.get("distance")
    named = constants.get(text or "")
    distance = int(text) if text and text.isdecimal() else constant(named) if named is not None else None
    return Dependence((pragma.file, pragma.line), "false" in words, (distance or 1) if text else None)
