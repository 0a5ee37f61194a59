
from __future__ import annotations

import sys
from pathlib import Path

import pytest

from headrace import serialize
from headrace.errors import InputError, ToolError, UnsupportedError
from headrace.frontend import torch as torch_readers
from headrace.model import load
from headrace.network.graph import Network
from headrace.network.integer import MaxPool
from headrace.sources import load_module, load_source
from tests.small_networks import small_network

MODELS = """
import headrace.network.graph as graph
from headrace.network.ops import RELU
network = lambda: graph.Network((graph.Input("x", (3,)),), (graph.Node("relu", RELU, ("x",)),), ("relu",))
def nothing():
    return None
"""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    path = tmp_path / "models.py"
    path.write_text(MODELS)
    return path


def sentence_of(kind: type[Exception], spec: str) -> str:
    with pytest.raises(kind) as caught:
        load_source(spec)
    return str(caught.value)


def test_a_function_of_a_file(models: Path) -> None:
    network = load_source(f"{models}:network")
    assert isinstance(network, Network) and network.output == "relu"


def test_what_has_no_integer_form_names_its_source(models: Path) -> None:
    with pytest.raises(UnsupportedError) as caught:
        load(f"{models}:network")
    assert str(caught.value).startswith(f"{models}:network: relu: ")


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_a_saved_network(suffix: str, tmp_path: Path) -> None:
    serialize.save(small_network(), tmp_path / "net.v2")
    assert serialize.digest(load_source(f"{tmp_path}/net.v2{suffix}")) == serialize.digest(small_network())


def test_bad_sources_are_one_sentence(models: Path, tmp_path: Path) -> None:
    assert sentence_of(InputError, f"{tmp_path}/gone.py:f") == f"{tmp_path}/gone.py: no such file; check the path"
    assert sentence_of(InputError, f"{models}:gone") == (
        f"{models}: has no function 'gone'; name one that returns a module and an example input")
    assert sentence_of(InputError, f"{models}:nothing") == (
        f"{models}:nothing: returns a NoneType without an example input, so the input's shape is unknown; "
        "return (module, example_input)")
    assert sentence_of(InputError, "gone.onnx") == (
        "gone.onnx: cannot be read (No such file or directory); check the path")
    assert sentence_of(InputError, "net.txt") == (
        "net.txt: is not a model; pass an .onnx or .tflite file, file.py:function or a saved network NAME.json")
    serialize.save(MaxPool((2, 2), (2, 2)), tmp_path / "pool")
    assert sentence_of(InputError, f"{tmp_path}/pool.json") == (
        f"{tmp_path}/pool.json: holds a MaxPool, not a network; pass a saved network")


def test_a_file_that_fails_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("1 / 0\n")
    assert sentence_of(InputError, f"{path}:f") == (
        f"{path}: fails on import (ZeroDivisionError: division by zero); mend the file")
    path.write_text("import surely_not_installed\n")
    assert sentence_of(ToolError, f"{path}:f") == (
        f"{path}: needs surely_not_installed, which is not installed; "
        "run pip install what provides surely_not_installed")


FAILING = [
    ("raise KeyError('weights')", InputError, "fails {} (KeyError: 'weights'); mend the file"),
    ("raise ValueError('two\\n  lines')", InputError, "fails {} (ValueError: two lines); mend the file"),
    ("import sys; sys.exit(3)", InputError, "fails {} (SystemExit: 3); mend the file"),
    ("import sys; sys.exit(0)", InputError, "fails {} (SystemExit: 0); mend the file"),
    ("import surely_not_installed", ToolError, "needs surely_not_installed, which is not installed; "
                                               "run pip install what provides surely_not_installed"),
    ("raise ModuleNotFoundError('no data')", InputError, "fails {} (ModuleNotFoundError: no data); mend the file"),
    ("from headrace.errors import InputError; raise InputError('own sentence')", InputError, None),
]


@pytest.mark.parametrize(("code", "kind", "problem"), FAILING)
def test_code_that_raises_on_import_or_when_called_is_one_sentence(code: str, kind: type[Exception],
                                                                   problem: str | None, tmp_path: Path) -> None:
    path = tmp_path / "failing.py"
    for text, name, when in ((code, path, "on import"), (f"def f():\n    {code}", f"{path}:f", "when called")):
        path.write_text(text + "\n")
        wanted = "own sentence" if problem is None else f"{name}: {problem.format(when)}"
        assert sentence_of(kind, f"{path}:f") == wanted


@pytest.mark.parametrize(("value", "given"), [
    ("(1,)", "a tuple of 1 where two values are needed"), ("(1, 2, 3)", "a tuple of 3 where two values are needed"),
    ("[1, 2]", "a list without an example input, so the input's shape is unknown"),
])
def test_what_is_no_pair_is_one_sentence(value: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "lengths.py"
    path.write_text(f"def f():\n    return {value}\n")
    assert sentence_of(InputError, f"{path}:f") == (
        f"{path}:f: returns {given}; return (module, example_input)")


def test_missing_torch_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text("import torch\n")
    for name in [name for name in sys.modules if name.startswith("headrace.frontend.torch.brevitas")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(torch_readers, "brevitas", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert sentence_of(ToolError, f"{path}:f") == (
        f"{path}: needs torch, which is not installed; run pip install 'headrace[torch]'")
    with pytest.raises(ToolError) as caught:
        load_module(None, (1, 1))
    assert str(caught.value) == (
        "reading a module needs torch, which is not installed; run pip install 'headrace[torch]'")
