"""The prices of a block RAM and of a DSP block come from the family of the board, and decide what is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from headrace import request
from headrace.area.estimate import estimate
from headrace.area.thresholds import Bounds
from headrace.atomic_files import write_files
from headrace.board.board import Board
from headrace.board.family import ZYNQ_ULTRASCALE, Family
from headrace.dataflow.graph import SOURCE, Dataflow
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import int_type, uint_type
from headrace.design import Recipe, folded
from headrace.errors import InputError
from headrace.layers import Fifo
from headrace.layers.random_values import random_values
from headrace.layers.spec import layer_from_spec
from headrace.layers.threshold_search import is_serial
from headrace.layers.weighted import WeightedLayer
from headrace.memory import PRICES, Prices
from headrace.model import Model
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from headrace.planning import plan_design
from headrace.render.rtl import memory_file, render_rtl
from headrace.request import Options
from headrace.simulation.frames import Stalls
from headrace.simulation.rtl import SINK, compile_network
from tests.small_dataflows import chain
from tests.small_networks import host_input, random_conv, random_threshold


def model() -> Model:
    """A dense layer whose products may be in DSP blocks, or in LUTs."""
    rng = np.random.default_rng(0)
    nodes = (Node("fc0", random_conv(rng, (8, 2, 2, 8), int_type(3)), ("input",)),
             Node("fc0_act", random_threshold(rng, 8, uint_type(2), 500), ("fc0",)))
    net = IntegerNetwork(host_input(2, 2, 8, uint_type(3)), nodes, HostOutput((8, 1, 1), np.ones(8), np.zeros(8)))
    return Model(net, "0" * 64)


@pytest.mark.parametrize(("price", "takes_dsp"), [(1, True), (10_000, False)])
def test_the_family_of_the_board_prices_the_cores(monkeypatch: pytest.MonkeyPatch, price: int,
                                                          takes_dsp: bool) -> None:
    def find_family(board: Board) -> Family:
        return replace(ZYNQ_ULTRASCALE, prices=Prices(dsp=price))

    monkeypatch.setattr(request, "find_family", find_family)
    options = Options(folding={"fc0": {"pe": 4, "simd": 4}})
    asked = request.resolve(options)
    planned = plan_design(model(), asked)
    recipe = Recipe.of_record(planned.design.recipe.record())
    for dataflow in (planned.dataflow, folded(model().integer, recipe)):
        assert [layer.chosen_core == "dsp" for layer in WeightedLayer.among(dataflow.layers)] == [takes_dsp]
    assert asked.recipe.as_built(model().unfolded.layers[0]).prices == Prices(dsp=price)


def test_without_a_family_the_prices_are_those_of_ultrascale() -> None:
    assert Recipe().prices == PRICES == ZYNQ_ULTRASCALE.prices
    record = Recipe().record()
    del record["prices"]  # of a build that knew no others
    assert Recipe.of_record(record).prices == PRICES


def test_a_dear_block_makes_searches_parallel() -> None:
    bounds = Bounds(pe=4, groups=16, steps=15, bits=16, value_bits=16)
    assert is_serial(bounds, 64, 4)
    assert not is_serial(bounds, 64, 4, Prices(block=5000))


def test_hardware_at_other_prices_is_golden(tmp_path: Path) -> None:
    """The memories that the SystemVerilog chooses at the build's prices have the rows that their files have."""
    spec = {"kind": "mvtu", "mh": 16, "mw": 360, "pe": 2, "simd": 2, "weight": "int8", "input": "uint4",
            "output": "acc"}
    matrix = layer_from_spec(spec).layer
    stream = matrix.outputs[0]
    fifo = Fifo("fifo0", 100, stream.lanes, stream.element, stream.words)
    other = Prices(block=10_000, ram_block=1)
    texts = {}
    for prices in (PRICES, other):
        dataflow = chain([matrix.priced(prices), fifo.priced(prices)])
        texts[prices] = render_rtl(dataflow, "test")
        write_files(tmp_path / "rtl", texts[prices])
        require_golden(dataflow, tmp_path)
        assert [estimate(layer).bram18 for layer in dataflow.layers] == ([3, 0] if prices == PRICES else [1, 2])
    changed = {name for name, text in texts[other].items() if text != texts[PRICES][name]}
    assert changed == {"headrace_pkg.sv", memory_file(matrix, "WEIGHTS")}


def require_golden(dataflow: Dataflow, folder: Path) -> None:
    x = random_values(np.random.default_rng(3), dataflow.input.element, (3, dataflow.input.elements))
    words = Vectors(dataflow, x).words
    with TemporaryDirectory(dir=folder) as work:
        traces = compile_network(folder / "rtl", dataflow, Path(work)).run({SOURCE: words[SOURCE, 0]}, Stalls.RANDOM, 1)
        np.testing.assert_array_equal(traces[SINK].words, words[dataflow.output_port])


def test_prices_are_positive() -> None:
    with pytest.raises(InputError, match="prices: dsp=0 must be positive"):
        Prices(dsp=0)
