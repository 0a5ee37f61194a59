"""What the drivers have to know of weights that come from memory: their bytes, how often they pass, by which DMA."""

from __future__ import annotations

from typing import Any

from headrace.board.shell_registers import WINDOW_BYTES
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow
from headrace.fold_rule import divisors
from headrace.packing import Bytes

#: Bytes of a transfer up to which it holds several copies of a matrix, so that the processor starts fewer of them.
_TRANSFER_BYTES = 1 << 20


def external_json(dataflow: Dataflow, base: int) -> list[dict[str, Any]]:
    """For every port: its layer, bytes of the matrix, copies of it in a transfer, transfers a frame, the DMA.

    base: where the windows of registers begin: the shell's, the first DMA's, then those of weights.
    """
    entries = []
    for k, (port, layer) in enumerate(external_layers(dataflow).items()):
        size = layer.weight_image().size
        copies = max(count for count in divisors(layer.vectors) if count == 1 or count * size <= _TRANSFER_BYTES)
        entries.append({"port": port, "layer": layer.name, "bytes": size, "copies": copies,
                        "times": layer.vectors // copies, "dma_address": base + (2 + k) * WINDOW_BYTES})
    return entries


def external_images(dataflow: Dataflow) -> dict[str, Bytes]:
    """The bytes of the matrices by port, word after word in the order in which the layer takes them."""
    return {port: layer.weight_image().reshape(-1) for port, layer in external_layers(dataflow).items()}
