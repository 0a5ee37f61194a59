"""A padded network has the integers of the network, and what cannot be padded is refused in one sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headrace.dataflow.lower import lower
from headrace.datatypes import BIPOLAR, Interval, uint_type
from headrace.engines import fast, golden
from headrace.errors import FoldingError, InputError
from headrace.layers import Mvtu
from headrace.network.integer import HostOutput, HostOutputs, IntegerNetwork, Node, Sequence
from headrace.padding.groups import groups_of, whole_groups
from headrace.padding.pad import padded
from tests.padding.networks import bipolar_network, joined_network, residual_network, shifted_network
from tests.small_networks import host_input, random_conv, random_input, random_threshold, small_network

NETWORKS = {"residual": residual_network(), "joined": joined_network(), "bipolar": bipolar_network(),
            "positive": bipolar_network(pad_value=1), "shifted": shifted_network()}


@pytest.mark.parametrize(("name", "asked"), [
    ("residual", {"conv0": 18}), ("residual", {"conv2": 20}), ("residual", {"conv4": 36}),
    ("residual", {"conv0": 20, "conv4": 40}), ("residual", {"conv0": 34, "conv4": 68}),
    ("joined", {"conv0": 18}), ("joined", {"conv1": 36}), ("joined", {"conv0": 20, "conv1": 40}),
    ("bipolar", {"conv0": 18}), ("bipolar", {"conv1": 37}), ("bipolar", {"conv0": 20, "conv1": 40}),
    ("positive", {"conv1": 36}),
    ("shifted", {"conv0": 18}), ("shifted", {"left2": 37}), ("shifted", {"conv0": 20, "right2": 40}),
])
def test_every_integer_of_the_network_stays(name: str, asked: dict[str, int]) -> None:
    net = NETWORKS[name]
    form = padded(net, whole_groups(net, asked))
    x = random_input(net, 8)
    before, after = golden.run(net, x), golden.run(form, x)
    shapes = {conv: form.types[conv].shape[2] for conv in asked}
    assert shapes == asked
    assert np.array_equal(after[net.output], before[net.output])
    assert np.array_equal(fast.run(form, x)[net.output], before[net.output])
    layers = lower(form)
    assert np.array_equal(layers.golden(x)[layers.output_port], before[net.output].reshape(len(x), -1))
    for group in groups_of(net):
        for tensor in sorted(group.tensors):  # the channels of the network are the first ones
            shift = after[tensor][..., : group.channels] - before[tensor]
            assert np.ptp(shift) == 0 and (not shift.any() or tensor in _raw(net)), tensor


def _raw(net: IntegerNetwork) -> set[str]:
    """Sums of bipolar weights, which may be shifted before their thresholds, and what is made of some."""
    return {node.name for node in net.nodes if getattr(node.op, "weight", None) == BIPOLAR} | {"pool4", "sum3"}


def test_all_that_meet_channel_by_channel_are_padded_together() -> None:
    groups = {group.convs: group for group in groups_of(residual_network())}
    assert groups["conv0", "conv2"].channels == 17 and groups["conv0", "conv2"].stays == ""
    assert groups["conv0", "conv2"].tensors == {"conv0", "act0", "dw1", "act1", "conv2", "act2", "sum3"}
    assert groups["fc6",].stays == "the output keeps its channels"
    assert whole_groups(residual_network(), {"conv2": 20}) == {"conv0": 20, "conv2": 20}


def test_nothing_to_pad_leaves_the_network_as_it_is() -> None:
    net = residual_network()
    assert padded(net, {"conv0": 17, "conv2": 17}) is net and padded(net, {}) is net


def test_more_channels_do_nothing_in_the_layers_behind() -> None:
    """Their columns are zeros, or of alternating signs where no weight is zero."""
    net = residual_network()
    form = lower(padded(net, whole_groups(net, {"conv0": 20, "conv4": 36})))
    layers = {layer.name: layer for layer in Mvtu.among(form.layers)}
    assert layers["conv2"].weights.shape == (20, 20)
    assert not layers["conv2"].weights[:, 17:].any() and not layers["conv2"].weights[17:].any()
    columns = layers["conv4"].weights.reshape(36, 9, 20)[..., 17:]
    assert set(np.unique(columns)) == {-1, 1} and abs(columns.sum((1, 2))).max() <= 1


@pytest.mark.parametrize(("asked", "sentence"), [
    ({"fc6": 8}, "fc6: channels=8 cannot be, the output keeps its channels; leave its 5 channels as they are"),
    ({"conv0": 16}, "conv0: channels=16 should be 17, or more and at most 34; correct it"),
    ({"conv0": 35}, "conv0: channels=35 should be 17, or more and at most 34; correct it"),
    ({"conv0": 18, "conv2": 20}, "conv2: channels=20 contradict the 18 of conv0, which it meets channel by channel; "
                                 "give both the same"),
    ({"dw1": 18}, "folding: channels of dw1 cannot be padded; name one of the convolutions ['conv0', 'conv2', "
                  "'conv4']"),
    ({"left4": 18}, "folding: channels of left4 cannot be padded; name one of the convolutions ['conv0', 'conv2', "
                    "'conv4']"),
])
def test_channels_that_cannot_be_are_refused(asked: dict[str, int], sentence: str) -> None:
    with pytest.raises(FoldingError, match=f"^{re.escape(sentence)}$"):
        whole_groups(residual_network(), asked)


def test_weights_without_a_zero_refuse_channels_that_the_border_of_the_frame_does_not_have() -> None:
    net = NETWORKS["positive"]
    with pytest.raises(InputError, match=r"^conv1: cannot have padded channels in front: its weights are never zero, "
                                         "and the channels that would be more do not hold one value"):
        padded(net, {"conv0": 18})


def test_raw_sums_of_weights_without_a_zero_stay() -> None:
    net = small_network()  # fc4 puts out sums of bipolar weights
    x = random_input(net, 4)
    with pytest.raises(InputError, match=r"^fc4: is the output, which weights that are never zero in front"):
        padded(small_network(activation=BIPOLAR), {"fc3": 9})
    form = padded(net, {"fc3": 10})  # codes of 0 add nothing
    assert np.array_equal(golden.run(form, x)["fc4"], golden.run(net, x)["fc4"])


def test_raw_sums_of_several_outputs_stay() -> None:
    """What takes channels as they are takes sums as they are: the weights in front are what refuses."""
    rng = np.random.default_rng(0)
    nodes = (
        Node("conv0", random_conv(rng, (17, 3, 3, 1), Interval(-7, 7), pad=(1, 1, 1, 1)), ("input",)),
        Node("act0", random_threshold(rng, 17, Interval(-1, 2), 60), ("conv0",)),
        Node("left1", random_conv(rng, (5, 3, 3, 17), BIPOLAR), ("act0",)),
        Node("right1", random_conv(rng, (6, 4, 4, 17), Interval(-7, 7)), ("act0",)),
        Node("both", Sequence(), ("left1", "right1")),
    )
    outputs = HostOutputs((HostOutput((5, 2, 2), np.ones(5), np.zeros(5), name="left"),
                           HostOutput((6,), np.ones(6), np.zeros(6), name="right")))
    net = IntegerNetwork(host_input(4, 4, 1, uint_type(4)), nodes, outputs)
    with pytest.raises(InputError, match=r"^both: cannot have padded channels in front: the weights in front are never "
                                         "zero, so more channels would add"):
        padded(net, {"conv0": 18})
    form, x = padded(net, {"conv0": 19}), random_input(net, 4)  # two channels of alternating signs add nothing
    assert np.array_equal(golden.run(form, x)["both"], golden.run(net, x)["both"])
