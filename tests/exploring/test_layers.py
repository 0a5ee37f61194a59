"""Layers of a build compared by the workers of a Dask scheduler: what travels is enough, what fails is one sentence."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import headrace as hr
from headrace.building import build, random_frames
from headrace.dataflow.vectors import Vectors
from headrace.errors import InputError, MismatchError, ToolError
from headrace.exploring import layers
from headrace.exploring.layers import layers_spread, run_parcel
from headrace.model import Model
from headrace.request import Options
from headrace.simulation import by_layer
from headrace.simulation.by_layer import Spread, verify_hls_layers, verify_rtl_layers
from headrace.simulation.layer_task import Task, Verdict
from headrace.stop_signals import descendants
from tests.exploring.machines import Machines, machines
from tests.small_networks import small_network
from tests.unverified_build import SHA256, write_unverified

LAYERWISE = Options(verify_layers=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("layers") / "b", small_network(), writable={"conv0": "ram"})


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with machines(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def vectors_of(built: hr.Build) -> Vectors:
    return Vectors(built.dataflow, random_frames(built.model.unfolded, 2, 1))


def test_what_travels_is_enough(built: hr.Build, tmp_path: Path) -> None:
    vectors = vectors_of(built)
    place = next(k for k, layer in enumerate(built.dataflow.layers) if layer.name == "conv1")
    copied = tmp_path / "rtl"
    shutil.copytree(built.folder / "rtl", copied)
    task = Task.of("rtl", [[place]], vectors)
    parcel = layers._parcel(task, copied)
    files = {path.name for path in task.files(copied)}
    memory = copied / "conv1_weights.mem"
    memory.write_text(memory.read_text().translate(str.maketrans("0123456789abcdef", "fedcba9876543210")))
    wrong = layers._parcel(task, copied)
    shutil.rmtree(copied)
    assert memory.name in files and "top.sv" not in files and not any(name.startswith("conv0") for name in files)
    assert run_parcel(parcel) == [(place, None)]
    [(found, complaint)] = run_parcel(wrong)
    assert found == place and complaint is not None and complaint.startswith("conv1 differs first in frame 0, word ")
    with pytest.raises(InputError, match=r"^a worker has headrace \S+, who asks 9\.9; install the same there$"):
        run_parcel(replace(parcel, version="9.9"))


def test_a_scheduler_compares_layers_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^scheduler tcp://a:1: its workers compare layers, but the network is to be "
                                         r"compared as a whole; add --verify-layers, or leave --scheduler out$"):
        hr.build(hr.example(), tmp_path / "b", scheduler="tcp://a:1")
    assert not list(tmp_path.iterdir())


def test_who_asks_needs_no_simulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(tasks: Sequence[Task], _: Path, __: Path) -> Iterator[Verdict]:
        yield from ((index, None) for task in tasks for index in task.items)

    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ToolError, match=r"^g\+\+ is missing; "):
        build(hr.example(), tmp_path / "b", LAYERWISE)
    made = build(hr.example(), tmp_path / "b", LAYERWISE, spread=Spread(run, "elsewhere"))
    assert made.record["verified_by"]["rtl"]["where"] == "elsewhere"


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.exploring.cluster._ANSWERS_S", 1)
    with pytest.raises(InputError, match=r"^scheduler tcp://127.0.0.1:9: does not answer .*; start one by `dask sched"):
        hr.build(hr.example(), tmp_path / "b", verify_layers=True, scheduler="tcp://127.0.0.1:9")
    assert not list(tmp_path.iterdir())


def test_without_dask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"^a cluster needs distributed, which is not installed; run pip install "
                                        r"'headrace\[explore\]'$"):
        hr.build(hr.example(), tmp_path / "b", verify_layers=True, scheduler="tcp://127.0.0.1:9")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_build_says_who_compared_its_layers(cluster: Machines, tmp_path: Path) -> None:
    build = partial(hr.build, Model(small_network(), SHA256), backend="both", fps=250_000, verify=2,
                    verify_layers=True)
    here, there = (build(tmp_path / name, scheduler=scheduler)
                   for name, scheduler in (("here", ""), ("there", cluster.address)))
    by = {"compared": "each layer by itself", "vectors": 2}
    assert here.record["verified_by"] == {"hls": by, "rtl": by}
    by |= {"where": "workers of a Dask scheduler"}
    assert there.record["verified_by"] == {"hls": by, "rtl": by}
    assert dict(there.record) == dict(here.record) | {"verified_by": there.record["verified_by"]}
    assert not list(cluster.folder.glob("machine*/**/*.sv"))


@pytest.mark.slow
def test_a_wrong_word_is_found_over_there(cluster: Machines, built: hr.Build, tmp_path: Path,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_layer, "_BATCH_LUTS", 0)  # every layer a task of its own
    shutil.copytree(built.folder, tmp_path / "b")
    memory = tmp_path / "b" / "rtl" / "conv1_weights.mem"
    memory.write_text(memory.read_text().translate(str.maketrans("0123456789abcdef", "fedcba9876543210")))
    with layers_spread(cluster.address, LAYERWISE) as spread:
        verify_hls_layers(tmp_path / "b", vectors_of(built), tmp_path / "hls", spread=spread)
        with pytest.raises(MismatchError, match=r"^RTL: conv1 differs first in frame 0, word \d+, lane \d+: "):
            verify_rtl_layers(tmp_path / "b", vectors_of(built), tmp_path / "rtl", spread=spread)


def after_the_first(spread: Spread, happens: Callable[[], None]) -> Spread:
    """The same, and something happens when the first verdict is there and others are on their way."""
    def run(tasks: Sequence[Task], sources: Path, work: Path) -> Iterator[Verdict]:
        for number, verdict in enumerate(spread.run(tasks, sources, work)):
            if number == 0:
                happens()
            yield verdict

    return Spread(run)


def kill(process: subprocess.Popen[bytes]) -> None:
    """A process with those that it started, such as the nanny of a worker with the worker."""
    for pid in (process.pid, *descendants(process.pid)):
        os.kill(pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_worker_dies_over_a_layer(built: hr.Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_layer, "_BATCH_LUTS", 0)
    with machines(tmp_path) as made, layers_spread(made.address, LAYERWISE) as spread:
        verify_rtl_layers(built.folder, vectors_of(built), tmp_path / "work",
                          spread=after_the_first(spread, lambda: kill(made.running[1])))
        assert made.running[1].poll() == -signal.SIGKILL and made.running[2].poll() is None


@pytest.mark.slow
def test_workers_that_cannot(tmp_path: Path) -> None:
    old, none = tmp_path / "old", tmp_path / "none"
    (old / "headrace-9.9.dist-info").mkdir(parents=True)
    (old / "headrace-9.9.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: headrace\nVersion: 9.9\n")
    none.mkdir()
    (none / "headrace.py").write_text("raise ModuleNotFoundError('No module named headrace')")
    for path, sentence in ((old, "has headrace 9.9, who asks"), (none, "cannot use headrace (ModuleNotFoundError")):
        folder = tmp_path / f"{path.name}-machines"
        folder.mkdir()
        with machines(folder, 0) as made:
            made.worker({"PYTHONPATH": f"{path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"})
            with pytest.raises(InputError) as error:
                hr.build(hr.example(), tmp_path / "b", verify_layers=True, scheduler=made.address)
        assert f"scheduler {made.address}: its worker tcp://127.0.0.1:" in str(error.value)
        assert sentence in str(error.value) and str(error.value).endswith(" there")


@pytest.mark.slow
def test_a_worker_without_a_compiler_is_named(built: hr.Build, tmp_path: Path) -> None:
    (tmp_path / "machines").mkdir()
    with machines(tmp_path / "machines", 0) as made:
        made.worker({"PATH": "/nowhere"})
        with (layers_spread(made.address, LAYERWISE) as spread,
              pytest.raises(ToolError, match=r"^worker tcp://127.0.0.1:\d+: g\+\+ is missing; ")):
            verify_rtl_layers(built.folder, vectors_of(built), tmp_path / "work", spread=spread)


@pytest.mark.slow
def test_a_scheduler_that_goes(built: hr.Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_layer, "_BATCH_LUTS", 0)
    (tmp_path / "machines").mkdir()
    with (machines(tmp_path / "machines", 1) as made, layers_spread(made.address, LAYERWISE) as spread,
          pytest.raises(ToolError, match=r"^no worker could compare .*: the scheduler has gone; start it again$")):
        verify_rtl_layers(built.folder, vectors_of(built), tmp_path / "work",
                          spread=after_the_first(spread, lambda: kill(made.running[0])))
