"""Dataflow -> the shell around an accelerator: its top, and the static modules that it is made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace.area.shell import between
from headrace.board.host_words import HostWords, exact_words
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow
from headrace.layers.mvtu import Mvtu
from headrace.layers.stream import Stream
from headrace.render.library import library_texts, used_sources
from headrace.render.rtl import ADAPTER, bit_range, fifo_streams, template, words_text, writable_layers

#: The module of the shell.
SHELL = "headrace_shell"
#: FIFOs that the registers have room for; networks with more show none.
MAX_FIFOS = 256


@dataclass(frozen=True)
class _Weights:
    """A stream of weights as the template wants it; words and bytes are those of one matrix."""

    name: str
    text: str
    words: int
    bytes: int
    matrix_bytes: int
    range: str


@dataclass(frozen=True)
class _Side:
    """An end of the network as the template wants it; host_bytes: of a word on the DMA's side, with its padding.

    gear: the module that turns words of the DMA into these or back, "" where they are the same.
    """

    text: str
    words: int
    bytes: int
    host_bytes: int
    frame_bytes: int
    range: str
    host_range: str
    keep_range: str
    gear: str


def gear(in_bytes: int, out_bytes: int) -> str:
    """The module that makes words of `out_bytes` bytes of words of `in_bytes`.

    >>> [gear(16, 4), gear(4, 16), gear(16, 16), gear(16, 3)]
    ['headrace_shell_narrow', 'headrace_shell_widen', 'headrace_shell_widen', 'headrace_shell_gearbox']
    """
    return f"headrace_shell_{between(in_bytes, out_bytes).kind}"


def render_shell(dataflow: Dataflow, core: str, dma_bytes: int, version: str, sha256: str, header: str,
                 observe: bool = False, words: HostWords | None = None, hash_block: bool = False) -> str:
    """The module SHELL around the module `core`.

    dma_bytes: width of the DMA's streams; version: of headrace; sha256: hash of the model in hexadecimal digits;
    observe: the shell counts stalls, and has registers for the high-water marks of FIFOs, which the core shows; words:
    their widths on the DMA's side, without padding if it is None; hash_block: the hash is the contents of a block RAM.
    """
    source, sink = dataflow.input, dataflow.streams[dataflow.output_port]
    words = words or exact_words(dataflow)
    marks = len(fifo_streams(dataflow))
    fifos = marks if observe and marks <= MAX_FIFOS else 0
    count_bits = max(1, (source.words - 1).bit_length())
    return template("shell.v.j2").render(
        header=" ".join(header.split()), shell=SHELL, core=core,
        input=_side(source, words.input, gear(dma_bytes, words.input)),
        output=_side(sink, words.output, "" if words.output == dma_bytes else gear(words.output, dma_bytes)),
        weights=[_weights(port, layer) for port, layer in external_layers(dataflow).items()],
        dma_bytes=dma_bytes, dma_range=bit_range(8 * dma_bytes), keep_range=bit_range(dma_bytes),
        count_bits=count_bits, count_range=bit_range(count_bits), fifos=fifos,
        observe=int(observe), has_load=core != ADAPTER and bool(writable_layers(dataflow)),
        version=version_word(version), hash=sha256.rjust(64, "0")[:64], hash_block=hash_block,
    )


def version_word(version: str) -> str:
    """The register `version` as eight hexadecimal digits.

    >>> version_word("0.12.3")
    '00000c03'
    """
    parts = [int(digits) for digits in re.findall(r"(?:^|\.)(\d+)", version)]
    return "00" + "".join(f"{part & 0xFF:02x}" for part in (*parts, 0, 0, 0)[:3])


def shell_modules(shell: str) -> dict[str, str]:
    """The modules of the library, by file name, that are used in the text of a shell."""
    return used_sources(shell, library_texts())


def _weights(port: str, layer: Mvtu) -> _Weights:
    words, size = layer.weight_image().shape
    return _Weights(port, f"weights of {layer.name}", words, size, words * size, bit_range(8 * size))


def _side(stream: Stream, size: int, module: str) -> _Side:
    return _Side(words_text(stream), stream.words, stream.bytes, size, stream.words * size,
                 bit_range(8 * stream.bytes), bit_range(8 * size), bit_range(size), module)
