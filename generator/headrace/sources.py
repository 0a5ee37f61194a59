"""Where networks come from: an ONNX or .tflite file, a saved file, or a function in a Python file."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headrace import serialize
from headrace.errors import HeadraceError, InputError, ToolError, printable
from headrace.network.graph import Network
from headrace.network.integer import IntegerNetwork
from headrace.versions import warn_if_untested


def load_module(module: object, example_input: object) -> Network:
    """The Network of a torch / Brevitas module; see frontend.brevitas.from_module.

    Raises ToolError where torch or Brevitas is not installed.
    """
    try:
        from headrace.frontend.torch import brevitas
    except ImportError as error:
        raise ToolError(f"reading a module needs {error.name}, which is not installed; "
                        "run pip install 'headrace[torch]'") from None
    warn_if_untested("torch", "brevitas")
    return brevitas.from_module(module, example_input)


def load_onnx(path: Path) -> Network:
    """The Network of an ONNX file; see frontend.onnx.from_file. The onnx package is imported here, at its first use."""
    from headrace.frontend.onnx import reader as onnx

    warn_if_untested("onnx")
    return onnx.from_file(path)


def load_tflite(path: Path, kernels: str | None) -> IntegerNetwork:
    """The integer network of a .tflite file by a set of kernels; see frontend.tflite.reader.from_file."""
    from headrace.frontend.tflite import reader  # the schema package is imported here, at its first use

    warn_if_untested("tflite")
    return reader.from_file(path, kernels or "reference")


def load_source(spec: str, kernels: str | None = None) -> Network | IntegerNetwork:
    """The network that a text names: an .onnx or .tflite file, `file.py:function`, or a saved network .json or .npz.

    The function takes no arguments and returns a pair of module and example input, a Network or an IntegerNetwork.
    kernels: whose arithmetic a .tflite file means; None for the reference kernels.
    """
    if spec.endswith(".tflite"):
        return load_tflite(Path(spec), kernels)
    if kernels is not None:
        raise InputError(f"{spec}: is not a .tflite file, but kernels={kernels!r} says how one computes; leave it out")
    path, colon, function = spec.rpartition(":")
    if colon and path.endswith(".py"):
        return network_of(spec, call(spec, function_from_file(Path(path), function)))
    if spec.endswith(".onnx"):
        return load_onnx(Path(spec))
    if spec.endswith((".json", ".npz")):
        return _saved(Path(spec))
    raise InputError(f"{spec}: is not a model; pass an .onnx or .tflite file, file.py:function or a saved network "
                     "NAME.json")


def load_any(source: object, example_input: object = None, kernels: str | None = None) -> Network | IntegerNetwork:
    """The network in a module with its example input, in a text as of `load_source`, or the network itself."""
    if isinstance(source, (str, Path)):
        return load_source(str(source), kernels)
    if isinstance(source, (Network, IntegerNetwork)):
        return source
    return load_module(source, example_input)


def name_of(source: object) -> str:
    """What people call a source of `load_any`: the last part of its path, or the class of a module.

    >>> name_of("models/kws.onnx"), name_of("examples/digits/model.py:trained")
    ('kws.onnx', 'model.py:trained')
    """
    return printable(Path(source).name) if isinstance(source, (str, Path)) else type(source).__name__


def save_qonnx(source: object, path: Path | str, example_input: object = None) -> None:
    """Write the network of a source as of `load_any` as a QONNX file, which gives the same integers when it is read.

    Raises InputError for an integer network, which has no floats left, and UnsupportedError for what QONNX cannot say.
    """
    network = load_any(source, example_input)
    if isinstance(network, IntegerNetwork):
        raise InputError("an integer network has only thresholds where QONNX has quantizers; export the network that "
                         "it was made from")
    from headrace.export import qonnx  # onnx is imported at its first use

    qonnx.save_qonnx(network, path)


def _saved(path: Path) -> Network | IntegerNetwork:
    value = serialize.load_file(path)
    if not isinstance(value, Network | IntegerNetwork):
        raise InputError(f"{path}: holds a {type(value).__name__}, not a network; pass a saved network")
    return value


@contextmanager
def users_code(name: str, when: str) -> Iterator[None]:
    """Turn whatever a user's code raises into one sentence about `name`, which fails `when`.

    Raises ToolError for a package that is not installed and InputError for all else, SystemExit included.
    """
    try:
        yield
    except HeadraceError:
        raise
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a user's code may raise SystemExit, GeneratorExit and classes of its own
        if isinstance(error, ModuleNotFoundError) and error.name:
            hint = "'headrace[torch]'" if error.name in ("torch", "brevitas") else f"what provides {error.name}"
            raise ToolError(f"{name}: needs {error.name}, which is not installed; run pip install {hint}") from None
        said = ": ".join(filter(None, (type(error).__name__, " ".join(str(error).split()))))
        raise InputError(f"{name}: fails {when} ({said}); mend the file") from error


def call(name: str, function: Callable[[], Any]) -> Any:
    """What a user's function returns. Raises InputError or ToolError naming `name` where it raises."""
    with users_code(name, "when called"):
        return function()


def function_from_file(path: Path, name: str) -> Callable[[], Any]:
    """The function of that name in a Python file, which is executed. Raises InputError or ToolError in one sentence."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; check the path")
    spec = importlib.util.spec_from_file_location(f"headrace_model_{path.stem}", path)
    assert spec is not None and spec.loader is not None  # the suffix is .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with users_code(str(path), "on import"):
        spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise InputError(f"{path}: has no function {name!r}; name one that returns a module and an example input")
    return function  # type: ignore[no-any-return]


def network_of(spec: str, value: object) -> Network | IntegerNetwork:
    """The network in what a user's function returned; see load_source. Raises InputError where there is none."""
    if isinstance(value, Network | IntegerNetwork):
        return value
    if not (isinstance(value, tuple) and len(value) == 2):
        problem = (f"of {len(value)} where two values are needed" if isinstance(value, tuple) else
                   "without an example input, so the input's shape is unknown")
        raise InputError(f"{spec}: returns a {type(value).__name__} {problem}; return (module, example_input)")
    return load_module(*value)
