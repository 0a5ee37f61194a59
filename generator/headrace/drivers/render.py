"""A network -> the driver/ folder of a build: a Python package, the same in C++, and the data that both need."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from headrace.archive import npz_bytes
from headrace.board import dma
from headrace.board.board import Board
from headrace.board.family import RoutedFamily, family_of, find_family
from headrace.board.host_words import HostWords, exact_words, pad_words
from headrace.board.shell_registers import FIFO_MARKS, MAGIC, REGISTERS, WINDOW_BYTES, bit_masks
from headrace.dataflow.graph import SOURCE, Dataflow
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import BIPOLAR, IntArray
from headrace.drivers.cpp import cpp_ends
from headrace.drivers.quantizer import quantizer_arrays
from headrace.drivers.writable import memory_images, writable_arrays, writable_json
from headrace.layers.stream import Stream
from headrace.network.integer import HostInput, HostOutput, IntegerNetwork
from headrace.paths import data_folder
from headrace.render.external import external_images, external_json
from headrace.render.rtl import fifo_streams
from headrace.render.templates import load_template
from headrace.version import file_header

PACKAGE = "headrace_driver"
#: Memory for the C++ driver: a batch in each direction, and as much for weights.
_BUFFER_BYTES = 1 << 24
_Arrays = dict[str, np.ndarray[Any, Any]]


def render_driver(net: IntegerNetwork, vectors: Vectors, board: Board, sha256: str,
                  host: HostWords | None = None) -> dict[str, bytes]:
    """All files of driver/ by their path in it.

    vectors: that the build was verified with; board: whose addresses are taken; sha256: of the model; host: widths of
    the words on the DMA's side, without padding if it is None. The same arguments give the same bytes. Raises
    InputError for a board of no known family.
    """
    header = f"{file_header(sha256)}, board {board.name}"
    dataflow, (pages, base, about) = vectors.dataflow, _board(board)
    host = host or exact_words(dataflow)
    model = _model(net, dataflow, base, sha256, host)
    inputs, outputs = _arrays(net)
    words = {key: pad_words(vectors.words[port], size).reshape(len(vectors), -1)
             for key, port, size in (("input", (SOURCE, 0), host.input), ("output", dataflow.output_port, host.output))}
    files = _static_files()
    files |= {f"cpp/{name}": words[key].tobytes() for key, name in (("input", "input.bin"), ("output", "golden.bin"))}
    files[f"{PACKAGE}/model.json"] = (json.dumps(model, indent=2) + "\n").encode()
    files[f"{PACKAGE}/model.npz"] = npz_bytes(_numbered(inputs, outputs) if several(net) else inputs[0] | outputs[0])
    files[f"{PACKAGE}/weights.npz"] = npz_bytes(writable_arrays(dataflow))
    files[f"{PACKAGE}/vectors.npz"] = npz_bytes(words)
    files[f"{PACKAGE}/external.npz"] = npz_bytes(external_images(dataflow))
    files |= {f"cpp/{port}.bin": image.tobytes() for port, image in external_images(dataflow).items()}
    files |= {f"cpp/{name}.bin": data for name, data in memory_images(dataflow).items()}
    values = {"header": header, "model": model, "registers": REGISTERS, "dma": dma.NAMES, "window": WINDOW_BYTES,
              "hash": [model["sha256"][8 * k : 8 * k + 8] for k in range(8)]} | about | cpp_ends(model, inputs, outputs)
    files["cpp/model.hpp"] = _template("cpp/model.hpp.j2").render(values).encode()
    for name, page in pages.items():
        files[name] = _template(page).render(values).encode()
    return files


def _board(board: Board) -> tuple[dict[str, str], int, dict[str, Any]]:
    """Of a board: the templates of its pages by name, the first address of the registers, and what the pages tell.

    Registers behind a serial port begin at 0.
    """
    pages = {"registers.md": "registers.md.j2"}
    if isinstance(find_family(board), RoutedFamily):
        return pages | {"README.md": "serial.md.j2"}, 0, {"family": None}
    family = family_of(board)
    about = {"family": family, "buffer_bytes": _BUFFER_BYTES}
    pages |= {name: f"{name}.j2" for name in ("README.md", "cpp/accelerator.dts")}
    return pages, family.control_base, about


def write_driver(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what `render_driver` gave."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _model(net: IntegerNetwork, dataflow: Dataflow, base: int, sha256: str, host: HostWords) -> dict[str, Any]:
    """model.json; base: where the windows of registers begin."""
    source = _stream(dataflow.input, host.input)
    sink = _stream(dataflow.streams[dataflow.output_port], host.output)
    return {
        "sha256": sha256.rjust(64, "0")[:64],
        "magic": MAGIC,
        "registers": {register.name: register.offset for register in REGISTERS},
        "bits": bit_masks(),
        "fifo_marks": FIFO_MARKS,
        "writable": writable_json(dataflow),
        "weights": external_json(dataflow, base),
        "fifos": [name for name, *_ in fifo_streams(dataflow)],
        "accelerator_address": base,
        "dma_address": base + WINDOW_BYTES,
        "dma_registers": {name.lower(): value for name, value in dma.NAMES.items()},
        "max_transfer_bytes": (1 << dma.LENGTH_BITS) - 1,
        "input": source | (_several([_input(host, source) for host in net.host_inputs]) if several(net)
                           else _input(net.host_inputs[0], source)),
        "output": sink | (_several([_output(host) for host in net.host_outputs]) if several(net)
                          else _output(net.host_outputs[0])),
    }


def several(net: IntegerNetwork) -> bool:
    """True where there is more than one input or output."""
    return len(net.host_inputs) > 1 or len(net.host_outputs) > 1


def _several(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Parts of a stream and where in a frame they begin."""
    firsts = accumulate((part["elements"] for part in parts), initial=0)
    return {"parts": [{"first": first} | part for first, part in zip(firsts, parts, strict=False)]}


