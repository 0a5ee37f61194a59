"""The public networks as hardware: both back ends, random stalls, many images through the compiled RTL."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.__main__ import main
from headrace.dataflow.fold import fold
from headrace.dataflow.insert_fifos import insert_fifos, join_places
from headrace.dataflow.lower import lower
from headrace.errors import MismatchError
from headrace.folding.plan import solve_folding
from headrace.timing.cycle_model import CycleModel
from headrace.timing.fifo_sizing import size_fifos
from tests.public_models import SHARED
from tests.timing.test_cycle_model import rtl_cycles

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="the public models are not in ../shared/models"),
]

#: Vectors verified at every boundary.
MODELS = {"tfc_w1a1": 4, "tfc_w2a2": 4, "kws_mlp_w3a3": 4, "jet_mlp_w6a6": 4, "cnv_w1a1_cifar10_quant": 1,
          "resnet8_w4a4": 1}


def model(name: str) -> str:
    return str(SHARED / "models" / f"{name}.onnx")


def mnist(count: int) -> np.ndarray:
    """The first test images as tfc takes them, (count, 1, 28, 28) in [0, 1]."""
    with gzip.open(SHARED / "datasets" / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return (pixels.reshape(-1, 1, 28, 28)[:count] / 255).astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
def test_both_back_ends_are_exact_under_stalls(tmp_path: Path, name: str) -> None:
    out = tmp_path / "b"
    arguments = ["build", model(name), "--out", str(out), "--backend", "both", "--verify", str(MODELS[name])]
    assert main(arguments) == 0
    assert main(["sim", str(out), "--frames", "2", "--stalls", "random"]) == 0
    assert json.loads((out / "sim.json").read_text())["bit_exact"] is True


def test_both_forms_of_cnv_give_the_same_memories(tmp_path: Path) -> None:
    memories = []
    for form in ("quant", "mt"):
        out = tmp_path / form
        assert main(["build", model(f"cnv_w1a1_cifar10_{form}"), "--out", str(out), "--verify", "1"]) == 0
        memories.append({path.name: path.read_bytes() for path in (out / "rtl").glob("*.mem")})
    assert memories[0] == memories[1] and len(memories[0]) == 17


def test_a_thousand_digits_through_the_rtl(tmp_path: Path) -> None:
    build = hr.build(hr.load(model("tfc_w2a2")), tmp_path / "b", fps=200e6 / 1000)
    images = mnist(1000)
    assert np.array_equal(build.predict(images, engine="rtl", raw=True), build.predict(images, engine="fast", raw=True))


def test_fifty_cifar_images_through_the_rtl(tmp_path: Path) -> None:
    build = hr.build(hr.load(model("cnv_w1a1_cifar10_quant")), tmp_path / "b", verify=1)
    pixels = np.load(SHARED / "datasets" / "cifar10" / "cifar10_test_png250_dev.npz")
    images = cifar_input(pixels)
    assert np.array_equal(build.predict(images, engine="rtl", raw=True), build.predict(images, engine="fast", raw=True))


def cifar_input(archive: np.lib.npyio.NpzFile) -> np.ndarray:
    """Fifty RGB images on the grid of 1/128 that cnv takes."""
    pixels = archive["x"][:50]
    scaled = np.floor((2 * pixels / 255 - 1) * 128 + 0.5)
    return (np.clip(scaled, -128, 127) / 128).astype(np.float32).transpose(0, 3, 1, 2)


def test_one_word_less_in_a_residual_fifo_is_slower_or_a_deadlock_in_model_and_rtl(tmp_path: Path) -> None:
    loaded = hr.load(model("resnet8_w4a4"))
    folded = fold(lower(loaded.integer), solve_folding(loaded.unfolded, 9216))
    smallest = dict(size_fifos(folded).smallest)
    residual = [name for name in join_places(folded) if smallest[name]]
    assert "add4_fifo1" in residual
    for name in residual:
        dataflow = insert_fifos(folded, smallest | {name: smallest[name] - 1})
        pace = CycleModel(dataflow).steady().cycles_per_frame
        (tmp_path / name).mkdir()
        if pace is None:
            with pytest.raises(MismatchError, match="no stream moves any more"):
                rtl_cycles(dataflow, 6, tmp_path / name)
        else:
            words = dataflow.streams[dataflow.output_port].words
            ends = rtl_cycles(dataflow, 6, tmp_path / name)[dataflow.output_port][words - 1 :: words]
            assert pace > folded.cycles_per_frame and ends[-1] - ends[-2] > folded.cycles_per_frame, name
