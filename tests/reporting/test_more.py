"""What a report says beside layers: roofline, distributions, quantization, routed figures; and how browsers show it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import headrace as hr
from headrace.__main__ import main
from headrace.build_folder import Build
from headrace.datatypes import int_type, uint_type
from headrace.errors import InputError
from headrace.reporting.codes import codes_svg, distribution
from headrace.reporting.roofline import Roofline, roofline_svg
from tests.reporting.test_page import pictures, texts
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

ROW = {"name": "conv0", "part": "weights", "bits": 4, "signed": True, "frac_bits": [2, 3], "scale": None,
       "measured_sqnr_db": 21.25, "saturation": 0.0125}
QUANTIZED = {"network": "0" * 64,
             "rows": [ROW, ROW | {"part": "tensor", "signed": False, "frac_bits": None, "scale": 0.3}],
             "accuracy": {"test": {"samples": 50, "float_network": 0.98, "quantized": 0.97}}}


@pytest.fixture
def made(tmp_path: Path) -> Build:
    return write_unverified(tmp_path / "b", small_network(), "rtl")


def test_the_roofline_is_that_of_the_build(made: Build) -> None:
    report = made.report()
    found = Roofline(*report["roofline"].values())
    macs = sum(layer.get("macs", 0) for layer in report["layers"])
    assert found.macs_per_frame == macs and found.bytes_per_frame == 64 + 5
    assert found.reached == macs * made.record["fps"] <= found.compute
    assert found.bandwidth == 16 * 200e6 and found.intensity == macs / 69
    said = texts(ElementTree.fromstring(roofline_svg(found)))
    assert "memory port: 3.2 GB/s" in said and any(text.startswith("this network: ") for text in said)


def test_shapes_follow_from_what_layers_know_of_frames(made: Build, tmp_path: Path) -> None:
    shown = {layer["name"]: (layer["shape_in"], layer["shape_out"]) for layer in made.report()["layers"]}
    assert shown["conv0_swu"] == ("8×8×1", "8×8×9") and shown["conv0"] == ("8×8×9", "8×8×4")
    assert shown["fc4"][1] == "5" and all("×" in before for name, (before, _) in shown.items() if "swu" in name)
    page = (made.folder / "report.html").read_text()
    assert "<td>8×8×1 → 8×8×9</td>" in page


def test_a_network_below_its_memory_roof() -> None:
    found = Roofline(1000, 1000, 5e5, 1e9, 1e6)
    assert found.bound == 1e6 and any("50% of its roof" in text for text in
                                      texts(ElementTree.fromstring(roofline_svg(found))))
    assert Roofline(1000, 1000, 5e5, 1e6, None).bound == 1e6


def test_distributions_count_codes() -> None:
    found = distribution(np.array([-4, -4, 0, 3, 3, 1]), int_type(3))
    assert found["counts"] == [2, 0, 0, 0, 1, 1, 0, 2]
    assert (found["low"], found["high"], found["zero"]) == (-4, 3, 1 / 6) and found["ends"] == 4 / 6
    assert distribution(np.array([0, 0, 1, 3]), uint_type(2))["ends"] == 1 / 4
    assert len(distribution(np.arange(300), uint_type(9))["counts"]) == 64


def test_a_build_has_the_codes_of_its_layers(made: Build) -> None:
    codes = json.loads((made.folder / "codes.json").read_text())
    assert [layer["name"] for layer in codes] == ["conv0", "conv1", "fc3", "fc4"]
    assert sum(codes[0]["weights"]["counts"]) == 4 * 9
    drawing = pictures((made.folder / "report.html").read_text())[-1]
    assert texts(drawing)[0] == "conv0 weights, [-7,7]" and drawing.get("class") == "headrace"
    assert "<i>" in texts(ElementTree.fromstring(codes_svg([codes[0] | {"name": "<i>"}])))[0]


def test_quantization_shows(made: Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.report.json"
    path.write_text(json.dumps(QUANTIZED | {"settings": {}}))
    with pytest.raises(InputError, match=r"mine\.report\.json: is of another network than .* was built from; give the"):
        hr.report(made, quantized=path)
    path.write_text(json.dumps(QUANTIZED | {"settings": {}, "network": made.record["source_sha256"]}))
    assert main(["report", str(made.folder), "--quantized", str(path)]) == 0
    page = (made.folder / "report.html").read_text()
    assert "2 to 3" in page and "scale 0.3" in page and "21.2 dB" in page and "97.00 %, 98.00 % in float" in page
    assert hr.report(made).read_text() == page  # it is kept
    path.write_text("{}")
    with pytest.raises(InputError, match=r"mine\.report\.json: is damaged; remove it, or run `headrace quant"):
        hr.report(made, quantized=path)
    with pytest.raises(InputError, match=r"none\.json: no such file; give the NAME\.report\.json"):
        hr.report(made, quantized="none.json")
    with pytest.raises(InputError, match="is of one network; report one build at a time"):
        hr.report(made, made, quantized=path)


def test_routed_figures_stand_beside_the_others(made: Build) -> None:
    record = json.loads((made.folder / "build.json").read_text())
    record["bitstream"] = {"utilization": {"lut": 77.0}, "timing": {"met": True, "wns_ns": 0.25},
                           "layers": [{"name": "conv0", "lut": 4242, "ff": 3}]}
    (made.folder / "build.json").write_text(json.dumps(record))
    report = made.report()
    page = (made.folder / "report.html").read_text()
    assert report["resources"]["routed"]["timing"]["met"] and " / 4242" in page
    assert "Placed and routed: 77.0 LUT" in page and "worst slack 0.25 ns" in page


def test_a_page_is_small_and_asks_no_network(made: Build) -> None:
    page = (made.folder / "report.html").read_text()
    assert len(page) < 3_000_000 and "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert made.record["source_sha256"] in page


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("dark", [False, True])
def test_chromium_shows_it(made: Build, tmp_path: Path, width: int, dark: bool) -> None:
    """Nothing is wider than the window but what scrolls, pictures keep their size, and colours follow the mode."""
    from PIL import Image

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    assert chromium, "this test needs chromium; install it with the package manager of the system"
    probe = """<script>addEventListener("load", () => { const wide = [...document.querySelectorAll("svg")];
        document.title = JSON.stringify([document.documentElement.scrollWidth, innerWidth,
            wide.map(e => Math.round(e.getBoundingClientRect().width) == e.getAttribute("width")),
            getComputedStyle(document.body).backgroundColor]) })</script>"""
    page = tmp_path / "probe.html"
    page.write_text((made.folder / "report.html").read_text().replace("</body>", f"{probe}</body>"))
    options = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
               f"--user-data-dir={tmp_path / 'profile'}"]
    options += ["--blink-settings=preferredColorScheme=0"] if dark else []
    run = [*options, "--dump-dom", page.as_uri()]
    shown = subprocess.run(run, capture_output=True, text=True, check=True, timeout=120).stdout
    title = shown.partition("<title>")[2].partition("</title>")[0]
    needed, there, sizes, colour = json.loads(title)
    assert needed <= there and all(sizes) and len(sizes) >= 4
    shot = tmp_path / "shot.png"
    subprocess.run([*options, f"--screenshot={shot}", page.as_uri()], capture_output=True, check=True, timeout=120)
    with Image.open(shot) as image:
        corner = image.convert("RGB").getpixel((2, 2))
        assert isinstance(corner, tuple) and len(image.convert("RGB").getcolors(1 << 24) or ()) > 20
    assert colour == f"rgb{corner}" and (sum(corner) < 200) == dark
