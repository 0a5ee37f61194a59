"""Hostile build directories: damaged records, foreign files and numbers beyond 32 bits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headrace import serialize
from headrace.dataflow.fold import Folding
from tests.hostile.table import Maker, Row, both, file, link, missing_pipe, refused, rows, sparse, table
from tests.small_networks import small_network
from tests.unverified_build import write_unverified


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "b"
    write_unverified(folder, small_network(), folding={"fc3_fifo": {"depth": 40}})
    return folder


def record(change: Callable[[dict[str, object]], object]) -> Maker:
    """A build whose record was changed."""
    def make(folder: Path) -> None:
        found = json.loads((folder / "b" / "build.json").read_text())
        change(found)
        (folder / "b" / "build.json").write_text(json.dumps(found))
    return make


def part(found: object) -> dict[str, object]:
    assert isinstance(found, dict)
    return found


def elements(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


def entry(key: str, value: object) -> Maker:
    return record(lambda found: found.update({key: value}))


def recipe(key: str, value: object) -> Maker:
    """What the build is made of, with one part of it changed."""
    return record(lambda found: part(found["recipe"]).update({key: value}))


def damaged(key: str, *values: object) -> list[tuple[Maker, str]]:
    return [(entry(key, value), DAMAGED) for value in values]


def inside(key: str, name: str, value: object) -> Maker:
    """The first element of a list of the record with one entry changed."""
    return record(lambda found: part(elements(found[key])[0]).update({name: value}))


def device(key: str, value: object) -> Maker:
    return record(lambda found: part(found["device"]).update({key: value}))


def without(key: str) -> Maker:
    return record(lambda found: found.pop(key))


DAMAGED = "b/build.json: is damaged; build again"
RECORD = rows(
    "report {dir}/b",
    (file("b/build.json", ""), DAMAGED), (file("b/build.json", "null"), DAMAGED),
    (file("b/build.json", "[1]"), DAMAGED),
    (file("b/build.json", "[" * 100_000), DAMAGED), (file("b/build.json", '{"a":' * 100_000), DAMAGED),
    (file("b/build.json", b"\xff\xfe"), DAMAGED), (file("b/build.json", "{}"), DAMAGED),
    (file("b/build.json", '{"headrace": "0.0.1"}'), "was built by headrace 0.0.1 but this is"),
    *damaged("folding", None, 5, [], "2", 2.0, {"conv0": 3}, {"conv0": {"pe": "2"}}, {"conv0": {"pe": 2.0}},
             {"conv0": {"pe": True}}, {"conv0": {"pe": 2**70}}),
    (recipe("folding", {"conv0": {"pe": 3}}), "conv0: PE=3 must divide MH=4; choose one of [1, 2, 4]"),
    (recipe("folding", {"conv0": {"evil": 1}}), "conv0: evil cannot be folded; choose one of ['pe', 'simd']"),
    (recipe("folding", {"conv0": {"name": 1}}), "conv0: name cannot be folded; choose one of ['pe', 'simd']"),
    *damaged("cores", None, 5, [], {"conv0": 5}), (recipe("cores", {"conv0": "x"}), "conv0: "),
    (recipe("cores", {"zzz": "plain"}), "core: there is no layer zzz with weights"),
    *damaged("writable", None, 5, ["conv0"], {"conv0": "disk"}, {"conv0": 5}),
    (recipe("writable", {"zzz": "ram"}), "zzz: is not a layer whose weights can be writable; choose from"),
    *damaged("external", None, 5, {}, [5], "conv0"), (recipe("external", ["zzz"]), "zzz: "),
    *damaged("fifos", None, 5, {}, [5], [{}], [{"name": "a", "depth": "x", "bits": 1, "smallest_depth": 1}]),
    *damaged("cycles_per_frame", None, "x", 0, -1, 2.5, True, 1e30), *damaged("vectors", None, "x", -1, 4),
    *damaged("clock_mhz", None, "x", 0, -1.0, float("nan"), float("inf")), *damaged("fps", "x", float("inf"), 0),
    *damaged("source_sha256", None, 5, "", "xyz", "a" * 65, "0; exec touch canary"),
    *damaged("layers", None, 5, [5], [{}]), *damaged("resources", None, 5, {"lut": "x"}, {"evil": 1}),
    *damaged("board", None, 5), *damaged("backend", None, "vhdl"), *damaged("not_verified", None, "x", [5]),
    *damaged("latency_cycles", "x", -1), *damaged("verified", "yes"), *damaged("stopped_by", 5),
    (entry("layers", []), "b/build.json: lists other layers than model.json gives; build again"),
    *damaged("host_words", None, 5, {}, {"input": 4}, {"input": 4, "output": "4"}, {"input": 4, "output": 0}),
    *damaged("verified_by", None, [], {"rtl": {"vectors": 1}}), *damaged("board_bound", 5, {"name": "a"}),
    *damaged("resources_error", None, {"lut": 1.0}), (device("more", 1), DAMAGED),
    *damaged("recipe", None, {}, []), *damaged("device", None, {}, {"name": 5}), *damaged("verified", True),
    (device("part", "x; exec touch canary"), "the board's part 'x; exec touch canary' has characters that scripts"),
    (device("name", "a\nputs evil"), "the board's name 'a\\nputs evil' has characters that scripts could read"),
    (device("dsp", -1), "the board's dsp=-1 is not what a device has; give 0 to 2147483647"),
    *((device(key, value), DAMAGED) for key, value in (("part", 5), ("lut", "x"), ("title", None))),
    *((recipe(key, value), DAMAGED) for key, value in (
        ("folding", 5), ("cores", None), ("writable", {"a": "disk"}), ("external", "conv0"), ("depths", {"a": "x"}))),
    *((without(key), DAMAGED) for key in ("headrace", "folding", "fifos", "layers", "board", "fps")),
    (recipe("depths", {"fc3_fifo": 10**18}), "lies beyond the 32 bits in which hardware counts; use at most"),
    (inside("layers", "name", "other"), "b/build.json: lists other layers than model.json gives; build again"),
    (inside("layers", "resources", {"lut": 1e9}), DAMAGED),
    (both(lambda folder: (folder / "b/build.json").unlink(), link("b/build.json", "/dev/zero")),
     "is a device or a pipe"),
    (both(lambda folder: (folder / "b/build.json").unlink(), missing_pipe("b/build.json")), "is a device or a pipe"),
    (sparse("b/build.json", 1 << 40), "b/build.json: has more than 16777216 bytes; give a smaller file"),
    (file("b/sim.json", "[" * 100_000), "b/sim.json: is damaged; remove it, or run `headrace sim` again"),
    (file("b/sim.json", '{"fifo_max_occupancy": 5}'), "b/sim.json: is damaged; remove it, or run `headrace sim` again"),
    (file("b/sim.json", '{"cycles_per_frame": "x"}'), "b/sim.json: is damaged; remove it, or run `headrace sim` again"),
    (link("b/sim.json", "/dev/zero"), "b/sim.json: is a device or a pipe, not a file"),
    (file("b/synth.json", "5"), "b/synth.json: is damaged; remove it, or run `headrace synth` again"),
    (file("b/synth.json", '{"total": {"evil": 1}, "layers": []}'), "b/synth.json: is damaged; remove it, or run"),
    (file("b/synth.json", '{"total": {}, "layers": [5]}'), "b/synth.json: is damaged; remove it, or run"),
    (file("b/model.json", "[" * 100_000), "b/model.json: is not a saved value of headrace; save it again"),
    (lambda folder: (folder / "b/model.npz").unlink(), "b/model.npz: cannot be read (No such file or directory)"),
    (file("b/model.npz", b"PK"), "b/model.npz: does not belong to model.json or is damaged; save both again"),
)
LINKS = rows(
    "sim {dir}/b",
    (both(lambda folder: (folder / "b/rtl/conv0_weights.mem").unlink(), link("b/rtl/conv0_weights.mem", "/dev/zero")),
     "b/rtl/conv0_weights.mem: is a device or a pipe, not a file; build again"),
    (both(lambda folder: (folder / "b/rtl/top.sv").unlink(), missing_pipe("b/rtl/top.sv")),
     "b/rtl/top.sv: is a device or a pipe, not a file; build again"),
    (sparse("b/rtl/conv0_weights.mem", 1 << 40), "conv0_weights.mem: has more than 1073741824 bytes; build again"),
    (both(lambda folder: (folder / "b/hls/weights.hpp").unlink(), link("b/hls/weights.hpp", "/dev/zero")),
     "b/hls/weights.hpp: is a device or a pipe, not a file; build again"),
)
OPENERS = ("sim {dir}/b", "predict {dir}/b --input {dir}/x.npy --output {dir}/y.npy", "synth {dir}/b",
           "bitstream {dir}/b --board zcu104")
EVERYBODY = [Row(command, both(lambda folder: np.save(folder / "x.npy", np.zeros((1, 1, 8, 8))), make), says)
             for command in OPENERS for make, says in (
                 (entry("folding", 5), DAMAGED), (entry("cores", 5), DAMAGED),
                  (file("b/build.json", "[" * 99_999), DAMAGED))]
COMMANDS = rows(
    "sim {dir}/b --frames 100000000000",
    (entry("board", "zcu104"), "100000000000 frames of 64 values are asked for but at most 1048576 are drawn; give"),
) + rows("sim {dir}/b --frames 0", (entry("board", "zcu104"), "frames=0, seed=0: give 1 frame or more")) + rows(
    "sim {dir}/b --seed -1", (entry("board", "zcu104"), "frames=4, seed=-1: give 1 frame or more")) + rows(
    "sim {dir}", (entry("board", "zcu104"), "is not a build directory (it has no build.json); make one with")) + rows(
    "synth {dir}/b --layer zzz", (entry("board", "zcu104"), "b: has no layer 'zzz'; choose from")) + rows(
    "lint-hls {dir}/none", (entry("board", "zcu104"), "none"))


@table(RECORD, LINKS, EVERYBODY, COMMANDS)
def test_builds(row: Row, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(built, tmp_path / "b")
    assert row.says in refused(row, tmp_path, capsys)


def network(folder: Path) -> None:
    serialize.save(small_network(), folder / "net")


def folding(text: str | bytes) -> Maker:
    return both(network, file("f.json", text))


def given(folds: Folding) -> Maker:
    return folding(json.dumps(folds))


BUILD = "build {dir}/net.json --out {dir}/b"
FOLDED = f"{BUILD} --folding {{dir}}/f.json"
OPTIONS = rows(
    FOLDED,
    (network, "f.json: the folding file cannot be read; check the path"),
    (folding("[" * 100_000), "f.json: the folding file is not JSON (it is nested too deeply); write"),
    (folding("5"), "f.json: a folding file maps layers to whole numbers; write"),
    (folding(b"\xff\xfe"), "f.json: the folding file is not JSON ("),
    (folding('{"conv0": {"pe": 1e400}}'), "f.json: a folding file maps layers to whole numbers, not 'pe' of conv0 to "
     "inf; write"),
    (both(network, link("f.json", "/dev/zero")), "f.json: is a device or a pipe, not a file"),
    (both(network, missing_pipe("f.json")), "f.json: is a device or a pipe, not a file"),
    (both(network, sparse("f.json", 1 << 40)), "f.json: has more than 16777216 bytes; give a smaller file"),
    (given({"fc3_fifo": {"depth": 10**18}}),
     "fc3_fifo: a depth of 1000000000000000000 words is more than a FIFO may have; give at most 16777216"),
    (given({"fc3_fifo": {"depth": 2**24 + 1}}), "fc3_fifo: a depth of 16777217 words is more than a FIFO may have"),
    (given({"conv0_fifo": {"depth": 2**64}}), "conv0_fifo: a depth of 18446744073709551616 words is more than"),
    (given({"fc3_fifo": {"depth": -1}}), "fc3_fifo: {'depth': -1} is not a depth of a FIFO"),
    (given({"conv0": {"pe": 10**18}}), "conv0: PE=1000000000000000000 must divide MH=4; choose one of [1, 2, 4]"),
    (given({"x" * 300_000: {"pe": 1}}), "characters left out"),
) + rows(f"{BUILD} --verify 1000000000000",
         (network, "verify=1000000000000 vectors: a build is verified with at least 1; give 1 or more, at most 100000")
) + rows(f"{BUILD} --verify -1", (network, "verify=-1 vectors: a build is verified with at least 1; give 1 or more")
) + rows(f"{BUILD} --core zzz", (network, "zzz")) + rows(f"{BUILD} --core zzz=plain", (network, "zzz")
) + rows(f"{BUILD} --writable zzz", (network, "zzz")) + rows(f"{BUILD} --external zzz", (network, "zzz")
) + rows(f"{BUILD} --fps nan", (network, "fps=nan must be a positive number; correct it"))


@table(OPTIONS)
def test_options(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)
