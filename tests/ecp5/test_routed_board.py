"""A whole board after routing, from pin to pin: PLL, serial line, shell and accelerator of the routed netlist, and the
driver at the other end of the line.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.benches.serial_board import compile_routed_board, serial_board
from headrace.board.board import load_board
from headrace.build_folder import Build
from headrace.ecp5.flow import Options, make_routed
from headrace.ecp5.part import routed_boards
from headrace.ecp5.place_and_route import pack, route, synthesize
from headrace.ecp5.top import LPF, board_top
from headrace.example import example_network
from tests.unverified_build import write_unverified

pytestmark = pytest.mark.slow
SMALL = """module {name} (input logic clk, rst, rx, output logic tx);
  logic [7:0] count_q;
  always_ff @(posedge clk) if (rst) count_q <= '0; else count_q <= count_q + 8'(rx);
  assign tx = count_q[7];
endmodule
"""


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("board") / "build"
    made = hr.build(hr.example(), folder, board="ulx3s-85f", fps=2000, clock_mhz=30)
    record = make_routed(made, "ulx3s-85f", Options(seeds=2))
    assert record["timing"]["met"] and record["clock_mhz"] == 30
    return Build.open(folder)


@pytest.mark.parametrize("name", routed_boards())
def test_nextpnr_takes_pins_and_clock_of_every_board(tmp_path: Path, name: str) -> None:
    """Around something small in the place of shell and accelerator."""
    build, board = write_unverified(tmp_path / "build", example_network(), backend="rtl"), load_board(name)
    top = board_top(board, build.dataflow, build.host_words, 30, "0", "")
    top = replace(top, slang={f"{top.slang_top}.sv": SMALL.format(name=top.slang_top)})
    work = tmp_path / "work"
    synthesize(work, top, {})
    report = route(work, board, top, {}, 1, lambda _: None).report
    assert report.met and report.asked_mhz == pytest.approx(30, abs=0.5)
    pack(work)


def test_pins_are_those_of_the_board(routed: Build) -> None:
    text = (routed.folder / "ecp5" / LPF).read_text()
    for port, pin in (("clk", "G2"), ("rx", "M1"), ("tx", "L4")):
        assert f'LOCATE COMP "{port}" SITE "{pin}";' in text
    assert "FREQUENCY PORT \"clk\" 25 MHZ;" in text


def test_the_driver_gets_the_golden_integers_of_the_routed_board(routed: Build, importable: None,
                                                                 tmp_path: Path) -> None:
    from headrace_driver import Accelerator

    program = compile_routed_board(routed, tmp_path)
    with serial_board(program, tmp_path) as (port, _):
        accelerator = Accelerator.on_serial(port, routed.folder / "driver" / "headrace_driver")
        assert accelerator.self_test() == "exact"
        x = np.random.default_rng(3).integers(0, 16, (4, 1, 8, 8)).astype(np.float32)
        np.testing.assert_array_equal(accelerator.predict(x), routed.predict(x, engine="golden"))
