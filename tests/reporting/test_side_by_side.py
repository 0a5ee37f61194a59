"""headrace report DIR DIR: builds side by side, and what differs is marked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from headrace.__main__ import main
from headrace.datatypes import TERNARY
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from tests.small_networks import UINT2, host_input, random_conv
from tests.unverified_build import write_unverified


def dense(seed: int) -> IntegerNetwork:
    conv = random_conv(np.random.default_rng(seed), (4, 1, 1, 8), TERNARY)
    return IntegerNetwork(host_input(1, 1, 8, UINT2), (Node("fc0", conv, ("input",)),),
                          HostOutput((4,), np.ones(4), np.zeros(4)))


def test_what_differs_is_marked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_unverified(first, dense(0), "rtl")
    write_unverified(second, dense(0), "both")
    page = tmp_path / "page.html"
    assert main(["report", str(first), str(second), "--out", str(page), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    rows = {row["name"]: row for row in compared["rows"]}
    assert rows["back end"]["values"] == ["rtl", "both"] and rows["back end"]["differs"]
    assert not rows["board"]["differs"] and not rows["fits"]["differs"]
    assert not any(row["differs"] for row in compared["layers"])
    text = page.read_text()
    assert '<tr class="differs"><td>back end</td><td>rtl</td><td>both</td></tr>' in text
    assert 'href="first/report.html"' in text and "<td>DSP, estimated</td><td>0</td><td>0</td>" in text


def test_the_page_of_one_build_has_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_unverified(tmp_path / "b", dense(0), "rtl")
    assert main(["report", str(tmp_path / "b"), "--out", str(tmp_path / "x.html")]) == 1
    assert "the report of one build is in its directory; leave --out out, or name several builds" in (
        capsys.readouterr().err)
