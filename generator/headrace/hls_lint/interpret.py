"""Runs the tree of a process once, with an iteration of its pipelined loops as a compiler would make it.

Branches are both taken and joined by multiplexers, inner loops are unrolled, functions are inlined. Every value knows
how late it is behind the values that the iteration before left (values.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from headrace.hls_lint import code
from headrace.hls_lint.arithmetic import computed
from headrace.hls_lint.delays import MUX_NS, SHIFT_NS
from headrace.hls_lint.frame import Frame
from headrace.hls_lint.loops import Guards, Loop
from headrace.hls_lint.storage import Storage
from headrace.hls_lint.values import Array, Channel, Element, Object, Scalar, Struct, Value, known, merged, new, unknown

#: No loop is unrolled further.
_MAX_TRIPS = 20000
Result = Value | Object


class Interpreter:
    """One process after the other; `loops` gathers their pipelined loops."""

    def __init__(self) -> None:
        self.loops: list[Loop] = []
        self._storage = Storage()
        self._globals: dict[int, Object] = {}
        self._guards: Guards = ()
        self._branches = 0
        self._process = ""
        self._frame: Frame

    def process(self, function: code.Function, streams: Sequence[str]) -> None:
        """Run a process whose parameters are streams of these names."""
        self._process = function.name
        self._enter(function, [Channel(name) for name in streams], None)

    def _enter(self, function: code.Function, arguments: Sequence[Result], this: Struct | None) -> Result:
        outer = getattr(self, "_frame", None)
        frame = self._frame = Frame(function, this)
        for (parameter, is_reference), argument in zip(function.parameters, arguments, strict=False):
            if isinstance(argument, Value) or not (is_reference or isinstance(argument, Channel)):
                frame.variables[parameter.key] = made = new(parameter.name, parameter.shape, parameter.place)
                self._copy(made, argument)
            else:
                frame.variables[parameter.key] = argument
                self._claim(argument, parameter.name)
        self._run(function.body)
        if outer is not None:
            self._frame = outer
        return frame.returned or self._storage.read(frame.result)

    def _claim(self, thing: Object, name: str) -> None:
        """Note what directives of the function say of an array."""
        if isinstance(thing, Array):
            thing.complete |= self._frame.function.partitions.get(name, frozenset())
            thing.claims |= set(self._frame.function.dependences.get(name, ()))

    # Statements; True says that the function has returned.

    def _run(self, node: code.Node | None) -> bool:
        if isinstance(node, code.Block):
            return any(self._run(statement) for statement in node.statements)
        if method := _STATEMENTS.get(type(node)):
            return bool(method(self, node))
        if node is not None:
            self._evaluate(node)
        return False

    def _declare(self, node: code.Declare) -> None:
        name = node.variable
        initial = self._evaluate(node.initial) if node.initial is not None else None
        if node.is_reference and initial is not None and not isinstance(initial, Value):
            self._frame.variables[name.key] = initial
            return
        made = new(name.name, name.shape, name.place)
        self._frame.variables[name.key] = made
        self._claim(made, name.name)
        if isinstance(made, Array) and isinstance(node.initial, code.Items):
            self._storage.fill(made)
        if initial is not None:
            self._copy(made, initial)

    def _copy(self, target: Object, value: Result) -> None:
        if isinstance(target, Scalar):
            self._storage.write(target, self._number(value, target.bits))
        elif isinstance(target, Struct) and isinstance(value, Struct):
            for name, item in value.fields.items():
                if isinstance(item, Scalar):
                    mine = target.fields.setdefault(name, Scalar(name, item.bits))
                    self._copy(mine, self._storage.read(item))

    def _number(self, result: Result, bits: int = 64) -> Value:
        value = self._load(result) if not isinstance(result, Value) else result
        return value if value.bits <= bits else Value(value.const, bits, value.sources)

    def _load(self, thing: Object) -> Value:
        if isinstance(thing, Scalar):
            return self._storage.read(thing)
        if isinstance(thing, Element):
            return self._storage.load(thing, self._guards, self._loop)
        return unknown(64)

    @property
    def _loop(self) -> Loop | None:
        return self.loops[-1] if self.loops and self.loops[-1].is_open else None

    def _branch(self, node: code.If) -> bool:
        condition = self._number(self._evaluate(node.condition))
        if condition.const is not None:
            return self._run(node.yes if condition.const else node.no)
        ended = [False, False]

        def taken(side: int, branch: code.Node | None) -> Callable[[], None]:
            def run() -> None:
                ended[side] = self._run(branch)
            return run

        self._either(condition, taken(0, node.yes), taken(1, node.no))
        return all(ended)

    def _either(self, condition: Value, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """Do both, and join what they leave by multiplexers."""
        self._branches += 1
        guards, branch = self._guards, self._branches
        written = []
        for side, run in enumerate((yes, no)):
            self._guards = (*guards, (branch, side))
            self._storage.begin()
            run()
            written.append(self._storage.undo())
        self._guards = guards
        for key in dict.fromkeys((*written[0], *written[1])):
            self._storage.join(key, condition, [side.get(key) for side in written])

    def _return(self, node: code.Return) -> bool:
        if node.value is not None:
            result = self._evaluate(node.value)
            if isinstance(result, Struct | Array | Channel):
                self._frame.returned = result
            else:
                value, before = self._number(result), self._storage.written(self._frame.result)
                both = value if before is None else Value(None, max(value.bits, before.bits), merged((value, before)))
                self._storage.write(self._frame.result, both)
        return True

    def _for(self, node: code.For) -> None:
        self._run(node.start)
        if node.pipelined and self._loop is None:
            self._measure(node)
        elif self._loop is None and code.holds_pipeline(node.body):
            self._run(node.body)
        else:
            self._unroll(node)

    def _unroll(self, node: code.For) -> None:
        for _ in range(_MAX_TRIPS):
            if self._number(self._evaluate(node.condition)).const == 0:
                return
            self._run(node.body)
            self._run(node.step)

    def _measure(self, node: code.For) -> None:
        loop = Loop(self._process, self._frame.function.name, node.place)
        self.loops.append(loop)
        self._storage.open_iteration()
        self._run(node.body)
        self._run(node.step)
        loop.edges = self._storage.close_iteration()
        loop.names = self._storage.names()
        loop.is_open = False

    # Expressions.

    def _evaluate(self, node: code.Node) -> Result:
        result: Result = _EXPRESSIONS[type(node)](self, node)
        return result

    def _constant(self, node: code.Constant) -> Value:
        return unknown(node.bits) if node.value is None else known(node.value, node.bits)

    def _name(self, node: code.Name) -> Object:
        thing = self._frame.variables.get(node.key) or self._globals.get(node.key)
        if thing is None:
            thing = self._globals[node.key] = new(node.name, node.shape, node.place)
            self._claim(thing, node.name)
        return thing

    def _member(self, node: code.Member) -> Result:
        base = self._evaluate(node.base) if node.base is not None else self._frame.this
        if not isinstance(base, Struct):
            return unknown(node.shape.bits or 64)
        if node.name not in base.fields:
            base.fields[node.name] = new(node.name, node.shape, node.place)
        return base.fields[node.name]

    def _index(self, node: code.Index) -> Result:
        base, index = self._evaluate(node.base), self._number(self._evaluate(node.index))
        if isinstance(base, Array):
            return Element(base, (index,))
        if isinstance(base, Element):
            return Element(base.array, (*base.indices, index))
        return unknown(64)

    def _operation(self, node: code.Operation) -> Value:
        values = [self._number(self._evaluate(operand)) for operand in node.operands]
        if self._loop is not None:
            self._loop.note_division(node.operator, values, node.place)
        return computed(node.operator, values, node.bits, node.place)

    def _wires(self, node: code.Wires) -> Result:
        if not node.operands:
            return unknown(node.bits)
        first = self._evaluate(node.operands[0])
        if isinstance(first, Struct | Array | Channel):
            return first if len(node.operands) == 1 else unknown(node.bits)
        values = [self._number(first), *(self._number(self._evaluate(item)) for item in node.operands[1:])]
        shifts = any(value.const is None for value in values[1:])
        const = values[0].const if len(values) == 1 else None
        bits = min(node.bits, values[0].bits) if len(values) == 1 else node.bits
        return Value(const, bits, merged(values, SHIFT_NS if shifts else 0.0))

    def _choose(self, node: code.Choice) -> Value:
        condition = self._number(self._evaluate(node.condition))
        if condition.const is not None:
            return self._number(self._evaluate(node.yes if condition.const else node.no))
        found: list[Value] = []
        self._either(condition, lambda: found.append(self._number(self._evaluate(node.yes))),
                     lambda: found.append(self._number(self._evaluate(node.no))))
        bits = max(value.bits for value in found)
        return Value(None, bits, merged((condition, *found), MUX_NS))

    def _assign(self, node: code.Assign) -> Result:
        value = self._evaluate(node.value)
        target = self._target(node.target)
        if isinstance(target, Struct):
            self._copy(target, value)
            return target
        number = self._number(value)
        whole = not isinstance(node.target, code.Wires) or len(node.target.operands) == 1
        before = self._number(target) if node.operator or not whole else None
        if node.operator and before is not None:
            if self._loop is not None:
                self._loop.note_division(node.operator, (before, number), node.place)
            number = computed(node.operator, (before, number), node.bits, node.place)
        elif before is not None:  # some of its bits
            number = Value(None, before.bits, merged((before, number)))
        self._store(target, number, node)
        return before if node.old and before is not None else number

    def _target(self, node: code.Node) -> Result:
        if isinstance(node, code.Wires) and node.operands:
            return self._target(node.operands[0])
        return self._evaluate(node)

    def _store(self, target: Result, value: Value, node: code.Assign) -> None:
        if isinstance(target, Scalar):
            self._storage.write(target, self._number(value, target.bits))
        elif isinstance(target, Element):
            self._storage.store(target, value, self._guards, self._loop, node.place)

    def _sequence(self, node: code.Items) -> Result:
        results = [self._evaluate(item) for item in node.items]
        return results[-1] if results else known(0)

    def _access(self, node: code.Access) -> Value:
        stream = self._evaluate(node.stream)
        if node.value is not None:
            self._evaluate(node.value)
        if self._loop is not None and isinstance(stream, Channel):
            self._loop.note_access(stream.name, node.value is None, node.place)
        return unknown(node.bits)

    def _call(self, node: code.Call) -> Result:
        arguments = [self._evaluate(argument) for argument in node.arguments]
        this = self._evaluate(node.this) if node.this is not None else None
        arguments = [self._number(item) if isinstance(item, Element) and len(item.indices) ==
                     len(item.array.shape.sizes) and not reference else item
                     for item, (_, reference) in zip(arguments, node.function().parameters, strict=False)]
        return self._enter(node.function(), arguments, this if isinstance(this, Struct) else self._frame.this)


_STATEMENTS: Mapping[type, Any] = {
    code.Declare: Interpreter._declare, code.If: Interpreter._branch, code.For: Interpreter._for,
    code.Return: Interpreter._return,
}
_EXPRESSIONS: Mapping[type, Any] = {
    code.Constant: Interpreter._constant, code.Name: Interpreter._name, code.Member: Interpreter._member,
    code.Index: Interpreter._index, code.Operation: Interpreter._operation, code.Wires: Interpreter._wires,
    code.Choice: Interpreter._choose, code.Assign: Interpreter._assign, code.Items: Interpreter._sequence,
    code.Access: Interpreter._access, code.Call: Interpreter._call,
}
