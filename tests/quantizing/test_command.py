"""`headrace quantize` from files to files, and its mistakes in one sentence."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

import headrace as hr  # noqa: E402
from headrace.__main__ import main  # noqa: E402
from headrace.reporting.distributions import Panel, distributions_svg  # noqa: E402

SOURCE = '''
import numpy as np
from tests.quantizing.tiny import tiny_data, tiny_net

def model():
    return tiny_net()

def data():
    return tiny_data(tiny_net())

def unlabelled():
    return (x for x, _ in data())

def broken():
    yield np.zeros((2, 1, 6, 6))
    raise ValueError("disk on fire")

def odd():
    from torch import nn
    return nn.Sequential(nn.GLU(1), nn.Softmax(1))
'''


@pytest.fixture
def source(tmp_path: Path) -> str:
    (tmp_path / "m.py").write_text(SOURCE)
    return str(tmp_path / "m.py")


def arguments(source: str, out: Path, *more: str, data: str = "data", model: str = "model") -> list[str]:
    return ["quantize", f"{source}:{model}", "--data", f"{source}:{data}", "--out", str(out), *more]


def test_files_and_json(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "q.npz"
    assert main(arguments(source, out, "--method", "ggd", "--weight-bits", "5", "--act-bits", "4", "--mixed", "4,6",
                          "--select", "sqnr", "--accuracy-drop", "3", "--test", f"{source}:data", "--json")) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "q.report.json").read_text())
    assert printed["settings"]["mixed"] == [4, 6] and set(printed["accuracy"]) == {"calibration", "test"}
    widths = {row["name"]: row["bits"] for row in printed["rows"] if row["part"] == "weights"}
    assert widths == dict.fromkeys(widths, 6) | dict.fromkeys(printed["mixture"]["low"], 4)
    assert {row["bits"] for row in printed["rows"] if row["part"] == "tensor"} == {4}
    assert hr.load(str(out)).predict(np.zeros((1, 1, 6, 6))).shape == (1, 3)
    ElementTree.fromstring((tmp_path / "q.svg").read_text())
    first = {path.name: path.read_bytes() for path in tmp_path.glob("q.*")}
    assert main(arguments(source, out, "--weight-bits", "5", "--act-bits", "4", "--mixed", "4,6", "--accuracy-drop",
                          "3", "--test", f"{source}:data")) == 0
    assert first == {path.name: path.read_bytes() for path in tmp_path.glob("q.*")}
    assert "networks evaluated" in capsys.readouterr().out


def test_a_generator_calibrates(source: str, tmp_path: Path) -> None:
    assert main(arguments(source, tmp_path / "q.npz", data="unlabelled")) == 0


WRONG = {
    "out": (["--out", "q.json"], {}, "q.json: a quantized network is saved as .npz; give --out NAME.npz"),
    "folder": (["--out", "/nowhere/q.npz"], {}, "its folder does not exist"),
    "data": ([], {"data": "broken"}, "broken: fails while its batches are read (ValueError: disk on fire)"),
    "labels": (["--method", "wq+bft"], {"data": "unlabelled"}, "tuning needs labels"),
    "model": ([], {"model": "odd"}, "0 (GLU): no streaming layer does this"),
    "name": ([], {"model": "missing"}, "has no function 'missing'"),
    "search": (["--search", "bisect"], {}, "search: without two widths of the weights there is nothing to choose; give "
               "mixed widths (--mixed A,B), or leave it out"),
    "threshold": (["--sqnr-threshold", "9", "--mixed-maps"], {}, "mixed-maps, sqnr-threshold: without two widths"),
    "count": (["--mixed", "2,4", "--count", "3"], {}, "count=3 has no effect with search bisect; search by count"),
    "bits": (["--act-bits", "12"], {}, "feature maps of 12 bits have no layer; use 2 to 8"),
}


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_one_sentence_and_write_nothing(what: str, source: str, tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    more, functions, sentence = WRONG[what]
    assert main(arguments(source, tmp_path / "q.npz", *more, **functions)) == 1
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said
    assert not list(tmp_path.glob("q.*"))


def test_wrong_usage_is_exit_code_two(source: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments(source, tmp_path / "q.npz", "--mixed", "4"))
    assert error.value.code == 2


def test_a_plot_shows_levels_and_scales() -> None:
    panel = Panel("a < b", np.array([-1.0, 0.5]), np.array([1.0, 3.0]), np.array([-0.5, 0.0, 0.5]))
    text = distributions_svg([panel, panel, panel])
    root = ElementTree.fromstring(text)
    assert root.get("height") == "300" and "a &lt; b" in text
    path = next(item for item in root.iter() if item.tag.endswith("path"))
    assert path.get("d", "").count("M") == 3
