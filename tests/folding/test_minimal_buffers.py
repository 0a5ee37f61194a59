"""The minimal buffer of a sliding window: chosen where it saves memory and costs no throughput, in model and RTL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.area.estimate import estimate
from headrace.dataflow.fold import fold
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.dataflow.insert_fifos import insert_fifos
from headrace.dataflow.lower import lower
from headrace.datatypes import TERNARY, uint_type
from headrace.folding.minimal_buffers import TOO_SLOW, Readers, WaitingWords, branch_stores
from headrace.folding.plan import solve_folding
from headrace.layers import Add, Fork, ParallelSwu, Swu
from headrace.layers.base import Layer
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from headrace.timing.cycle_model import CycleModel
from headrace.timing.fifo_sizing import size_fifos
from tests.small_dataflows import chain, named_mvtu
from tests.small_networks import UINT2, host_input, random_conv, random_threshold, small_network
from tests.timing.test_cycle_model import rtl_cycles

FRAMES = 6
#: Asked for; conv0 takes just so many cycles, conv1 1152, and conv2 648. Only the buffers are left to choose.
PACE = 1200
GIVEN = {"conv0_swu": {"simd": 4, "parallel_window": 0}, "conv0": {"pe": 8, "simd": 3},
         "conv1_swu": {"simd": 8, "parallel_window": 0}, "conv1": {"pe": 8, "simd": 8},
         "conv2_swu": {"simd": 8, "parallel_window": 0}, "conv2": {"pe": 4, "simd": 8}}


@pytest.fixture(scope="module")
def dataflow() -> Dataflow:
    """Three 3x3 convolutions of 12x12 pixels: 4 -> 8 -> 16 -> 4 channels."""
    rng = np.random.default_rng(0)
    nodes = (
        Node("conv0", random_conv(rng, (8, 3, 3, 4), TERNARY), ("input",)),
        Node("conv0_act", random_threshold(rng, 8, UINT2, 9), ("conv0",)),
        Node("conv1", random_conv(rng, (16, 3, 3, 8), TERNARY), ("conv0_act",)),
        Node("conv1_act", random_threshold(rng, 16, UINT2, 9), ("conv1",)),
        Node("conv2", random_conv(rng, (4, 3, 3, 16), TERNARY), ("conv1_act",)),
    )
    host_output = HostOutput((4, 6, 6), np.ones(4), np.zeros(4))
    return lower(thresholds_before_pooling(IntegerNetwork(host_input(12, 12, 4, UINT2), nodes, host_output)))


def buffers(folded: Dataflow) -> dict[str, str]:
    return {layer.name: layer.buffer for layer in folded.layers if isinstance(layer, Swu)}


def test_the_overlapping_buffer_is_bought_only_near_the_bottleneck(dataflow: Dataflow) -> None:
    folded = fold(dataflow, solve_folding(dataflow, PACE, GIVEN))
    assert buffers(folded) == {"conv0_swu": "overlapping", "conv1_swu": "overlapping", "conv2_swu": "minimal"}
    assert size_fifos(folded).cycles_per_frame == folded.cycles_per_frame == PACE


def test_the_minimal_buffer_at_the_bottleneck_would_take_a_fifo_or_throughput(dataflow: Dataflow) -> None:
    folding = solve_folding(dataflow, PACE, GIVEN)
    folded = fold(dataflow, {**folding, "conv0_swu": {**folding["conv0_swu"], "minimal_buffer": 1}})
    paces = [CycleModel(each).steady().cycles_per_frame for each in (fold(dataflow, folding), folded)]
    assert paces[0] == PACE and paces[1] is not None and paces[1] > PACE
    assert any(size_fifos(folded).smallest.values())


def test_the_rtl_takes_the_predicted_cycles(dataflow: Dataflow, tmp_path: Path) -> None:
    folded = fold(dataflow, solve_folding(dataflow, PACE, GIVEN))
    sized = insert_fifos(folded, size_fifos(folded).depths)
    measured, predicted = rtl_cycles(sized, FRAMES, tmp_path), CycleModel(sized).trace(FRAMES)
    start = measured[SOURCE, 0][0] - predicted[SOURCE, 0][0]
    for port, cycles in measured.items():
        np.testing.assert_array_equal(predicted[port], cycles - start, err_msg=str(port))
    words = sized.streams[sized.output_port].words
    ends = measured[sized.output_port][words - 1 :: words]
    assert ends[-1] - ends[-2] == PACE


def test_a_buffer_that_saves_no_memory_overlaps() -> None:
    """conv0's window has 32 or 64 words of 4 bits: the same LUTs hold them."""
    dataflow = lower(thresholds_before_pooling(small_network()))
    folded = fold(dataflow, solve_folding(dataflow, 20_000))
    window = next(layer for layer in folded.layers if layer.name == "conv0_swu")
    minimal = window.with_folds({"minimal_buffer": 1})
    assert minimal.cycles < folded.cycles_per_frame // 2
    assert estimate(minimal).lutram == estimate(window).lutram > 0
    assert buffers(folded)["conv0_swu"] == "overlapping"


def test_the_user_has_the_last_word(dataflow: Dataflow) -> None:
    given = {"conv0_swu": {"minimal_buffer": 1}, "conv2_swu": {"minimal_buffer": 0}}
    chosen = buffers(fold(dataflow, solve_folding(dataflow, 100 * PACE, given)))
    assert chosen["conv0_swu"] == "minimal" and chosen["conv2_swu"] == "overlapping"


