"""libclang: the sources as concrete functions, every template with the arguments that the top gives it."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from headrace.errors import ToolError
from headrace.paths import data_folder
from headrace.simulation.csim import ap_int_folder

_FLAGS = ("-std=c++14", "-DHEADRACE_LINT", "-Werror=c++17-extensions", "-Werror=c++20-extensions")
#: The header whose parsing takes seconds; a caller that lints many folders parses it once.
_COMMON = "#define AP_INT_MAX_W 4096\n#include <ap_int.h>\n#include <hls_stream.h>\n#include <ap_axi_sdata.h>\n"
_INTEGER = 1  # CXEvalResultKind
#: CXBinaryOperatorKind and CXUnaryOperatorKind, in order.
_BINARY = ("", ".*", "->*", "*", "/", "%", "+", "-", "<<", ">>", "<=>", "<", ">", "<=", ">=", "==", "!=", "&", "^", "|",
           "&&", "||", "=", "*=", "/=", "%=", "+=", "-=", "<<=", ">>=", "&=", "^=", "|=", ",")
_UNARY = ("", "post++", "post--", "++", "--", "&", "*", "+", "-", "~", "!", "real", "imag", "extension", "coawait")


def _cindex() -> Any:
    if importlib.util.find_spec("clang") is None:
        raise ToolError("the lint of HLS C++ needs libclang, which is not installed; pip install 'headrace[hls]'")
    from clang import cindex

    return cindex


@cache
def _library() -> Any:
    """libclang, with what the Python package does not declare of it."""
    cindex = _cindex()
    library = cindex.conf.lib
    library.clang_Cursor_Evaluate.argtypes = [cindex.Cursor]
    library.clang_Cursor_Evaluate.restype = ctypes.c_void_p
    library.clang_EvalResult_getKind.argtypes = [ctypes.c_void_p]
    library.clang_EvalResult_getAsLongLong.argtypes = [ctypes.c_void_p]
    library.clang_EvalResult_getAsLongLong.restype = ctypes.c_longlong
    library.clang_Cursor_getVarDeclInitializer.argtypes = [cindex.Cursor]
    library.clang_Cursor_getVarDeclInitializer.restype = cindex.Cursor
    library.clang_EvalResult_dispose.argtypes = [ctypes.c_void_p]
    return library


def _arguments(folder: Path) -> list[str]:
    """How the sources are compiled; the stand-ins for the compiler's own headers are ours, whatever lies in `folder`.

    Clang's own headers are not part of the Python package, those of g++ take their place.
    """
    includes = [f"-I{folder}", f"-I{folder / 'include'}", f"-I{data_folder('hls_templates') / 'sim'}"]
    system = [f"-isystem{ap_int_folder()}"]
    if compiler := shutil.which("g++"):
        done = subprocess.run([compiler, "-print-file-name=include"], capture_output=True, text=True, check=False)
        system.append(f"-isystem{done.stdout.strip()}")
    return [*_FLAGS, *includes, *system]


def precompile(work: Path) -> Path:
    """The headers of ap_int and of streams, parsed into a file in `work`; see `parse`. Raises ToolError."""
    cindex = _cindex()
    source, target = work / "common.hpp", work / "common.pch"
    source.write_text(_COMMON)
    unit = cindex.Index.create().parse(str(source), args=["-xc++-header", *_arguments(work)],
                                       options=cindex.TranslationUnit.PARSE_INCOMPLETE)
    unit.save(str(target))
    return target


@dataclass(frozen=True, eq=False)
class Sources:
    """A parsed top.cpp and what it includes of its folder."""

    folder: Path
    unit: Any

    def owns(self, cursor: Any) -> bool:
        """True for what the folder itself holds, apart from its stand-ins for simulation."""
        file = cursor.location.file
        return file is not None and file.name in self._names

    @cached_property
    def _names(self) -> set[str]:
        return {str(path) for path in self.files}

    @cached_property
    def files(self) -> list[Path]:
        """What is synthesised: top.cpp and the headers of the folder that it includes, in the order of inclusion."""
        included = [Path(str(item.include.name)).resolve() for item in self.unit.get_includes()]
        own = [path for path in included if path.is_relative_to(self.folder)
               and not path.is_relative_to(self.folder / "sim")]
        return list(dict.fromkeys([self.folder / "top.cpp", *own]))

    def relative(self, path: str | Path) -> str:
        """A file's name as findings show it."""
        resolved = Path(path).resolve()
        return resolved.relative_to(self.folder).as_posix() if resolved.is_relative_to(self.folder) else resolved.name

    def place(self, cursor: Any) -> tuple[str, int]:
        """File and line of a cursor."""
        return self.relative(cursor.location.file.name), int(cursor.location.line)

    @cached_property
    def declarations(self) -> list[Any]:
        """What the folder declares at namespace scope, namespaces and extern "C" opened."""
        kinds = ("NAMESPACE", "LINKAGE_SPEC", "UNEXPOSED_DECL")

        def opened(cursor: Any) -> Iterator[Any]:
            for child in cursor.get_children():
                if self.owns(child):
                    if child.kind.name in kinds:
                        yield from opened(child)
                    else:
                        yield child

        return list(opened(self.unit.cursor))

    def text_between(self, left: Any, right: Any) -> str:
        """The source between two cursors of one expression: its operator."""
        start, end = left.extent.end, right.extent.start
        return self._bytes(start.file.name)[start.offset : end.offset].decode(errors="replace").strip()

    def text(self, cursor: Any) -> str:
        """The source of a cursor."""
        start, end = cursor.extent.start, cursor.extent.end
        return self._bytes(start.file.name)[start.offset : end.offset].decode(errors="replace").strip()

    @cached_property
    def _cache(self) -> dict[str, bytes]:
        return {}

    def _bytes(self, name: str) -> bytes:
        if name not in self._cache:
            self._cache[name] = Path(name).read_bytes()
        return self._cache[name]

    def callees(self, function: object) -> Iterator[tuple[Any, Any]]:
        """Calls in a function's body, each with the concrete function of the folder that it calls.

        A call whose value the compiler knows is none: it becomes a number, not hardware.
        """
        for call in live(function):
            if call.kind.name == "CALL_EXPR" and not is_constant(call):
                target = call.referenced
                target = target and (target.get_definition() or target)
                if target is not None and self.owns(target):
                    yield call, target


