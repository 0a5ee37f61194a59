"""import headrace as hr: what every function returns says what it is, shortly, in a table and in a picture."""

from __future__ import annotations

import inspect
import logging
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import headrace as hr
from headrace.reporting.view import View
from headrace.results import Checked
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

FUNCTIONS = ("boards", "build", "check", "compare", "example", "explore", "load", "plan", "precision", "quantize",
             "report", "simulate", "synth")


def drawn(svg: str) -> set[str]:
    """The texts of a picture; what is not well formed raises ParseError."""
    root = ElementTree.fromstring(svg)
    return {"".join(item.itertext()) for item in root.iter("{http://www.w3.org/2000/svg}text")}


def test_everything_is_there_and_explained() -> None:
    assert set(FUNCTIONS) <= set(hr.__all__)
    for name in FUNCTIONS:
        document = inspect.getdoc(getattr(hr, name))
        assert document and (name in ("boards", "example") or "Raises" in document), name


@pytest.mark.parametrize("name", ["boards", "build", "check", "explore", "plan", "precision", "quantize", "simulate",
                                  "synth"])
def test_options_are_given_by_name_and_have_types(name: str) -> None:
    parameters = inspect.signature(getattr(hr, name)).parameters.values()
    first = [item.name for item in parameters if item.kind is item.POSITIONAL_OR_KEYWORD]
    assert len(first) <= 3 and all(item.annotation is not item.empty for item in parameters)


def test_importing_needs_nothing_heavy() -> None:
    heavy = ["torch", "brevitas", "onnx", "pandas", "dask", "IPython"]
    code = f"import headrace, sys; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_model() -> None:
    net = hr.example()
    assert len(repr(net)) < 100
    assert "conv0_swu" in net.summary() and "mvtu" in net.summary()
    assert {layer.name for layer in net.unfolded.layers} <= drawn(net.plot().svg)
    assert "<table>" in net._repr_html_() and "<svg" in net._repr_html_()


def test_a_build(tmp_path: Path) -> None:
    made = write_unverified(tmp_path / "b", small_network(), "rtl", cycles=800)
    assert len(repr(made)) < 200 and "bottleneck" in made.summary()
    assert {layer.name for layer in made.dataflow.layers} <= drawn(made.plot().svg)
    assert "<svg" in made._repr_html_()
    made.plot().save(tmp_path / "new" / "picture.svg")
    assert drawn((tmp_path / "new" / "picture.svg").read_text()) == drawn(made.plot().svg)
    assert hr.report(made) == tmp_path / "b" / "report.html"


def test_a_picture_keeps_its_colours_to_itself() -> None:
    """Styles of a drawing in a notebook are those of the whole page: each rule names the class of the drawing."""
    style = hr.example().plot().svg.partition("<style>")[2].partition("</style>")[0]
    rules = [line.strip() for line in style.splitlines() if "{" in line and not line.strip().startswith("@media")]
    assert rules and all(part.strip().startswith((".headrace", ".page")) for rule in rules
                         for part in rule.partition("{")[0].split(","))


def test_what_is_not_supported_is_told(tmp_path: Path) -> None:
    found = hr.check(hr.example())
    assert found and found.model is not None and "supported, 7 layers" in repr(found)
    wrong = Checked("m.onnx", None, "conv0: a\n  relu1: <b>")
    assert not wrong and repr(wrong) == "Checked(m.onnx: not supported, 2 lines)"
    assert "relu1: <b>" in wrong.summary() and "&lt;b&gt;" in wrong._repr_html_()
    with pytest.raises(hr.InputError, match="is not a model"):
        hr.check("m.txt")


def test_points() -> None:
    points = hr.plan(hr.example(), boards=["pynq-z2", "zcu104"], fps=[10_000])
    assert [point.board for point in points] == ["pynq-z2", "zcu104"]
    assert repr(points) == "Points(example: 2 points, 2 fit)" and "pynq-z2" in points.summary()
    assert {"pynq-z2", "zcu104"} <= drawn(points.plot().svg) and "<table>" in points._repr_html_()
    with pytest.raises(hr.InputError, match=r"plan takes what headrace\.load returns, not a str; load the model first"):
        hr.plan("model.onnx")  # type: ignore[arg-type]


def test_boards() -> None:
    assert repr(hr.boards()).startswith("Boards(") and "xczu7ev" in hr.boards().summary()
    assert "<td>zcu104</td>" in hr.boards()._repr_html_()


def test_wrong_words_are_errors(tmp_path: Path) -> None:
    made = write_unverified(tmp_path / "b", small_network(), "rtl", cycles=800)
    with pytest.raises(hr.InputError, match=r"stalls='randm' is unknown; did you mean 'random'\? choose one of"):
        hr.simulate(made, stalls="randm")  # type: ignore[arg-type]
    with pytest.raises(hr.InputError, match="a report needs a build; give one or several"):
        hr.report()
    with pytest.raises(hr.InputError, match="out: the report of one build is in its directory"):
        hr.report(made, out=tmp_path / "out")


def test_steps_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    with caplog.at_level(logging.INFO, "headrace"):
        hr.plan(hr.example(), fps=[10_000], progress=told.append)
    assert [record.getMessage() for record in caplog.records] == told != []
    assert {record.name for record in caplog.records} == {"headrace"}


def test_a_view_is_escaped() -> None:
    assert "<b><i></b>" not in View("<i>", ("a",), (("<script>",),)).html()
    assert "&lt;script&gt;" in View("<i>", ("a",), (("<script>",),)).html()


def test_quantize_and_compare(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    cnn = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 3))
    x = np.random.default_rng(0).random((16, 1, 8, 8), np.float32)
    found = hr.quantize(cnn, [(x, np.arange(16) % 3)], weight_bits=4, act_bits=4)
    assert found.model.name == "Sequential" and found.accuracy["calibration"]["samples"] == 16
    assert repr(found).startswith("Quantization(ggd: accuracy on 16 calibration samples") and "SQNR" in found.summary()
    assert "<svg" in found.plot().svg and "<table>" in found._repr_html_()
    found.save(tmp_path / "mine.npz")
    assert np.array_equal(hr.load(tmp_path / "mine.npz").predict(x), found.model.predict(x))
    with pytest.raises(hr.QuantizationError, match="weights of 9 bits have no layer"):
        hr.quantize(cnn, [x], weight_bits=9)


def test_compare_takes_a_module() -> None:
    torch = pytest.importorskip("torch")
    qnn = pytest.importorskip("brevitas.nn")
    torch.manual_seed(0)
    net = torch.nn.Sequential(qnn.QuantIdentity(bit_width=4), qnn.QuantConv2d(1, 2, 3, weight_bit_width=3),
                              qnn.QuantReLU(bit_width=3))
    net(torch.rand(2, 1, 6, 6))
    found = hr.compare(net.eval(), np.random.default_rng(0).random((3, 1, 6, 6)))
    assert repr(found).startswith("Compared(3 samples: ") and "codes differ" in found.summary()
    assert found.difference.explained
