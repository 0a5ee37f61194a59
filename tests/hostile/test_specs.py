"""Hostile SPEC files of `headrace layer`: sizes that no memory holds, types that are none, JSON without an end."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from headrace.__main__ import main
from tests.hostile.table import SECONDS, Row, file, link, missing_pipe, nothing, refused, rows, sparse, state, table

FILES = rows(
    "layer {dir}/s.json",
    (nothing, "s.json: cannot be read; check the path"),
    (file("s.json", ""), "s.json: is not JSON ("),
    (file("s.json", "[" * 100_000), "s.json: is not JSON (it is nested too deeply); correct the file"),
    (file("s.json", '{"a":' * 100_000), "s.json: is not JSON (it is nested too deeply); correct the file"),
    (file("s.json", b"\xff\xfe"), "s.json: is not JSON ("),
    (file("s.json", "9" * 10_000), "s.json: is not JSON ("),
    (file("s.json", "[]"), "s.json: holds no layer; write at least one object with a kind"),
    (link("s.json", "/dev/zero"), "s.json: is a device or a pipe, not a file; copy it into a file first"),
    (missing_pipe("s.json"), "s.json: is a device or a pipe, not a file; copy it into a file first"),
    (sparse("s.json", 1 << 40), "s.json: has more than 16777216 bytes; give a smaller file"),
    (lambda folder: (folder / "s.json").mkdir(), "s.json: cannot be read; check the path"),
)


@table(FILES)
def test_files(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)


MVTU = {"kind": "mvtu", "mw": 4, "mh": 4, "weight": "int4", "input": "uint4", "output": "acc"}
SWU = {"kind": "swu", "height": 4, "width": 4, "channels": 2, "kernel": [2, 2], "element": "uint2"}
FIFO = {"kind": "fifo", "depth": 4, "element": "uint2", "words": 4}
THRESHOLD = {"kind": "threshold", "channels": 2, "input": "int8", "output": "uint2", "pixels": 2}
BEYOND = "lies beyond the 32 bits in which hardware counts; use at most 2147483647"
DRAWN = "are asked for but at most 67108864 values are drawn; use smaller sizes"
SPECS: list[tuple[object, str]] = [
    (None, "is not a JSON object"), (7, "is not a JSON object"), ([[]], "is not a JSON object"),
    ({}, "kind None is unknown"), ({"kind": ["mvtu"]}, "kind ['mvtu'] is unknown"),
    ({"kind": "x" * 300_000}, "characters left out"),
    (MVTU | {"mw": 2**40}, f"mw=1099511627776 {BEYOND}"), (MVTU | {"mw": 1 << 16, "mh": 1 << 16}, DRAWN),
    (MVTU | {"mw": 2**1000}, BEYOND), (MVTU | {"vectors": 2**31 - 1}, BEYOND), (MVTU | {"vectors": 10**8}, DRAWN),
    (MVTU | {"mw": -1}, "mw=-1 must be positive"),
    (MVTU | {"mw": True}, "mw=True is not a whole number"), (MVTU | {"mw": 1e300}, "mw=1e+300 is not a whole number"),
    (MVTU | {"mw": "4"}, "mw='4' is not a whole number"), (MVTU | {"weight": "int99"}, "type 'int99' is unknown"),
    (MVTU | {"weight": "[0,99999999999999999999]"}, "use 32 bits or fewer"),
    (MVTU | {"weight": 4}, "weight=4 is not a text"),
    (MVTU | {"weight": "x" * 300_000}, "characters left out"), (MVTU | {"output": "uint32"}, "mvtu0: "),
    (MVTU | {"frames": 10**11}, f"frames=100000000000 {BEYOND}"), (MVTU | {"frames": 10**9}, DRAWN),
    (MVTU | {"frames": 0}, "frames=0 must be positive"), (MVTU | {"seed": -1}, "seed=-1 must not be negative"),
    (MVTU | {"pe": 2**31}, BEYOND), (MVTU | {"core": "plane"}, "mvtu0: "), (MVTU | {"evil": 1}, "evil is unknown"),
    (MVTU | {"storage": "disk"}, "storage 'disk' is unknown"),
    (SWU | {"height": 1 << 20, "width": 1 << 20}, f"words of input a frame=2199023255552 {BEYOND}"),
    (SWU | {"kernel": [2**40, 2**40]}, BEYOND), (SWU | {"stride": [2**40, 1]}, f"stride=1099511627776 {BEYOND}"),
    (SWU | {"kernel": [1, 2, 3]}, "kernel=[1, 2, 3] is not 2 whole numbers"), (SWU | {"pad": [2**33] * 4}, BEYOND),
    (SWU | {"pad": [1 << 20] * 4}, "swu0: "), (SWU | {"dilation": [0, 0]}, "swu0: "),
    (SWU | {"buffer": "big"}, "buffer 'big'"),
    (FIFO | {"depth": 10**18}, f"depth=1000000000000000000 {BEYOND}"),
    (FIFO | {"words": 2**40}, f"words=1099511627776 {BEYOND}"),
    (FIFO | {"words": 300_000_000}, DRAWN), (FIFO | {"lanes": 2**31}, BEYOND),
    (FIFO | {"depth": -3}, "depth=-3 must be positive"),
    (THRESHOLD | {"channels": 1 << 30}, DRAWN), (THRESHOLD | {"output": "uint32"}, "threshold0: "),
    (THRESHOLD | {"channels": 0}, "channels=0 must be positive"), (THRESHOLD | {"pixels": 2**31 - 1}, "threshold0: "),
    ({"kind": "concat", "channels": [2**40, 1], "element": "uint2", "pixels": 1}, BEYOND),
    ({"kind": "concat", "channels": [1] * 9, "element": "uint2", "pixels": 1}, "9 inputs must be between 2 and 8"),
    ({"kind": "upsample", "height": 4, "width": 4, "channels": 1, "scale": [65536, 65536], "element": "uint2"}, BEYOND),
    ({"kind": "depth_to_space", "height": 4, "width": 4, "channels": 1, "block": [65536, 65536], "element": "uint2"},
     "a block of 65536 rows has more than 32"),
    ({"kind": "depth_to_space", "height": 65536, "width": 65536, "channels": 1, "block": 2, "element": "int2"},
     BEYOND),
    ({"kind": "dwc", "in_lanes": 1, "out_lanes": 2**31 - 1, "element": "uint2", "words": 2**31 - 1}, "dwc0: "),
    ({"kind": "fork", "channels": 4, "element": "uint2", "pixels": 2, "outputs": 2**30}, "outputs=1073741824 must lie"),
    ({"kind": "label_select", "labels": 2**31 - 1, "element": "int8", "k": 1}, DRAWN),
    ({"kind": "requant", "channels": 2**30, "input": "int8", "output": "int4", "pixels": 1}, DRAWN),
    ({"kind": "vvtu", "channels": 1 << 20, "kernel": [100, 100], "height": 2, "width": 2, "weight": "int2",
      "input": "uint2", "output": "acc"}, DRAWN),
]


@pytest.mark.parametrize(("spec", "sentence"), SPECS, ids=[str(k) for k in range(len(SPECS))])
def test_specs(spec: object, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An illegal layer of a list is an entry of the result, which the others do not suffer from."""
    (tmp_path / "s.json").write_text(json.dumps([spec]))
    before, start = state(tmp_path), time.process_time()
    assert main(["layer", str(tmp_path / "s.json"), "--json"]) == 1
    assert time.process_time() - start < SECONDS
    said = capsys.readouterr()
    (result,) = json.loads(said.out)
    assert result["bit_exact"] is False and sentence in result["error"]
    assert len(result["error"]) < 1100 and "Traceback" not in said.err
    assert state(tmp_path) == before


@pytest.mark.parametrize("kind", ["[/b]", "[red]", "[link=file:///etc]x", "x" * 300_000, "\x1b[31m"])
def test_names_are_no_markup_of_tables(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"kind": kind}))
    assert main(["layer", str(tmp_path / "s.json")]) == 1
    said = capsys.readouterr()
    assert "\x1b[31m" not in said.out and len(said.out) < 4000
    assert kind[:40].replace("\x1b", "\\x1b") in said.out
