"""The compiled harness: networks with all inner streams, and what it says when the hardware misbehaves."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from headrace.atomic_files import write_files
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import uint_type
from headrace.errors import InputError, MismatchError, ToolError
from headrace.layers import Fifo
from headrace.layers.random_values import random_values
from headrace.packing import pack_stream
from headrace.render.rtl import render_rtl
from headrace.simulation import rtl, shelf
from headrace.simulation.compare import require_passed
from headrace.simulation.frames import Stalls
from headrace.simulation.memories import require_rtl_memories
from tests.small_dataflows import chain, small_cnn

FRAMES = 4


def compiled(dataflow: Dataflow, folder: Path, edit: tuple[str, str, str] | None = None) -> rtl.RtlModel:
    """The network's RTL under the harness; edit: a file of it, a text and what replaces it."""
    files = render_rtl(dataflow, "test")
    if edit:
        name, before, after = edit
        assert before in files[name]
        files[name] = files[name].replace(before, after)
    write_files(folder / "rtl", files)
    (folder / "work").mkdir()
    return rtl.compile_network(folder / "rtl", dataflow, folder / "work")


#: All that compiling a model calls: no python, no c++, no xargs.
TOOLS = ("g++", "gcc", "as", "ld", "ar", "make", "perl", "sh", "cat", "echo", "mkdir", "rm", "touch")


@pytest.fixture(scope="module")
def cnn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataflow, rtl.RtlModel]:
    """Compiled in a folder whose name make, shells and Verilator take apart, with few programs on PATH."""
    dataflow, tools = small_cnn(), tmp_path_factory.mktemp("tools")
    for tool in TOOLS:
        (tools / tool).symlink_to(str(shutil.which(tool)))
    folder = tmp_path_factory.mktemp("cnn") / "ä $HOME 'x' \"y\" (z)"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tools))
        patch.setattr(shelf, "cache_folder", lambda: folder.parent / "cache")
        return dataflow, compiled(dataflow, folder)


@pytest.mark.parametrize("stalls", Stalls)
def test_every_stream_of_a_network_is_golden(cnn: tuple[Dataflow, rtl.RtlModel], stalls: Stalls) -> None:
    dataflow, model = cnn
    x = random_values(np.random.default_rng(3), dataflow.input.element, (FRAMES, dataflow.input.elements))
    expected = Vectors(dataflow, x).words
    traces = model.run({SOURCE: expected[SOURCE, 0]}, stalls, seed=5, reset_after_words={SOURCE: 30})
    for port, name in rtl.observed_ports(dataflow).items():
        np.testing.assert_array_equal(traces[name].words, expected[port], err_msg=name)
    if stalls is Stalls.NONE:
        assert traces[rtl.SINK].cycles_per_frame(dataflow.streams[dataflow.output_port].words) \
            == dataflow.cycles_per_frame