def parse(folder: Path, precompiled: Path | None = None) -> Sources:
    """Parse folder/top.cpp. precompiled: what `precompile` made. Raises ToolError if libclang or ap_int is missing."""
    cindex = _cindex()
    folder = folder.resolve()
    extra = ["-include-pch", str(precompiled)] if precompiled else []
    # True: what is precompiled is not listed again.
    unit = cindex.Index.create(True).parse(str(folder / "top.cpp"), args=[*_arguments(folder), *extra])
    return Sources(folder, unit)


def live(cursor: Any) -> Iterator[Any]:
    """A cursor and all below it, without the branches that a constant condition rules out."""
    yield cursor
    children = list(cursor.get_children())
    if cursor.kind.name == "IF_STMT" and (value := constant(children[0])) is not None:
        children = children[1:2] if value else children[2:]
    for child in children:
        yield from live(child)


def is_constant(expression: object) -> bool:
    """True if the compiler knows the value of an integer expression."""
    return constant(expression) is not None


def constant(expression: object) -> int | None:
    """The value of an integer expression, as far as the compiler knows it."""
    library = _library()
    result = library.clang_Cursor_Evaluate(expression)
    if not result:
        return None
    is_integer = library.clang_EvalResult_getKind(result) == _INTEGER
    value = int(library.clang_EvalResult_getAsLongLong(result)) if is_integer else None
    library.clang_EvalResult_dispose(result)
    return value


def initial_of(variable: Any) -> Any:
    """The expression that initialises a variable, or None."""
    cursor = _library().clang_Cursor_getVarDeclInitializer(variable)
    if cursor.kind.is_invalid():
        return None
    cursor._tu = variable._tu
    return cursor


def operator_of(expression: Any) -> str:
    """The spelling of a unary or binary operator, "post" in front of one behind its operand."""
    library = _library()
    if expression.kind.name == "UNARY_OPERATOR":
        return _UNARY[library.clang_getCursorUnaryOperatorKind(expression)]
    return _BINARY[library.clang_getCursorBinaryOperatorKind(expression)]


def instance_key(function: Any) -> str:
    """What tells one concrete function from another."""
    return str(function.mangled_name)
