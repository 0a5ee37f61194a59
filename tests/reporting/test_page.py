"""report.html and report.json: what was built and measured, in pictures and in numbers."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from headrace.__main__ import main
from headrace.board.board import load_board
from headrace.build_folder import Build
from headrace.datatypes import TERNARY, uint_type
from headrace.network.integer import Add, HostOutput, IntegerNetwork, Node
from headrace.reporting.charts import fifos_svg, pipeline_svg
from headrace.reporting.page import render_page
from tests.small_networks import UINT2, host_input, random_conv, random_threshold
from tests.unverified_build import write_unverified

SVG = "{http://www.w3.org/2000/svg}"


def residual() -> IntegerNetwork:
    """A convolution with a shortcut around it."""
    rng = np.random.default_rng(0)
    nodes = (
        Node("conv0", random_conv(rng, (4, 3, 3, 4), TERNARY, pad=(1, 1, 1, 1)), ("input",)),
        Node("conv0_act", random_threshold(rng, 4, UINT2, 10), ("conv0",)),
        Node("add1", Add(), ("conv0_act", "input")),
    )
    return IntegerNetwork(host_input(4, 4, 4, uint_type(3)), nodes, HostOutput((4, 4, 4), np.ones(4), np.zeros(4)))


@pytest.fixture
def made(tmp_path: Path) -> Build:
    return write_unverified(tmp_path / "b", residual(), "rtl")


def pictures(page: str) -> list[ElementTree.Element]:
    """The SVG drawings of a page; text that is not well formed raises ParseError."""
    return [ElementTree.fromstring("<svg" + part.split("</svg>")[0] + "</svg>") for part in page.split("<svg")[1:]]


def texts(drawing: ElementTree.Element) -> list[str]:
    return ["".join(item.itertext()) for item in drawing.iter(f"{SVG}text")]


def test_a_build_has_its_report(made: Build) -> None:
    report = json.loads((made.folder / "report.json").read_text())
    assert [layer["name"] for layer in report["layers"]] == [layer.name for layer in made.dataflow.layers]
    assert [layer["cycles"] for layer in report["layers"]] == [layer.cycles for layer in made.dataflow.layers]
    assert report["simulated"] is None and report["hls"] is None and report["resources"]["synthesized"] is None
    assert report["resources"]["available"]["lut"] == load_board(report["board"]).lut
    pipeline, _, _, fifos, _ = pictures((made.folder / "report.html").read_text())
    assert {layer.name for layer in made.dataflow.layers} <= set(texts(pipeline))
    assert str(made.dataflow.cycles_per_frame) in texts(pipeline)
    assert {fifo["name"] for fifo in report["fifos"]} <= set(texts(fifos))


def test_every_stream_is_drawn_once(made: Build) -> None:
    drawing = pictures((made.folder / "report.html").read_text())[0]
    paths = [path for path in drawing.iter(f"{SVG}path") if path.get("class") == "stream"]
    assert len(paths) == sum(len(item.sources) for item in made.dataflow.placed)
    rows = {layer.name: index for index, layer in enumerate(made.dataflow.layers)}
    skipping = [item for item in made.dataflow.placed for name, _ in item.sources
                if rows[item.layer.name] - rows.get(name, -1) > 1]
    assert skipping and len([path for path in paths if "H" in path.attrib["d"]]) == len(skipping)


def test_measurements_show(made: Build, capsys: pytest.CaptureFixture[str]) -> None:
    name, fifo = made.dataflow.layers[0].name, made.record["fifos"][0]
    counted = {"lut": 4321, "ff": 2, "bram18": 3, "uram": 0, "dsp": 0, "lutram": 0, "depth": 7}
    (made.folder / "synth.json").write_text(json.dumps(
        {"total": counted | {"lut": 8642}, "layers": [{"name": name, "kind": "swu", **counted}]}))
    (made.folder / "sim.json").write_text(json.dumps(
        {"frames": 4, "stalls": "random", "seed": 0, "bit_exact": False, "mismatch": "conv0: 1 < 2",
         "fifo_max_occupancy": {fifo["name"]: 3}}))
    assert main(["report", str(made.folder), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((made.folder / "report.json").read_text())
    assert report["layers"][0]["resources"]["synthesized"] == counted
    assert report["fifos"][0] == {**fifo, "max_occupancy": 3}
    page = (made.folder / "report.html").read_text()
    assert "conv0: 1 &lt; 2" in page and "4321" in texts(pictures(page)[0])
    assert any(text.startswith("8642 of ") for text in texts(pictures(page)[1]))
    assert any(text.endswith("3 seen") for text in texts(pictures(page)[3]))


def test_the_same_report_gives_the_same_page(made: Build) -> None:
    assert render_page(made.report()) == (made.folder / "report.html").read_text()


def test_the_command_wants_a_build_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 1
    assert "is not a build directory" in capsys.readouterr().err


def test_names_are_escaped() -> None:
    layer = {"name": "<a&b>", "kind": "mvtu", "input_type": "int8", "output_type": "int8", "folding": {"pe": 1},
             "cycles": 5, "reads": ["s_axis"],
             "resources": {"estimated": {"lut": 1, "lutram": 0, "bram18": 0}, "synthesized": None}}
    assert "<a&b>" in texts(ElementTree.fromstring(pipeline_svg([layer], 5)))
    fifo = {"name": "<f>", "depth": 4, "bits": 1, "smallest_depth": 2, "max_occupancy": None}
    assert "<f>" in texts(ElementTree.fromstring(fifos_svg([fifo])))
