"""What methods make is built: all of them as branches of one network, so that one simulation verifies them all.

Their input's quantizers are alike (see tiny_data), so the branches can read the same integers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

import headrace as hr  # noqa: E402
from headrace.network.graph import Network, Node  # noqa: E402
from headrace.network.tensor_ops import Concat  # noqa: E402
from headrace.quantizing.api import quantize  # noqa: E402
from headrace.quantizing.settings import Settings  # noqa: E402
from headrace.serialize import digest  # noqa: E402
from tests.quantizing.tiny import tiny_chain, tiny_data, tiny_net  # noqa: E402

#: Eight, the branches that a fork can have; ggd and wq also stand under the names of what follows them.
METHODS = {name: Settings(name, 4, 4, learning_rate=0.001)
           for name in ("ristretto", "wq+bft", "ggd+bft", "coarse-to-fine", "affine", "affine+qat")}
MIXED = {name: Settings("ggd", 4, 4, mixed=(3, 5), search="count", count=1, select=name)
         for name in ("sqnr", "weight-difference")}
#: Of data on which tuning leaves the input's quantizer where it is.
SEED = 2
BRANCHED = ("coarse-to-fine", "affine", "sqnr")


def networks() -> dict[str, Network]:
    """A network of every method; the residual one where scales must meet, a chain elsewhere."""
    made = {}
    for name, chosen in {**METHODS, **MIXED}.items():
        module = tiny_net() if name in BRANCHED else tiny_chain()
        made[name] = quantize(module, tiny_data(module, seed=SEED), chosen).network
    return made


def side_by_side(nets: dict[str, Network]) -> Network:
    """All networks on one input; their outputs follow one another."""
    first = next(iter(nets.values()))
    nodes = [first.nodes[0]]
    for index, (name, net) in enumerate(nets.items()):
        assert digest(net.nodes[0].op) == digest(nodes[0].op), f"{name} quantizes the input in another way"
        names = {"input": "input", net.nodes[0].name: nodes[0].name}
        for node in net.nodes[1:]:
            names[node.name] = f"b{index}_{node.name}"
            nodes.append(Node(names[node.name], node.op, tuple(names[source] for source in node.inputs)))
    outputs = tuple(f"b{index}_{net.output}" for index, net in enumerate(nets.values()))
    return replace(first, nodes=(*nodes, Node("all", Concat(), outputs)), outputs=("all",))


def test_a_network_of_each_method_builds_and_verifies_on_both_back_ends(tmp_path: Path) -> None:
    nets = networks()
    x = np.concatenate([x for x, _ in tiny_data(tiny_net())])[:8]
    build = hr.build(hr.load(side_by_side(nets)), tmp_path / "b", backend="both", verify=3, verify_input=x)
    assert json.loads((tmp_path / "b" / "build.json").read_text())["verified"] is True
    wanted = np.concatenate([hr.load(net).predict(x) for net in nets.values()], axis=1)
    assert wanted.shape == (8, 3 * (len(METHODS) + len(MIXED)))
    assert np.array_equal(build.predict(x, engine="fast"), wanted)
