"""Force the compute cores that the user names; all other layers keep the choice by cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.cores import core_named
from headrace.layers.cores.choice import AUTO, unknown_core
from headrace.layers.weighted import WeightedLayer
from headrace.suggest import did_you_mean

#: Cores by layer name; ALL stands for every layer that is not named.
Cores = Mapping[str, str]
ALL = "*"


def parse_cores(texts: Sequence[str]) -> dict[str, str]:
    """What the user writes, `NAME` for all layers or `LAYER=NAME` for one. Raises InputError if one comes twice."""
    cores: dict[str, str] = {}
    for text in texts:
        layer, equals, core = text.rpartition("=")
        if equals and not layer:
            raise InputError(f"core {text}: no layer is in front of the =; write LAYER=NAME, or NAME for all layers")
        if (layer or ALL) in cores:
            raise InputError(f"core {text}: {layer or 'the core of all layers'} was given before; leave one out")
        cores[layer or ALL] = core
    return cores


def require_cores(cores: Cores) -> None:
    """Raise InputError for the first core that is unknown."""
    if not isinstance(cores, Mapping):
        raise InputError(f"cores={cores!r} must map names of layers, or {ALL!r} for all, to cores; correct it")
    for layer, core in cores.items():
        if core != AUTO and core_named(core) is None:
            raise InputError(f"{'' if layer == ALL else f'{layer}: '}{unknown_core(core)}")


def require_weighted(dataflow: Dataflow, cores: Cores) -> None:
    """Raise InputError for the first layer of `cores` that is not there or has no weights."""
    names = [layer.name for layer in WeightedLayer.among(dataflow.layers)]
    if unknown := [name for name in cores if name not in (ALL, *names)]:
        raise InputError(f"core: there is no layer {unknown[0]} with weights; {did_you_mean(unknown[0], names)}"
                         f"choose one of {names}")


def choose_cores(dataflow: Dataflow, cores: Cores) -> Dataflow:
    """The same layers with the cores of `cores`.

    Raises InputError for an unknown layer or core, and where a core does not serve its layer.
    """
    require_weighted(dataflow, cores)
    return dataflow.with_layers(with_core(layer, cores) for layer in WeightedLayer.among(dataflow.layers))


def named_cores(layers: Mapping[str, Layer]) -> dict[str, str]:
    """The cores of those of some layers that name theirs, by the names that they go by."""
    return {name: layer.core for name, found in layers.items() for layer in WeightedLayer.among([found])
            if layer.core != AUTO}


def with_core(layer: WeightedLayer, cores: Cores) -> WeightedLayer:
    """The layer with the core that `cores` names for it. Raises InputError where that does not serve it."""
    core = cores.get(layer.name, cores.get(ALL))
    return layer if core is None else replace(layer, core=core)
