"""A fault for the difference reports to find."""

from __future__ import annotations

from dataclasses import replace

from headrace.network.integer import IntegerNetwork, Threshold
from headrace.streamline.streamline import Streamlined
from tests.narrow import the


def moved(streamlined: Streamlined, tensor: str, by: int) -> Streamlined:
    """The network with all thresholds of a tensor moved."""
    net = streamlined.network
    place = [node.name for node in net.nodes].index(tensor)
    threshold = the(Threshold, net.nodes[place].op)
    node = replace(net.nodes[place], op=replace(threshold, thresholds=threshold.thresholds + by))
    nodes = (*net.nodes[:place], node, *net.nodes[place + 1 :])
    return Streamlined(IntegerNetwork(net.host_input, nodes, net.host_output), streamlined.quantizers)
