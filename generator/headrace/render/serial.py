"""Dataflow -> the accelerator behind a serial port: its shell, and the top that joins it to the line."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.board.host_words import HostWords, exact_words
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.layers.stream import Stream
from headrace.render.rtl import template, words_text
from headrace.render.shell import SHELL, render_shell, shell_modules

#: The module of the top: clk, rst, rx, tx.
SERIAL_TOP = "headrace_serial_top"
#: Bits per second of the line.
BAUD = 3_000_000
#: The most of them for a clock: a bit takes so many cycles.
MIN_CYCLES_PER_BIT = 5
#: Bytes of packets that wait on the board.
BUFFER = 2048


@dataclass(frozen=True)
class _Side:
    """An end of the network as the template wants it; word: its shape as a literal of 40 bits."""

    text: str
    word: str


def render_serial(dataflow: Dataflow, core: str, clock_hz: int, version: str, sha256: str, header: str,
                  baud: int = BAUD, observe: bool = False, words: HostWords | None = None) -> dict[str, str]:
    """All files around the module `core` by name: the top SERIAL_TOP, the shell, and the modules that they use.

    clock_hz: of the clock that the top gets; baud: bits per second of the line; the others are those of `render_shell`.
    Raises InputError for a line that is too fast for the clock, and for weights from outside.
    """
    if baud < 1 or baud * MIN_CYCLES_PER_BIT > clock_hz:
        raise InputError(f"a serial line of {baud} baud does not fit a clock of {clock_hz} Hz: a bit takes "
                         f"{MIN_CYCLES_PER_BIT} cycles or more; choose 1 to {clock_hz // MIN_CYCLES_PER_BIT} baud")
    if external := external_layers(dataflow):
        names = ", ".join(layer.name for layer in external.values())
        raise InputError(f"{names}: weights from outside cannot come through a serial port; build without --weights "
                         "external and --external")
    words = words or exact_words(dataflow)
    # So that another training of the network fits a finished bitstream.
    shell = render_shell(dataflow, core, 1, version, sha256, header, observe, words, hash_block=True)
    top = template("serial_top.v.j2").render(
        header=" ".join(header.split()), top=SERIAL_TOP, shell=SHELL, clock_hz=clock_hz, baud=baud, buffer=BUFFER,
        input=_side(dataflow.input, words.input),
        output=_side(dataflow.streams[dataflow.output_port], words.output),
    )
    return shell_modules(f"{shell}\n{top}") | {f"{SHELL}.v": shell, f"{SERIAL_TOP}.v": top}


def _side(stream: Stream, size: int) -> _Side:
    return _Side(words_text(stream), f"{{16'd{size}, 8'd{stream.element.bits}, 16'd{stream.lanes}}}")
