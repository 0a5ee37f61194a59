"""Weights that do not fit block RAM go to UltraRAM, chosen with the folding; requantizers take their sums."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headrace import placement
from headrace.board.family import ZYNQ_ULTRASCALE
from headrace.building import build
from headrace.dataflow.make_writable import make_writable
from headrace.datatypes import Interval, int_type
from headrace.errors import FoldingError, InputError
from headrace.fitting import require_fit
from headrace.layers import Requant
from headrace.model import Model
from headrace.network import integer
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from headrace.placement import placements
from headrace.planning import Planned, plan_design
from headrace.request import Options, resolve
from tests.small_networks import UINT2, host_input, random_conv, random_threshold

INT8 = Interval(-127, 127)


@pytest.fixture(scope="module")
def model() -> Model:
    """Layers of 32 K, 2 K and 16 K weights of 8 bits, requantized, with thresholds, and as they are."""
    rng = np.random.default_rng(0)
    requant = integer.Requant(rng.integers(1, 9, 256), rng.integers(-99, 99, 256), 9, "half_up", int_type(3))
    nodes = (
        Node("fc0", random_conv(rng, (256, 1, 1, 128), INT8), ("input",)),
        Node("fc0_act", requant, ("fc0",)),
        Node("fc1", random_conv(rng, (8, 1, 1, 256), INT8), ("fc0_act",)),
        Node("fc1_act", random_threshold(rng, 8, UINT2, 900), ("fc1",)),
        Node("fc2", random_conv(rng, (2048, 1, 1, 8), INT8), ("fc1_act",)),
    )
    output = HostOutput((2048,), np.ones(2048), np.zeros(2048))
    return Model(IntegerNetwork(host_input(1, 1, 128, UINT2), nodes, output), "0" * 64)


def board(folder: Path, bram36: int, uram: int, lut: int = 4000) -> str:
    """A board with so much beside what stands around a network."""
    path, around = folder / f"of{bram36}_{uram}_{lut}.toml", ZYNQ_ULTRASCALE.around
    path.write_text(f'title = "T"\npart = "xczu7ev"\nboard_part = "b"\nlut = {lut + around.lut}\nff = 200000\n'
                    f"bram36 = {bram36 + around.bram36}\nuram = {uram}\ndsp = 100\n")
    return str(path)


def planned(model: Model, folder: Path, bram36: int, uram: int, fps: float | None = None, **given: object) -> Planned:
    options = Options(board=board(folder, bram36, uram), fps=fps, share=100.0)
    return plan_design(model, resolve(replace(options, **given)))  # type: ignore[arg-type]


@pytest.mark.parametrize("fps", [None, 5000.0])
@pytest.mark.parametrize(("bram36", "wanted"), [(40, set()), (9, {"fc2"}), (2, {"fc0", "fc2"})])
def test_what_does_not_fit_goes_to_uram(model: Model, tmp_path: Path, bram36: int, wanted: set[str],
                                        fps: float | None) -> None:
    found = planned(model, tmp_path, bram36, 8, fps)
    require_fit(model, found)
    writable = found.design.recipe.writable
    assert found.fits and wanted <= set(writable) and set(writable.values()) <= {"uram"}
    assert (0 < found.resources.uram <= 8) == bool(wanted) == bool(writable)


def test_without_uram_it_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(FoldingError, match=r"even the smallest folding takes \d+ of 9 BRAM36; choose a larger board"):
        planned(model, tmp_path, 9, 0)
    with pytest.raises(InputError, match=r"does not fit, it would take \d+ of 9 BRAM36"):
        require_fit(model, planned(model, tmp_path, 9, 0, 5000.0))


def test_weights_alone_are_refused_before_a_pace_is_planned(model: Model, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "plan_folding", None)
    options = Options(board=board(tmp_path, 1, 0, 500), fps=5000.0, share=100.0)
    with pytest.raises(FoldingError, match=r"smallest folding takes \d+ of 1 BRAM36 for its weights alone; choose"):
        plan_design(model, resolve(options))


def test_of_layers_that_are_alike_some_go_there(tmp_path: Path) -> None:
    """Each takes 8 BRAM36 or an UltraRAM; three of the latter can be used."""
    rng = np.random.default_rng(0)
    nodes: list[Node] = []
    for k in range(6):
        nodes += [Node(f"fc{k}", random_conv(rng, (128, 1, 1, 128), INT8), (nodes[-1].name if nodes else "input",)),
                  Node(f"fc{k}_act", random_threshold(rng, 128, UINT2, 900), (f"fc{k}",))]
    net = IntegerNetwork(host_input(1, 1, 128, UINT2), tuple(nodes), HostOutput((128,), np.ones(128), np.zeros(128)))
    found = planned(Model(net, "0" * 64), tmp_path, 18, 4)
    assert found.fits and len(found.design.recipe.writable) == 3


def test_where_uram_is_not_enough(model: Model, tmp_path: Path) -> None:
    with pytest.raises(FoldingError, match="even the smallest folding with weights in UltraRAM takes"):
        planned(model, tmp_path, 2, 1)


def test_what_the_user_names_stays(model: Model, tmp_path: Path) -> None:
    given = planned(model, tmp_path, 9, 8, 5000.0, writable={"fc2": "ram"})
    assert given.design.recipe.writable == {"fc2": "ram", "fc0": "uram"}
    outside = planned(model, tmp_path, 9, 8, 5000.0, external=["fc0"])
    assert outside.design.recipe.external == ("fc0",) and outside.design.recipe.writable == {}
    with pytest.raises(FoldingError, match="even the smallest folding takes"):
        planned(model, tmp_path, 2, 8, cores={"*": "dsp"})


def test_the_c_plus_plus_has_none(model: Model, tmp_path: Path) -> None:
    with pytest.raises(FoldingError, match="even the smallest folding takes"):
        planned(model, tmp_path, 9, 8, backend="hls")


def test_memory_outside_comes_after_uram(model: Model, tmp_path: Path) -> None:
    inside = planned(model, tmp_path, 9, 8, weights="external")
    assert inside.design.recipe.external == () and "fc2" in inside.design.recipe.writable
    options = Options(board=board(tmp_path, 2, 2), weights="external", share=100.0)
    both = next(placements(model, resolve(options)))
    assert both.recipe.external == ("fc0",) and both.spills


def test_a_requantizer_takes_the_sums_of_any_weights(model: Model) -> None:
    narrow, wide = (next(iter(Requant.among(dataflow.layers)))
                    for dataflow in (model.unfolded, make_writable(model.unfolded, {"fc0": "uram"})))
    assert wide.input == Interval(-128 * 127 * 3, 128 * 127 * 3) and wide.output == narrow.output
    assert narrow.input.hi < wide.input.hi


def test_a_build_is_exact_and_says_what_lies_where(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, 2, 8), fps=5000.0, verify=2)
    made = build(model, tmp_path / "b", options)
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert made.record["verified"] and record["writable"] == record["recipe"]["writable"]
    places = {layer["name"]: layer["weights_in"] for layer in record["layers"] if "weights_in" in layer}
    assert places["fc0"] == places["fc2"] == "uram"
    assert [name for name, place in places.items() if place == "uram"] == list(record["writable"])
