"""C simulation against the golden models, word for word."""

import importlib.util
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, int_type, parse, uint_type
from headrace.errors import InputError, MismatchError, ToolError
from headrace.layers import LAYERS as KINDS
from headrace.layers import Dwc, Fifo, MaxPool, Swu
from headrace.layers.base import Layer
from headrace.layers.random_values import random_values
from headrace.layers.spec import example_layer, layer_from_spec
from headrace.packing import Bytes, pack_stream
from headrace.render.hls import render_hls
from headrace.simulation import csim, gxx, process_network
from headrace.simulation.compare import first_difference, require_passed
from headrace.simulation.csim import LayersCSim, NetworkCSim, compile_layers, compile_network
from tests.small_dataflows import small_cnn

FRAMES = 3


def mvtu(mh: int, mw: int, pe: int, simd: int, weight: str, element: str, output: str) -> Layer:
    spec = {"kind": "mvtu", "mh": mh, "mw": mw, "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": output, "vectors": 2, "seed": mw}
    return layer_from_spec(spec).layer


def random_swu(rng: np.random.Generator) -> Swu:
    """Any geometry, windows that lie wholly in the padding and skipped rows and columns included."""
    while True:
        height, width, channels, kernel_h, kernel_w = (int(n) for n in rng.integers(1, (9, 9, 4, 4, 4)))
        stride, dilation = ((int(a), int(b)) for a, b in rng.integers(1, 4, (2, 2)))
        top, left, bottom, right = (int(n) for n in rng.choice([0, 0, 1, 2, 3], 4))
        try:
            return Swu("swu", height, width, channels, (kernel_h, kernel_w), uint_type(3), stride, dilation,
                       (top, left, bottom, right), 5, channels if rng.integers(2) else 1,
                       "overlapping" if rng.integers(4) else "minimal")
        except InputError:
            continue  # the kernel does not fit


LAYERS: list[Layer] = [
    mvtu(8, 18, 2, 9, "bipolar", "bipolar", "bipolar"),
    mvtu(6, 70, 3, 70, "bipolar", "bipolar", "acc"),
    mvtu(5, 10, 5, 10, "bipolar", "bipolar", "uint2"),
    mvtu(3, 12, 1, 1, "bipolar", "bipolar", "int5"),
    mvtu(4, 6, 4, 3, "ternary", "uint2", "int4"),
    mvtu(4, 6, 1, 2, "int4", "bipolar", "uint4"),
    mvtu(4, 12, 2, 4, "bipolar", "int8", "uint5"),
    mvtu(3, 130, 3, 65, "int8", "uint8", "uint8"),
    mvtu(6, 30, 6, 15, "int5", "int3", "int6"),
    mvtu(4, 66, 2, 66, "ternary", "[-7,7]", "acc"),
    mvtu(2, 9, 1, 3, "int2", "uint16", "ternary"),
    mvtu(1, 1, 1, 1, "int3", "int4", "[2,9]"),
    Swu("swu", 5, 6, 4, (3, 3), int_type(4), pad=(1, 1, 1, 1), simd=2),
    Swu("swu", 6, 6, 2, (1, 1), BIPOLAR, (2, 2), pad=(2, 2, 2, 2), pad_value=-1, simd=2),
    Swu("swu", 4, 9, 22, (2, 3), int_type(4), (1, 2), pad=(0, 1, 0, 0), pad_value=-3, simd=22),
    Swu("swu", 1, 9, 2, (1, 3), int_type(4), buffer="minimal"),
    *(random_swu(rng) for rng in [np.random.default_rng(7)] for _ in range(24)),
    MaxPool("pool", 6, 7, 4, (2, 2), (2, 2), int_type(4), pe=2),
    MaxPool("pool", 7, 7, 4, (3, 3), (2, 2), uint_type(3), frozenset(range(4)), pe=4),
    MaxPool("pool", 7, 5, 6, (3, 2), (1, 1), BIPOLAR, frozenset([1, 4]), pe=3),
    MaxPool("pool", 8, 9, 20, (2, 3), (3, 5), int_type(7), frozenset([1, 14]), pe=20),
    MaxPool("pool", 1, 8, 1, (1, 4), (1, 3), parse("[-3,2]")),
    Dwc("dwc", 3, 2, int_type(3), 4),
    Dwc("dwc", 5, 3, BIPOLAR, 6),
    Dwc("dwc", 2, 7, uint_type(8), 14),
    Dwc("dwc", 1, 40, uint_type(4), 80),
    Dwc("dwc", 40, 1, uint_type(4), 3),
    Dwc("dwc", 4, 4, uint_type(4), 3),
    Fifo("fifo", 4, 3, int_type(5), 7),
]


