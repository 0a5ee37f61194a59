"""Force the compute cores that the user names; all other layers keep the choice by cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.layers.weighted import WeightedLayer

#: Cores by layer name; ALL stands for every layer that is not named.
Cores = Mapping[str, str]
ALL = "*"


def parse_cores(texts: Sequence[str]) -> dict[str, str]:
    """What the user writes, `NAME` for all layers or `LAYER=NAME` for one. Raises InputError if one comes twice."""
    cores: dict[str, str] = {}
    for text in texts:
        layer, _, core = text.rpartition("=")
        if (layer or ALL) in cores:
            raise InputError(f"core {text}: {layer or 'the core of all layers'} was given before; leave one out")
        cores[layer or ALL] = core
    return cores


def choose_cores(dataflow: Dataflow, cores: Cores) -> Dataflow:
    """The same layers with the cores of `cores`.

    Raises InputError for an unknown layer or core, and where a core does not serve its layer.
    """
    weighted = WeightedLayer.among(dataflow.layers)
    names = [layer.name for layer in weighted]
    if unknown := [name for name in cores if name not in (ALL, *names)]:
        raise InputError(f"core: there is no layer {unknown[0]} with weights; choose one of {names}")
    return dataflow.with_layers(replace(layer, core=cores.get(layer.name, cores.get(ALL, layer.core)))
                                for layer in weighted)
