"""The Python driver of models with several inputs and outputs: everything by name, through the simulated board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import headrace as hr
from headrace.model import load
from tests.several_ends import NETWORKS, samples
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator

KINDS = ["two_images", "detector", "image_and_vector", "boxes"]


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def built(kind: str, tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    net = load(NETWORKS[kind]).integer
    return write_unverified(tmp_path_factory.mktemp("driver") / "b", net, "rtl", cycles=3000)


def given(kind: str, count: int) -> np.ndarray | dict[str, np.ndarray]:
    x = samples(NETWORKS[kind], count)
    return x if len(x) > 1 else next(iter(x.values()))


def by_name(y: np.ndarray | dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return y if isinstance(y, dict) else {"": y}


def require_equal(given: np.ndarray | dict[str, np.ndarray], reference: np.ndarray | dict[str, np.ndarray]) -> None:
    got, wanted = by_name(given), by_name(reference)
    assert list(got) == list(wanted)
    for name, values in wanted.items():
        assert got[name].dtype == values.dtype
        np.testing.assert_array_equal(got[name], values)


def test_outputs_and_integers_are_those_of_the_model(accelerator: Accelerator, built: hr.Build, kind: str,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(accelerator), "frames_per_transfer", 3)
    x = given(kind, 5)
    require_equal(accelerator.predict(x), built.predict(x, engine="golden"))
    require_equal(accelerator.predict(x, raw=True), built.predict(x, engine="golden", raw=True))
    assert accelerator.self_test() == "exact"
    assert accelerator.measure(x, repeats=1)["frames_per_second"] > 0


def test_a_difference_names_the_output(accelerator: Accelerator, kind: str) -> None:
    if kind == "detector":
        assert accelerator.host.place(192 + 7) == "output coarse, pixel 1, channel 1"


def test_batches_that_do_not_fit_are_refused(accelerator: Accelerator, kind: str) -> None:
    if kind != "two_images":
        return
    x = given(kind, 2)
    for bad in (x["left"], {"left": x["left"]}, x | {"more": x["left"]}):
        with pytest.raises(ValueError, match="the model takes left and right; give a dict of arrays by these names"):
            accelerator.predict(bad)
    with pytest.raises(ValueError, match="different numbers of samples"):
        accelerator.predict({"left": x["left"], "right": x["right"][:1]})


def test_the_folder_holds_what_it_names(built: hr.Build) -> None:
    driver = Path(built.folder) / "driver"
    text = (driver / "README.md").read_text()
    assert (driver / "cpp").exists() and "`cpp/`" in text and "output " in text