def names(layer: Layer) -> str:
    return f"{layer.kind}-" + "-".join(str(value) for _, value in layer.parameters())


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> LayersCSim:
    return compile_layers(LAYERS, tmp_path_factory.mktemp("layers"))


@pytest.mark.parametrize("index", range(len(LAYERS)), ids=[names(layer) for layer in LAYERS])
def test_layer_equals_golden(compiled: LayersCSim, index: int) -> None:
    require_golden(compiled, index)


def test_memories_of_exactly_their_bits_hold_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an HLS compiler sees them: every kind that has one, and matrices with words of any width."""
    monkeypatch.setattr(gxx, "_FLAGS", (*gxx._FLAGS, "-DHEADRACE_EXACT_MEMORIES"))
    layers = [layer for layer in (*LAYERS, *map(example_layer, KINDS)) if layer.memories()]
    compiled = compile_layers(layers, tmp_path)
    assert any("memory_word<9>" in path.read_text() for path in tmp_path.glob("unit*/weights.hpp"))
    for index in range(len(layers)):
        require_golden(compiled, index)


def require_golden(compiled: LayersCSim, index: int) -> None:
    layer, rng = compiled.layers[index], np.random.default_rng(index)
    x = [random_values(rng, stream.element, (FRAMES, stream.elements)) for stream in layer.inputs]
    words = tuple(pack_stream(values, stream.lanes, stream.element)
                  for values, stream in zip(x, layer.inputs, strict=True))
    golden = layer.golden(*x)
    actual = compiled.run(index, words, FRAMES)
    assert len(actual) == len(layer.outputs)
    for stream, written in zip(layer.outputs, actual, strict=True):
        assert np.array_equal(written, pack_stream(golden, stream.lanes, stream.element))


def test_too_few_words_are_an_error(compiled: LayersCSim) -> None:
    index = next(i for i, layer in enumerate(LAYERS) if layer.kind == "fifo")
    words = np.zeros((FRAMES * 7 - 1, 2), np.uint8)
    with pytest.raises(ToolError, match="the input ends inside a frame"):
        compiled.run(index, (words,), FRAMES)


def written_network(folder: Path, replacements: dict[str, tuple[str, str]] | None = None) -> NetworkCSim:
    """The small network in `folder`, with one text replaced in some of its files."""
    for path, text in render_hls(small_cnn(), 5.0, "part", "header").items():
        old, new = (replacements or {}).get(path, ("", ""))
        assert old in text
        (folder / "hls" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "hls" / path).write_text(text.replace(old, new, 1) if old else text)
    return compile_network(folder / "hls", small_cnn(), folder)


def input_words() -> tuple[Bytes, dict[tuple[str, int], Bytes]]:
    """Random input and the golden words of every stream."""
    dataflow = small_cnn()
    stream = dataflow.input
    x = random_values(np.random.default_rng(3), stream.element, (FRAMES, stream.elements))
    golden = {port: pack_stream(values, dataflow.streams[port].lanes, dataflow.streams[port].element)
              for port, values in dataflow.golden(x).items()}
    return pack_stream(x, stream.lanes, stream.element), golden


def test_network_equals_golden_at_every_boundary(tmp_path: Path) -> None:
    words, golden = input_words()
    network = written_network(tmp_path)
    run = network.run(words, FRAMES)
    network.require_scheduled(run)
    traced = run.words
    assert list(traced) == list(small_cnn().streams)
    for port, expected in golden.items():
        assert np.array_equal(traced[port], expected), port


def test_pieces_are_compiled_apart_with_the_weights_that_they_use(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_network, "_FUNCTIONS_PER_UNIT", 3)
    words, golden = input_words()
    network = written_network(tmp_path)
    run = network.run(words, FRAMES)
    network.require_scheduled(run)
    assert all(np.array_equal(run.words[port], expected) for port, expected in golden.items())
    pieces = {path.name: path.read_text() for path in tmp_path.glob("*.cpp")}
    assert len(pieces) > 2 and "static const" not in pieces["network.cpp"]
    weights = (tmp_path / "hls" / "weights.hpp").read_text().count("static const")
    assert sum(text.count("static const") for text in pieces.values()) == weights > 1
    name = next(name for name, text in pieces.items() if "conv0_weights[" in text)
    edit = {"top.cpp": ("memories::conv0_weights", "memories::conv0_weight")}
    with pytest.raises(ToolError, match=rf"g\+\+ does not compile {name}: top\.cpp:\d+:\d+: error: .conv0_weight. is"):
        written_network(tmp_path / "edited", edit)


def test_an_edited_weight_shows_first_behind_its_layer(tmp_path: Path) -> None:
    words, golden = input_words()
    memory = small_cnn().layers[2].memories()[0]
    weight = memory.chunks(memory.words)[0, 0, 0]
    head = "conv0_weights[2][12][1] = {\n  {\n    {"
    edit = {"weights.hpp": (f"{head}{weight:#x}}}", f"{head}{weight ^ np.uint64(1):#x}}}")}
    network = written_network(tmp_path, edit)
    traced, compared = network.run(words, FRAMES), network.run(words, FRAMES, expected=golden)
    differing = [port for port in golden if not np.array_equal(traced.words[port], golden[port])]
    assert differing == [port for port, passed in compared.passed.items() if passed.wrong is not None]
    assert differing[0] == ("conv0", 0)
    said = first_difference(differing[0], small_cnn().streams[differing[0]], golden[differing[0]],
                            traced.words[differing[0]])
    with pytest.raises(MismatchError, match=f"HLS: {said}"):
        require_passed(small_cnn(), golden, compared.passed, "HLS")


def test_words_are_compared_as_they_come(tmp_path: Path) -> None:
    """Nothing is kept of what is right; one that is expected elsewhere or not at all is told."""
    words, golden = input_words()
    network, port = written_network(tmp_path), small_cnn().output_port
    right = network.run(words, FRAMES, expected=golden).passed
    assert all((passed.count, passed.wrong, len(passed.trace.words)) == (len(golden[port]), None, 0)
               for port, passed in right.items())
    later, fewer = golden[port].copy(), golden[port][:-1]
    later[-2] ^= 1
    for wrong, number in ((later, len(later) - 2), (fewer, len(fewer))):
        found = network.run(words, FRAMES, expected={**golden, port: wrong}).passed[port]
        assert (found.count, found.wrong) == (len(golden[port]), number)
        assert np.array_equal(found.trace.words, golden[port][number : number + 1])
    wide = np.zeros((len(golden[port]), 9), np.uint8)
    with pytest.raises(MismatchError, match=r"words of \w+ have \d bytes instead of 9"):
        network.run(words, FRAMES, expected={**golden, port: wide})


@pytest.mark.parametrize(("old", "new", "message"), [
    ("WORDS     = 648;", "WORDS     = 651;", r"stops for good: dwc0 waits for a word of swu0_words \(holds 0 of 2\)"),
    ("IN_WORDS  = 72;", "IN_WORDS  = 71;", "stops for good: swu0_rows waits for a word of s_axis_words"),
])
def test_another_number_of_words_is_reported(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(MismatchError, match=message):
        written_network(tmp_path, {"config.hpp": (old, new)}).run(input_words()[0], FRAMES)


def test_a_stream_made_shallower_by_hand_stops_the_network(tmp_path: Path) -> None:
    top = render_hls(small_cnn(), 5.0, "part", "header")["top.cpp"]
    found = re.search(r"variable=swu0_row0_words depth=(\d+)", top)
    assert found
    edit = {"top.cpp": (found[0], "variable=swu0_row0_words depth=5")}
    with pytest.raises(MismatchError, match=r"stops for good: .*swu0_rows waits for room in swu0_row0_words "
                                            r"\(holds 5 of 5\)"):
        written_network(tmp_path, edit).run(input_words()[0], FRAMES)


def test_an_iteration_that_moves_other_words_is_reported(tmp_path: Path) -> None:
    """The kernel still computes the same, in an iteration more."""
    edit = {"include/mvtu.hpp": ("const bool vector_ends = sf == SF - 1;",
                                 "const bool vector_ends = sf == SF - 1; (void)frames();")}
    network = written_network(tmp_path, edit)
    run = network.run(input_words()[0], FRAMES)
    with pytest.raises(MismatchError, match="conv0: iteration 1 of its loop reads other streams than planned"):
        network.require_scheduled(run)


def test_sources_that_do_not_compile_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"g\+\+ does not compile network.cpp: .*IN_BITS"):
        written_network(tmp_path, {"config.hpp": ("IN_BITS", "BITS")})


def test_missing_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match=r"needs g\+\+, which is not on PATH"):
        csim.require_tools()


def test_missing_headers_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match=r"ap_int headers, which are not installed; pip install 'headrace\[hls\]', or "
                                        "only the headers: pip install --no-deps hls4ml"):
        csim.ap_int_folder()


def test_headers_of_an_installed_vitis_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program, header = tmp_path / "bin" / "vitis_hls", tmp_path / "include" / "ap_int.h"
    for file in (program, header):
        file.parent.mkdir()
        file.touch()
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert csim.ap_int_folder() == header.parent.resolve()
