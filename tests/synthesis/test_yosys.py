
from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.area.usage import Resources
from headrace.atomic_files import write_files
from headrace.errors import InputError, ToolError
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec
from headrace.render.library import used_sources
from headrace.render.rtl import render_rtl
from headrace.synthesis import yosys
from headrace.synthesis.designs import layer_design, library, network_design
from headrace.synthesis.yosys import Design, Synthesis, synthesize
from tests.small_dataflows import small_branches

SPEC = {"kind": "add", "channels": 2, "pe": 1, "left": "uint2", "right": "uint2", "pixels": 1}
MVTU = {"kind": "mvtu", "mw": 4, "mh": 4, "weight": "int2", "input": "uint2", "output": "acc"}


def layer(spec: dict[str, object] = SPEC) -> Layer:
    return layer_from_spec(spec).layer


def test_a_layer_takes_the_modules_that_it_uses() -> None:
    assert sorted(layer_design(layer(), library()).files) == [
        "harness.sv", "headrace_add.sv", "headrace_pkg.sv", "headrace_single_slice.sv", "headrace_skid.sv",
        "headrace_widen.sv",
    ]
    assert used_sources('none // headrace_add, "headrace_add"', library()) == {}
    assert set(used_sources("headrace_fork", library())) >= {"headrace_fork.sv"}


def test_designs_differ_by_content_and_not_by_name() -> None:
    sources = library()
    digest = layer_design(layer(), sources).digest()
    assert layer_design(layer_from_spec(SPEC, 7).layer, sources).digest() == digest
    assert layer_design(layer(SPEC | {"left": "uint3"}), sources).digest() != digest
    changed = sources | {"headrace_skid.sv": sources["headrace_skid.sv"] + "// another\n"}
    assert layer_design(layer(), changed).digest() != digest
    with_weights, without = (layer_design(layer(MVTU), sources, weights).digest() for weights in (True, False))
    assert with_weights != without


def test_synthesis_is_kept_by_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    design = layer_design(layer(), library())
    done = synthesize(design, tmp_path)
    # An adder of two bits, slices of 2 and 2 bits in, each of two words and 3 flags, and one of 3 bits out of a word.
    assert (done.resources.bram18, done.resources.uram, done.resources.dsp, done.resources.lutram) == (0, 0, 0, 0)
    assert 10 < done.resources.lut < 60
    assert 14 + 4 <= done.resources.ff < 40
    assert 1 <= done.depth <= 4
    monkeypatch.setattr(yosys, "run_tool", lambda *_: pytest.fail("Yosys ran again"))
    assert synthesize(design, tmp_path) == done
    next(tmp_path.iterdir()).write_text("{}")
    with pytest.raises(pytest.fail.Exception):  # what cannot be read is made again
        synthesize(design, tmp_path)


PARTS = """module part(input ap_clk, input [3:0] a, output reg [3:0] q);
  always_ff @(posedge ap_clk) q <= a + 4'd3;
endmodule
module top(input ap_clk, input [3:0] a, output [3:0] q);
  wire [3:0] b;
  part u_first (.ap_clk, .a, .q(b));
  part u_second (.ap_clk, .a(b), .q);
endmodule
"""


def test_parts_are_mapped_alone_and_counted_together(tmp_path: Path) -> None:
    alone, whole = (synthesize(Design("top", {"top.sv": PARTS}, parts=parts), tmp_path)
                    for parts in (("u_first", "u_second"), ()))
    assert alone.resources.ff == whole.resources.ff == 8
    assert 1 <= whole.depth <= alone.depth <= 2  # an inverter may stay beside a LUT of the next part
    assert alone.resources.lut == whole.resources.lut > 0


def test_the_parts_of_a_network_are_its_layers(tmp_path: Path) -> None:
    dataflow = small_branches()
    write_files(tmp_path, render_rtl(dataflow, "test"))
    assert network_design(tmp_path).parts == tuple(f"u_{layer.name}" for layer in dataflow.layers)


def test_a_design_that_yosys_refuses_is_a_sentence_with_its_messages(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"(?s)Yosys failed with exit status 1.*unknown module 'nothing'"):
        synthesize(Design("top", {"top.sv": "module top; nothing u (); endmodule\n"}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def written(title: str, command: object, folder: Path) -> str:
        (folder / yosys._NETLIST).write_text(json.dumps({"modules": {"top": {"cells": {}, "ports": {}}}}))
        return ""

    monkeypatch.setattr(yosys, "run_tool", written)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: cannot be written \(.*\); give another folder with --cache"):
        synthesize(Design("top", {}), tmp_path / "file")


def test_missing_yosys_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yosys, "PACKAGE", "no-such-yosys")
    with pytest.raises(ToolError, match="Yosys is missing; install it with `pip install no-such-yosys`"):
        Design("top", {}).digest()


def test_records_come_back() -> None:
    done = Synthesis(Resources(1, 2, 3, 4, 5, 6), 7)
    assert Synthesis.of_record(done.record()) == done