def waiting_words(window: Layer, reader: Layer, pace: int, input_cycles: int = 0) -> int:
    return int(WaitingWords(window).of(Readers.of([reader]), pace, input_cycles)[0])


def test_a_part_of_a_word_that_waits_is_a_word(dataflow: Dataflow) -> None:
    """Over all paces the words are the smallest whole numbers that hold what waits, which falls with the pace."""
    layers = {layer.name: layer for layer in fold(dataflow, solve_folding(dataflow, PACE, GIVEN)).layers}
    window, reader = layers["conv2_swu"], layers["conv2"]
    assert isinstance(window, Swu)
    assert [waiting_words(window, reader, pace) for pace in (900, 1000, 1100, 1200)] == [6, 4, 3, 2]


def test_words_wait_for_the_latest_of_all_windows() -> None:
    """The words of any reader at any pace are those that the windows of a frame ask for, each looked at."""
    window = Swu("s", 9, 7, 4, (3, 4), UINT2, (2, 1), pad=(1, 2, 2, 1), simd=2, buffer="minimal")
    latest, windows, words_in = window.complete_after, window.windows, window.inputs[0].words
    words = window.outputs[0].words // windows
    readers = Readers(np.array([900, 1500, 4000]), np.array([1, 3, 7]), np.array([5, 9, 12]))
    for pace in (1700, 2000, 4100, 9000):
        each = np.maximum(words, readers.cycles / windows)
        left = each[:, None] * np.arange(windows, 0, -1) + (np.maximum(words, each / readers.passes) - each)[:, None]
        first, last = ((latest * cycles + left).max(axis=1) for cycles in (1.0, pace / words_in))
        late = np.maximum(first, windows * each) + 2 + readers.latency > pace
        waiting = np.maximum(0, np.ceil((last - pace) * words_in / pace))
        np.testing.assert_array_equal(WaitingWords(window).of(readers, pace), np.where(late, TOO_SLOW, waiting))


def padded_chain() -> Dataflow:
    """A slow 1x1 convolution and a padded 3x3 convolution whose last row of windows takes a while."""
    element = uint_type(2)
    window = Swu("swu1", 4, 40, 2, (3, 3), element, pad=(1, 1, 1, 1), simd=2, buffer="minimal")
    reader = named_mvtu("conv1", mw=18, mh=4, pe=4, simd=2, weight="ternary", input="uint2", output="acc", vectors=160)
    slow = named_mvtu("conv0", mw=12, mh=2, pe=2, simd=1, weight="ternary", input="uint2", output="uint2", vectors=160)
    return chain([slow, window, reader])


def test_the_words_that_wait_are_those_of_the_cycle_model() -> None:
    dataflow = padded_chain()
    slow, window, reader = dataflow.layers
    assert isinstance(window, Swu)
    waiting = waiting_words(window, reader, slow.cycles)
    smallest = size_fifos(dataflow).smallest["swu1_fifo"]
    registers = 6  # of the convolution in front and of the FIFO
    assert waiting - registers <= smallest <= waiting
    assert smallest > 20


def test_a_window_that_is_too_slow_for_its_reader_s_pace() -> None:
    _, window, reader = padded_chain().layers
    assert isinstance(window, Swu)
    assert waiting_words(window, reader, reader.cycles) == TOO_SLOW
    assert waiting_words(window, reader, window.cycles + 20, input_cycles=1) == 0


def shortcut() -> Dataflow:
    """A block whose shortcut is a strided 1x1 convolution, as those that halve a residual network's frame."""
    fork = Fork("fork0", 2, UINT2, 64)
    parts = (
        Placed(fork, ((SOURCE, 0),)),
        Placed(Swu("long_swu", 8, 8, 2, (3, 3), UINT2, (2, 2), pad=(1, 1, 1, 1)), (("fork0", 0),)),
        Placed(named_mvtu("long", mw=18, mh=2, weight="ternary", input="uint2", output="uint2", vectors=16),
               (("long_swu", 0),)),
        Placed(Swu("short_swu", 8, 8, 2, (1, 1), UINT2, (2, 2)), (("fork0", 1),)),
        Placed(named_mvtu("short", mw=2, mh=2, weight="ternary", input="uint2", output="uint2", vectors=16),
               (("short_swu", 0),)),
        Placed(Add("add0", 2, UINT2, UINT2, 16), (("long", 0), ("short", 0))),
    )
    return Dataflow(fork.inputs[0], parts)


def test_buffers_of_the_shorter_branch_hold_words_for_the_join(dataflow: Dataflow) -> None:
    assert branch_stores(shortcut()) == {"short_swu"}
    assert branch_stores(dataflow) == set()


def test_columns_beyond_a_pixel_ask_for_parallel_windows(dataflow: Dataflow) -> None:
    given = {"conv1": {"pe": 2, "simd": 24}, "conv0": {"pe": 1, "simd": 1}}
    folded = fold(dataflow, solve_folding(dataflow, 100 * PACE, given))
    kinds = {layer.name: type(layer) for layer in folded.layers}
    assert kinds["conv1_swu"] is ParallelSwu and kinds["conv2_swu"] is Swu
    kept = solve_folding(dataflow, 100 * PACE, {**given, "conv1_swu": {"parallel_window": 0}})
    assert isinstance(next(layer for layer in fold(dataflow, kept).layers if layer.name == "conv1_swu"), Swu)
