"""Weights that come as streams: which layers take them, what their ports are called, which words they carry."""

from __future__ import annotations

import numpy as np

from headrace.dataflow.graph import Dataflow
from headrace.layers.base import Layer
from headrace.layers.mvtu import Mvtu
from headrace.packing import Bytes


def external_layers(dataflow: Dataflow) -> dict[str, Mvtu]:
    """The layers whose weights come as streams, by the name of the accelerator's port: w0_axis, w1_axis, ..."""
    layers = [layer for layer in Mvtu.among(dataflow.layers) if layer.external]
    return {f"w{k}_axis": layer for k, layer in enumerate(layers)}


def replayed_weights(layer: Layer, frames: int) -> Bytes:
    """Words (n, bytes) of a layer's stream of weights while `frames` frames pass; none where it has none."""
    images = [np.tile(taker.weight_image(), (frames * taker.vectors, 1))
              for taker in Mvtu.among([layer]) if taker.external]
    return images[0] if images else np.zeros((0, 1), np.uint8)
