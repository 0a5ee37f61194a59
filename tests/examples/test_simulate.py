"""The main job on the digits, and on a user's own file."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from headrace import serialize
from headrace.benches.simulated_board import compile_board, simulated_board
from headrace.build_folder import Build
from headrace.errors import InputError
from headrace.paths import data_folder
from tests.narrow import there
from tests.small_networks import small_network

ROOT = Path(__file__).resolve().parents[2]

OWN_MODEL = """
import torch
from torch import nn
import brevitas.nn as qnn
from brevitas.quant import SignedBinaryWeightPerTensorConst

def own():
    torch.manual_seed(0)
    model = nn.Sequential(qnn.QuantIdentity(bit_width=4), nn.Flatten(),
                          qnn.QuantLinear(12, 8, bias=False, weight_quant=SignedBinaryWeightPerTensorConst),
                          qnn.QuantReLU(bit_width=2), qnn.QuantLinear(8, 3, bias=True, weight_bit_width=4))
    example = torch.rand(4, 1, 3, 4)
    model(example)
    return model.eval(), example
"""


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / "examples" / "simulate.py"), *arguments], cwd=ROOT,
                          capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """examples/simulate.py as a module."""
    return module_of("simulate_example", ROOT / "examples" / "simulate.py")


def module_of(name: str, path: Path) -> ModuleType:
    """A file as a module of a name that no other example has."""
    spec = there(importlib.util.spec_from_file_location(name, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    there(spec.loader).exec_module(module)
    return module


@pytest.fixture(scope="module")
def main_job(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What the main job prints, and its build directory."""
    out = tmp_path_factory.mktemp("digits") / "b"
    done = simulate("--out", str(out))
    assert done.returncode == 0, done.stderr
    return done.stdout, out


def test_the_main_job_on_the_digits(main_job: tuple[str, Path]) -> None:
    printed, out = main_job
    rows = [line.split("│")[1:3] for line in printed.splitlines() if "│" in line]
    values = {title.strip(): value.strip() for title, value in rows}
    accuracies = {title: float(value.rstrip("%")) for title, value in values.items() if "accuracy" in title}
    assert len(accuracies) == 4 and min(accuracies.values()) >= 95
    assert values["cycles per frame, measured"] == values["cycles per frame, predicted"]
    assert sum(value == "bit-exact" for title, value in values.items() if title.startswith("cocotb")) == 4
    assert json.loads((out / "build.json").read_text())["fps"] >= 100_000


def test_the_driver_classifies_digits(main_job: tuple[str, Path], tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(data_folder("boards") / "driver")
    from headrace_driver import Accelerator

    built = Build.open(main_job[1])
    digits = module_of("digits_example", ROOT / "examples" / "digits" / "model.py")
    images, labels = (array[:50] for array in digits.held_out())
    with simulated_board(compile_board(built, tmp_path), built.folder / "rtl") as board:
        accelerator = Accelerator(board, built.folder / "driver" / "headrace_driver")
        assert accelerator.self_test() == "exact"
        scores = accelerator.predict(images)
    assert np.array_equal(scores, built.predict(images, engine="golden"))
    assert np.mean(scores.argmax(1) == labels) >= 0.9


def test_the_main_job_on_a_users_file(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN_MODEL)
    done = simulate(f"{tmp_path / 'own.py'}:own", "--out", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert "random images: rtl, bit-exact" in done.stdout


def test_a_saved_network_runs_without_torch(tmp_path: Path) -> None:
    serialize.save(small_network(), tmp_path / "my net")
    done = simulate(f"{tmp_path}/my net.json", "--out", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert "random images: rtl, bit-exact" in done.stdout and "torch" not in done.stdout


BAD_MODELS = """
class Net:
    pass
module = Net
three = lambda: (1, 2, 3)
def missing():
    return {}["weights"]
"""

MISTAKES = [
    ("none.py:f", "none.py: no such file; check the path"),
    ("models.py:nothing", "models.py: has no function 'nothing'; name one that returns a module and an example input"),
    ("models.py:module", "models.py:module: returns a Net without an example input, so the input's shape is "
                         "unknown; return (module, example_input)"),
    ("models.py:three", "models.py:three: returns a tuple of 3 where two values are needed; "
                        "return (module, example_input)"),
    ("models.py:missing", "models.py:missing: fails when called (KeyError: 'weights'); mend the file"),
    ("models.py", "models.py: is not a model; pass an .onnx or .tflite file, file.py:function or a saved "
                  "network NAME.json"),
    ("gone.onnx", "gone.onnx: cannot be read (No such file or directory); check the path"),
]


@pytest.mark.parametrize(("model", "sentence"), MISTAKES)
def test_mistakes_are_one_sentence(model: str, sentence: str, example: ModuleType, tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models.py").write_text(BAD_MODELS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["simulate", model])
    assert example.main() == 1
    assert capsys.readouterr().err == f"simulate: {sentence}\n"


HELD_OUT = [
    ("return [[0.0]], [1, 2]", "returns images of shape (1, 1) with labels of shape (2,); return one label per image"),
    ("return 1", "fails when called (TypeError: cannot unpack non-iterable int object); mend the file"),
    ("raise OSError('no data')", "fails when called (OSError: no data); mend the file"),
]


@pytest.mark.parametrize(("code", "sentence"), HELD_OUT)
def test_bad_held_out_images_are_one_sentence(code: str, sentence: str, example: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text("from tests.small_networks import small_network as own\n"
                    "def own_one():\n    return own()\n"
                    f"def held_out():\n    {code}\n")
    subject = example.Subject.load(f"{path}:own_one")
    with pytest.raises(InputError) as caught:
        subject.images()
    assert str(caught.value) == f"{path}:held_out: {sentence}"


def test_the_makefile_quotes_the_model() -> None:
    done = subprocess.run(["make", "-n", "-o", ".venv/.installed", "sim", "MODEL=my models.py:f"], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    assert '"my models.py:f"' in done.stdout


def test_the_digits_are_classified_on_images_that_training_has_not_seen() -> None:
    digits = module_of("digits_example", ROOT / "examples" / "digits" / "model.py")
    import headrace as hr

    images, labels = digits.held_out()
    assert len(images) == 360
    scores = hr.load(*digits.trained()).predict(images)
    assert np.mean(scores.argmax(1) == labels) >= 0.95
