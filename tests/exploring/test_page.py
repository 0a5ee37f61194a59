"""The interactive page: what it holds, and in a browser at two widths that it draws, tells and opens reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.exploring.outcome import render_page
from tests.chromium import Page, chromium

BOARDS = {"zcu104": {"lut": 230400, "ff": 460800, "bram36": 312, "uram": 96, "dsp": 1728},
          "pynq-z2": {"lut": 53200, "ff": 106400, "bram36": 140, "uram": 0, "dsp": 220}}


def row(board: str, fps: float, lut: int, **more: object) -> dict[str, object]:
    return {"weight_bits": 4, "act_bits": 4, "accuracy": 0.9, "board": board, "clock_mhz": 200.0, "core": "auto",
            "fps_asked": fps, "fps": fps, "cycles_per_frame": 2000, "latency_cycles": 9000, "latency_us": 4.5e7 / fps,
            "lut": lut, "ff": 2 * lut, "bram36": 20, "uram": 0, "dsp": 5, "fits": True, "front": True,
            "bottleneck": "conv0", "stopped_by": "", "stages": "plan", "error": "", "build": "", **more}


def record() -> dict[str, object]:
    rows = [row("zcu104", 1000.0 * 3**k, 2000 * 2**k, accuracy=0.85 + 0.02 * k, build=f"points/a{k}",
                stages="plan,build,sim") for k in range(5)]
    rows += [row("pynq-z2", 900.0 * 3**k, 2500 * 2**k, front=k == 0, accuracy=0.82 + 0.02 * k) for k in range(5)]
    rows += [row("pynq-z2", 300_000.0, 80_000, fits=False, front=False,
                 stopped_by="pynq-z2 does not hold it, it would take 80000 of 53200 LUT"),
             row("pynq-z2", 1.0, 1) | {"fps": None, "lut": None, "fits": False, "front": False, "stopped_by":
                                       "conv0: </script><b>less than 1 cycle per frame is asked for"}]
    return {"headrace": "0", "model": "cnv_w1a1 <quant>.onnx", "points": rows, "boards": BOARDS}


def test_the_page_is_one_file_whatever_the_texts_are() -> None:
    page = render_page(record())
    assert page.count("</script>") == 2 and "cnv_w1a1 &lt;quant&gt;.onnx" in page
    assert "http:" not in page.replace("http://www.w3.org/2000/svg", "") and "https:" not in page
    data = page.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(data) == record()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_in_a_browser(width: int, dark: bool, tmp_path: Path) -> None:
    for number in range(5):
        report = tmp_path / f"points/a{number}/report.html"
        report.parent.mkdir(parents=True)
        report.write_text(f"<title>report {number}</title>")
    path = tmp_path / "exploration.html"
    path.write_text(render_page(record()))
    with chromium(tmp_path / "profile") as page:
        page.open(path, width, dark=dark)
        assert page.run("document.querySelectorAll('.point').length") == 11
        assert page.run("document.querySelectorAll('.point.dim').length") == 5
        assert page.run("document.querySelectorAll('a.point').length") == 5
        assert page.run("document.querySelectorAll('.point.unfit').length") == 1
        assert page.count("document.querySelectorAll('line.limit').length") >= 1
        assert page.count("document.documentElement.scrollWidth") <= width
        outside = "[...document.querySelectorAll('.dot')].some(dot => { const box = dot.getBoundingClientRect();" \
                  " return box.left < 0 || box.right > innerWidth; })"
        assert not page.run(outside)
        other_axes(page)
        by_keyboard(page)
        page.open(path, width, dark=dark)
        x, y = page.numbers("(() => { const box = document.querySelector('a.point .dot').getBoundingClientRect();"
                            " return [box.x + box.width / 2, box.y + box.height / 2]; })()")
        page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        page.picture(tmp_path / "page.png")
        page.click(x, y)
        page.wait("document.title.startsWith('report ')")
        assert page.errors == []


def other_axes(page: Page) -> None:
    for control, value in (("x", "accuracy"), ("y", "latency_us"), ("x", "lut"), ("y", "fps")):
        page.run(f"(() => {{ const c = document.getElementById('{control}'); c.value = '{value}';"
                 " c.dispatchEvent(new Event('change')); })()")
        assert page.run("document.querySelectorAll('.point').length") == 11
        assert not page.run("document.querySelector('#chart svg').outerHTML.includes('NaN')")


def by_keyboard(page: Page) -> None:
    page.run("document.querySelector('a.point').focus()")
    first = page.run("document.activeElement.getAttribute('aria-label')")
    assert page.text("document.getElementById('about').textContent").startswith("zcu104, 200 MHz")
    page.key("ArrowRight")
    assert page.run("document.activeElement.getAttribute('aria-label')") != first
    page.run("document.querySelector('a.point').focus()")
    page.key("Enter")
    page.wait("document.title.startsWith('report ')")