def test_the_same_seed_gives_the_same_cycles(cnn: tuple[Dataflow, rtl.RtlModel]) -> None:
    dataflow, model = cnn
    words = np.zeros((FRAMES * dataflow.input.words, dataflow.input.bytes), np.uint8)
    runs = [model.run({SOURCE: words}, Stalls.RANDOM, seed)[rtl.SINK].cycles.tolist() for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_inner_streams_are_recorded_for_as_many_frames_as_asked(cnn: tuple[Dataflow, rtl.RtlModel]) -> None:
    dataflow, model = cnn
    words = np.zeros((FRAMES * dataflow.input.words, dataflow.input.bytes), np.uint8)
    traces = model.run({SOURCE: words}, tap_frames=1)
    assert len(traces["pool0"].words) == dataflow.streams["pool0", 0].words
    assert len(traces[rtl.SINK].words) == FRAMES * dataflow.streams[dataflow.output_port].words


def test_words_are_compared_as_they_come(cnn: tuple[Dataflow, rtl.RtlModel]) -> None:
    dataflow, model = cnn
    x = random_values(np.random.default_rng(4), dataflow.input.element, (FRAMES, dataflow.input.elements))
    golden, names = Vectors(dataflow, x).words, rtl.observed_ports(dataflow)

    def compare(port: Port, change: int) -> None:
        expected = dict(golden)
        expected[port] = golden[port].copy()
        expected[port][-1, 0] ^= change
        passed = model.compare({SOURCE: golden[SOURCE, 0]}, {names[p]: words for p, words in expected.items()})
        assert all(len(passed[name].trace.words) == (p == port and change > 0) for p, name in names.items())
        require_passed(dataflow, expected, {p: passed[name] for p, name in names.items()}, "RTL")

    compare(("pool0", 0), 0)
    for port in (("pool0", 0), dataflow.output_port):
        where = f"frame {FRAMES - 1}, word {dataflow.streams[port].words - 1}, lane 0: "
        with pytest.raises(MismatchError, match=f"^RTL: {port[0]} differs first in {where}"):
            compare(port, 1)


def test_words_that_make_no_frame_are_refused(cnn: tuple[Dataflow, rtl.RtlModel]) -> None:
    with pytest.raises(InputError, match=r"s_axis: \(5, 1\) words do not make frames of \(72, 1\)"):
        cnn[1].run({SOURCE: np.zeros((5, 1), np.uint8)})
    with pytest.raises(InputError, match=r"other: the model has no such source; choose from \['s_axis'\]"):
        cnn[1].run({"other": np.zeros((72, 1), np.uint8)})


@pytest.mark.parametrize(
    ("edit", "stalls", "sentence"),
    [
        (("headrace_fifo.sv", "level_q != EMPTY;", "1'b0;"), Stalls.NONE,
         r"RTL: no stream moves any more; waiting: s_axis \(valid without ready, 4 of 18 words\), "
         r"m_axis \(ready without valid, 0 of 18 words\)"),
        (("headrace_fifo.sv", ".read(pop)", ".read(1'b1)"), Stalls.SINK,
         "RTL: fifo0: TDATA changed before TREADY came"),
        (("headrace_fifo.sv", "if (m_axis_TREADY || !valid_q) valid_q <=", "valid_q <="), Stalls.RANDOM,
         "RTL: fifo0: TVALID fell before TREADY came"),
    ],
)
def test_misbehaviour_is_named(tmp_path: Path, edit: tuple[str, str, str], stalls: Stalls, sentence: str) -> None:
    dataflow = chain([Fifo("fifo0", 4, 3, uint_type(2), 6)])
    words = pack_stream(np.arange(54) % 4, 3, uint_type(2))
    with pytest.raises(MismatchError, match=sentence):
        compiled(dataflow, tmp_path, edit).run({SOURCE: words}, stalls)


def test_endless_memories_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "rtl").mkdir()
    (tmp_path / "rtl" / "conv0_weights.mem").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"conv0_weights\.mem: is not a file; build again"):
        rtl.compile_network(tmp_path / "rtl", small_cnn(), tmp_path)
    with pytest.raises(MismatchError, match=r"RTL: conv0: conv0_weights\.mem holds 0 words but the network has \d+"):
        require_rtl_memories(tmp_path / "rtl", small_cnn())


def test_a_memory_of_text_is_the_memorys_fault(tmp_path: Path) -> None:
    layer = small_cnn().layers[2]
    (tmp_path / "conv0_weights.mem").write_text(layer.memories()[0].mem_text().replace("\n", " zz\n", 1) * 100)
    with pytest.raises(MismatchError, match=r"RTL: conv0: conv0_weights.mem holds \d+ characters and more but"):
        require_rtl_memories(tmp_path, small_cnn())


def test_a_missing_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda tool: None)
    with pytest.raises(ToolError, match=r"^g\+\+ is missing; compiling a Verilated model needs g\+\+, make, perl$"):
        rtl.require_tools()
