"""Mutants: one small change to one line of SystemVerilog, C++ or Python, by the token or by the syntax tree."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A file with `new` instead of `old` at a position. path: relative to the root.

    place: what stays when other lines of the file change: the file, the line's text, and where in it.
    """

    path: str
    start: int
    old: str
    new: str
    line: int
    place: str = ""

    @property
    def name(self) -> str:
        """What a person reads."""
        return f"{self.path}:{self.line}: {self.old} -> {self.new}"

    def applied(self, text: str) -> str:
        """The text of the changed file."""
        assert text[self.start : self.start + len(self.old)] == self.old
        return text[: self.start] + self.new + text[self.start + len(self.old) :]

    def key(self, text: str) -> str:
        """The file and the change."""
        parts = (self.path, text, str(self.start), self.new)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


#: Tokens of hardware languages and what stands in their place. Blanks around keep declarations and shifts apart.
_TOKENS = {
    " == ": " != ", " != ": " == ", " && ": " || ", " || ": " && ", " + 1": " + 2", " - 1": " - 0", " < ": " >= ",
    " >= ": " < ", " > ": " >= ", " >> ": " << ", " << ": " >> ", " & ": " | ", " ? ": " == 0 ? ", "'0": "'1",
    "1'b0": "1'b1", "1'b1": "1'b0", " + ": " - ", " - ": " + ", "(!": "(", " !": " ", "++": "--",
}
#: A digit in front of a quote is a width, which changes nothing.
_TOKEN = re.compile("|".join(re.escape(token) + r"(?!['\d])" * token[-1].isdigit()
                             for token in sorted(_TOKENS, key=len, reverse=True)))
#: Lines that say nothing of what the hardware does.
_SILENT = re.compile(r"^\s*(//|\*|#|`|import|`?include|parameter |localparam .*\$error|template|static_assert)|\$error")


def text_mutants(path: str, text: str) -> Iterator[Mutant]:
    """Mutants of SystemVerilog or C++."""
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        code = line.split("//")[0]
        if not _SILENT.search(code):
            for match in _TOKEN.finditer(code):
                yield Mutant(path, offset + match.start(), match[0], _TOKENS[match[0]], number)
        offset += len(line)


_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.In: "not in",
    ast.Is: "is not", ast.IsNot: "is", ast.NotIn: "in"}
_CALCULATED: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.FloorDiv: "*", ast.Mod: "+", ast.LShift: ">>", ast.RShift: "<<",
    ast.BitOr: "&", ast.BitAnd: "|"}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}


class _Python:
    """The mutants of a module; annotations, docstrings, assertions and messages of errors stay."""

    def __init__(self, path: str, text: str) -> None:
        self.path, self.text = path, text
        self.lines = [0]
        for line in text.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))

    def of(self, node: ast.AST) -> Iterator[Mutant]:
        if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom):
            return
        yield from self._here(node)
        for name, value in ast.iter_fields(node):
            if _is_reshape(node) and name == "args":  # every negative size is the one that is left
                value = [item for item in value if not isinstance(item, ast.UnaryOp)]
            if name not in ("annotation", "returns", "decorator_list") and not _compares_lengths(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from self.of(child)

    def _here(self, node: ast.AST) -> Iterator[Mutant]:
        match node:
            case ast.Compare(left, [operator], [right]):
                yield from self._between(left, right, _COMPARED.get(type(operator)))
            case ast.BinOp(left, operator, right):
                yield from self._between(left, right, _CALCULATED.get(type(operator)))
            case ast.BoolOp(operator, [left, right, *_]):
                yield from self._between(left, right, "or" if isinstance(operator, ast.And) else "and")
            case ast.Constant(value) if type(value) in (int, bool):
                yield self._made(node, str(value + 1) if type(value) is int else str(not value))
            case ast.Name(name) if name in _NAMES:
                yield self._made(node, _NAMES[name])
            case ast.UnaryOp(ast.Not(), operand):
                yield self._made(node, f"({ast.unparse(operand)})")

    def _made(self, node: ast.expr, new: str) -> Mutant:
        start, end = self._at(node.lineno, node.col_offset), self._at(node.end_lineno or 0, node.end_col_offset or 0)
        return Mutant(self.path, start, self.text[start:end], new, node.lineno)

    def _between(self, left: ast.expr, right: ast.expr, new: str | None) -> Iterator[Mutant]:
        """The operator between two operands, where nothing but it and blanks stands there."""
        start = self._at(left.end_lineno or 0, left.end_col_offset or 0)
        old = self.text[start : self._at(right.lineno, right.col_offset)]
        if new is not None and "\n" not in old and not set("()#") & set(old):
            yield Mutant(self.path, start, old, f" {new} ", left.end_lineno or 0)

    def _at(self, line: int, column: int) -> int:
        """A position in characters; columns count bytes."""
        start = self.lines[line - 1]
        return start + len(self.text[start:].split("\n", 1)[0].encode()[:column].decode())


def _compares_lengths(node: ast.AST) -> bool:
    """strict=True of zip: an assertion that lengths are equal, which they are wherever the code around is right."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _is_reshape(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reshape"


def mutants(root: Path, path: Path) -> list[Mutant]:
    """All mutants of a file."""
    text, name = path.read_text(), str(path.relative_to(root))
    found = _Python(name, text).of(ast.parse(text)) if path.suffix == ".py" else text_mutants(name, text)
    return list(_placed(found, text.splitlines()))


def _placed(found: Iterable[Mutant], lines: Sequence[str]) -> Iterator[Mutant]:
    """With their places; where a line comes again, or a change in it, by number."""
    times: Counter[str] = Counter()
    for mutant in found:
        place = f"{mutant.path}: {lines[mutant.line - 1].strip()}: {mutant.old} -> {mutant.new}"
        times[place] += 1
        yield replace(mutant, place=f"{place} {times[place]}")
