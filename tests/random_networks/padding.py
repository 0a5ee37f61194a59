"""Channels that are padded at random: no integer of the network changes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import InputError
from headrace.model import Model
from headrace.padding.groups import groups_of
from headrace.padding.pad import padded

#: What padding says of channels that it leaves alone, and may be drawn.
LEFT_ALONE = (
    r"cannot have padded channels in front: its weights are never zero, and the channels",
    r"cannot have padded channels in front: the weights in front are never zero, so",
    r"cannot have padded channels in front: .* entries|cannot have padded channels in front: a table from",
    r"is the output, which weights that are never zero in front would change",
)


def padded_at_random(model: Model, seed: int) -> Model:
    """The model with one to three channels more in about half of the places that take them."""
    rng = np.random.default_rng(seed)
    net = model.integer
    chosen: dict[str, int] = {}
    for group in groups_of(net):
        more = chosen | dict.fromkeys(group.convs, group.channels + int(rng.integers(1, 4)))
        if group.stays or rng.integers(2):
            continue
        try:
            padded(net, more)
        except InputError as error:
            if not any(re.search(reason, str(error)) for reason in LEFT_ALONE):
                raise
        else:
            chosen = more
    return replace(model, integer=padded(net, chosen))


def require_padded(model: Model, frames: IntArray, seed: int) -> None:
    """Engine fast and the dataflow of a padded network give what engine fast gives of the network."""
    form = padded_at_random(model, seed)
    wanted, dataflow = model.engines["fast"](frames), form.unfolded
    np.testing.assert_array_equal(form.engines["fast"](frames), wanted)
    np.testing.assert_array_equal(dataflow.golden(frames)[dataflow.output_port], wanted)
