"""Padded channels as a folding names them: {"conv0": {"channels": 40, "pe": 8}}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.dataflow.fold import Folding
from headrace.fold_rule import CHANNELS
from headrace.network.integer import IntegerNetwork
from headrace.padding.groups import whole_groups
from headrace.padding.pad import padded


def split_channels(folding: Folding) -> tuple[dict[str, int], Folding]:
    """The channels that a folding names, by convolution, and the folding without them.

    >>> split_channels({"conv0": {"channels": 40, "pe": 8}, "conv1": {"channels": 40}, "conv2": {}})
    ({'conv0': 40, 'conv1': 40}, {'conv0': {'pe': 8}, 'conv2': {}})
    """
    channels = {name: folds[CHANNELS] for name, folds in folding.items() if CHANNELS in folds}
    if not channels:
        return {}, folding
    rest = {name: {key: fold for key, fold in folds.items() if key != CHANNELS} for name, folds in folding.items()
            if set(folds) != {CHANNELS}}
    return channels, rest


def with_channels(folding: Folding, channels: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """A folding that names channels too.

    >>> with_channels({"conv0": {"pe": 8}}, {"conv0": 40})
    {'conv0': {'channels': 40, 'pe': 8}}
    """
    named = {name: {CHANNELS: count, **folding.get(name, {})} for name, count in channels.items()}
    return {**{name: dict(folds) for name, folds in folding.items()}, **named}


def padded_for(net: IntegerNetwork, folding: Folding) -> tuple[IntegerNetwork, Folding]:
    """The network with the channels that a folding names, and the folding without them.

    Raises FoldingError for what is no convolution or cannot be padded, InputError for a network that does not allow it.
    """
    channels, rest = split_channels(folding)
    return padded(net, whole_groups(net, channels)) if channels else net, rest


def padding_of(net: IntegerNetwork, folding: Folding) -> dict[str, tuple[int, int]]:
    """The convolutions of a network that a folding pads, with their channels before and after."""
    channels, _ = split_channels(folding)
    return {name: (net.types[name].shape[2], count) for name, count in channels.items()
            if net.types[name].shape[2] != count}


def padding_text(padding: Mapping[str, Sequence[int]]) -> str:
    """What is padded, in words; "" where nothing is.

    >>> padding_text({"conv0": (37, 40), "conv1": (74, 80)})
    'padded channels: conv0 37 to 40, conv1 74 to 80'
    """
    parts = ", ".join(f"{name} {before} to {after}" for name, (before, after) in padding.items())
    return f"padded channels: {parts}" if parts else ""
