"""Concrete functions as small trees: what of C++ matters for the timing of a loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Shape:
    """What a variable is: sizes of an array, bits of a number (0 for a structure), and whether it is a stream."""

    bits: int
    sizes: tuple[int, ...] = ()
    is_stream: bool = False
    is_structure: bool = False


@dataclass(frozen=True, eq=False)
class Node:
    """An expression or a statement, and where it stands: file and line."""

    place: tuple[str, int]


@dataclass(frozen=True, eq=False)
class Constant(Node):
    """A value that the compiler knows; None for one that depends on nothing carried."""

    value: int | None
    bits: int


@dataclass(frozen=True, eq=False)
class Name(Node):
    """A variable, by the hash of its declaration."""

    key: int
    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Member(Node):
    """A field of a structure; base None: of the object whose method this is."""

    base: Node | None
    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Index(Node):
    """An element of an array."""

    base: Node
    index: Node


@dataclass(frozen=True, eq=False)
class Operation(Node):
    """Arithmetic, by the operator's spelling; `bits` is the width of the result's type."""

    operator: str
    operands: tuple[Node, ...]
    bits: int


@dataclass(frozen=True, eq=False)
class Wires(Node):
    """A conversion, a range of bits or a call of unknown code: the operands, rewired. The first may be assigned to."""

    operands: tuple[Node, ...]
    bits: int


@dataclass(frozen=True, eq=False)
class Choice(Node):
    """condition ? yes : no."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, eq=False)
class Assign(Node):
    """target operator= value; operator "" assigns the value itself. old: the result is what was there before."""

    target: Node
    operator: str
    value: Node
    bits: int
    old: bool = False


@dataclass(frozen=True, eq=False)
class Items(Node):
    """A list in braces, or expressions in a row."""

    items: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Access(Node):
    """A read of a stream (value None), or a write."""

    stream: Node
    value: Node | None
    bits: int


@dataclass(frozen=True, eq=False)
class Call(Node):
    """A call of a function of the folder; `this`: the object of a method."""

    function: Callable[[], Function]
    arguments: tuple[Node, ...]
    this: Node | None


@dataclass(frozen=True, eq=False)
class Declare(Node):
    """A variable; with `is_reference` it is another name for its initial value."""

    variable: Name
    initial: Node | None
    is_reference: bool


@dataclass(frozen=True, eq=False)
class Block(Node):
    """Statements in a row."""

    statements: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class If(Node):
    """A condition and its branches."""

    condition: Node
    yes: Node
    no: Node | None


@dataclass(frozen=True, eq=False)
class For(Node):
    """A counted loop; `pipelined`: a PIPELINE stands at its begin."""

    start: Node
    condition: Node
    step: Node
    body: Node
    pipelined: bool


@dataclass(frozen=True, eq=False)
class Return(Node):
    """The end of a function."""

    value: Node | None


@dataclass(frozen=True)
class Dependence:
    """A claim about an array: dependent=false, or the distance of its dependence in iterations (None: not given)."""

    place: tuple[str, int]
    is_false: bool
    distance: int | None


@dataclass(frozen=True, eq=False)
class Function:
    """A concrete function: parameters (name, is it a reference), body, and what directives say of its arrays.

    partitions: dimensions that are split completely, from 1 on, 0 being all.
    """

    name: str
    place: tuple[str, int]
    parameters: tuple[tuple[Name, bool], ...]
    body: Node
    partitions: Mapping[str, frozenset[int]] = field(default_factory=dict)
    dependences: Mapping[str, tuple[Dependence, ...]] = field(default_factory=dict)


def holds_pipeline(node: Node | None) -> bool:
    """True for a statement with a pipelined loop in it."""
    if isinstance(node, For):
        return node.pipelined or holds_pipeline(node.body)
    if isinstance(node, Block):
        return any(holds_pipeline(item) for item in node.statements)
    return isinstance(node, If) and (holds_pipeline(node.yes) or holds_pipeline(node.no))