def _input(host: HostInput, stream: Mapping[str, Any]) -> dict[str, Any]:
    """What model.json says of an input; its codes are as wide as those of the stream."""
    dtype = host.tensor.dtype
    return {"name": host.name, "shape": host.shape, "tensor": host.tensor.shape, "saturates": host.saturates,
            "rounding": host.rounding, "elements": prod(host.shape), "bits": stream["bits"], "low": dtype.lo,
            "high": dtype.hi, "bipolar": dtype == BIPOLAR}


def _output(host: HostOutput) -> dict[str, Any]:
    """What model.json says of an output."""
    return {"name": host.name, "shape": host.shape, "head": host.head, "k": host.k, "result": host.result,
            "elements": host.elements}


def _stream(stream: Stream, size: int) -> dict[str, Any]:
    dtype = stream.element
    return {"elements": stream.elements, "lanes": stream.lanes, "bits": dtype.bits, "low": dtype.lo, "high": dtype.hi,
            "bipolar": dtype == BIPOLAR, "signed": dtype != BIPOLAR and dtype.lo < 0,
            "word_bytes": size, "frame_bytes": stream.words * size}


def _arrays(net: IntegerNetwork) -> tuple[list[_Arrays], list[_Arrays]]:
    """The numbers of every input and of every output."""
    inputs = [quantizer_arrays(host) | _order("input_order", host.order) for host in net.host_inputs]
    outputs = [{"scale": np.asarray(host.scale, np.float64), "offset": np.asarray(host.offset, np.float64)}
               | _order("output_order", host.order) | _order("output_before", host.before)
               for host in net.host_outputs]
    return inputs, outputs


def _numbered(inputs: list[_Arrays], outputs: list[_Arrays]) -> _Arrays:
    """All of them by the places of their ends."""
    return {f"{side}{k}_{name}": values for side, parts in (("in", inputs), ("out", outputs))
            for k, arrays in enumerate(parts) for name, values in arrays.items()}


def _order(name: str, order: IntArray | None) -> _Arrays:
    return {} if order is None else {name: order}


def _static_files() -> dict[str, bytes]:
    folder = data_folder("boards") / "driver"
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".hpp", ".cpp"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def _template(name: str) -> jinja2.Template:
    return load_template(data_folder("boards") / "driver", name)
