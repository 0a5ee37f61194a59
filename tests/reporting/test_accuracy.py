"""The accuracy of a build: measured by `headrace predict --labels`, kept beside it, shown in its report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.__main__ import main
from headrace.accuracy import accuracy
from headrace.build_folder import Build
from headrace.errors import InputError
from headrace.serialize import digest, save_npz
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

HINT = "not measured; <code>headrace predict --labels"


@pytest.fixture
def made(tmp_path: Path) -> Build:
    return write_unverified(tmp_path / "b", small_network(), "rtl")


@pytest.fixture
def samples(made: Build, tmp_path: Path) -> tuple[Path, Path, float]:
    """Files of samples and labels, and the share that is right: all but two of ten."""
    x = np.random.default_rng(0).random((10, 1, 8, 8), np.float32)
    labels = made.predict(x, engine="golden").argmax(1)
    labels[:2] = (labels[:2] + 1) % 5
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "l.npy", labels)
    return tmp_path / "x.npy", tmp_path / "l.npy", 0.8


def test_predict_measures_it_and_the_report_shows_it(made: Build, samples: tuple[Path, Path, float], tmp_path: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    x, labels, share = samples
    assert HINT in (made.folder / "report.html").read_text()
    assert main(["predict", str(made.folder), "--input", str(x), "--output", str(tmp_path / "y.npy"), "--engine",
                 "golden", "--labels", str(labels)]) == 0
    assert capsys.readouterr().out == "accuracy of the engine golden on 10 samples: 80.00%\n"
    assert made.accuracy(np.load(x), np.load(labels)) == share
    assert json.loads((made.folder / "accuracy.json").read_text()) == {
        "golden": {"samples": 10, "accuracy": share}, "fast": {"samples": 10, "accuracy": share}}
    page = hr.report(made).read_text()
    assert "accuracy, 10 samples, engine golden</dt><dd>80.00 %" in page and HINT not in page
    other = write_unverified(tmp_path / "c", small_network(), "rtl")
    side = hr.report(made, other, out=tmp_path / "side.html").read_text()
    assert "accuracy, engine golden" in side and "accuracy, engine rtl" not in side
    (made.folder / "accuracy.json").write_text("[]")
    with pytest.raises(InputError, match=r"accuracy\.json: is damaged; remove it, or run `headrace predict --labels`"):
        hr.report(made)


def test_a_model_tells_it_too(samples: tuple[Path, Path, float], tmp_path: Path,
                              capsys: pytest.CaptureFixture[str]) -> None:
    save_npz(small_network(), tmp_path / "m.npz")
    assert main(["predict", str(tmp_path / "m.npz"), "--input", str(samples[0]), "--output", str(tmp_path / "y.npy"),
                 "--labels", str(samples[1])]) == 0
    assert capsys.readouterr().out == "accuracy of the engine fast on 10 samples: 80.00%\n"


def test_labels_that_do_not_fit_are_one_sentence(made: Build, samples: tuple[Path, Path, float], tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "few.npy", np.zeros(3))
    assert main(["predict", str(made.folder), "--input", str(samples[0]), "--output", str(tmp_path / "y.npy"),
                 "--labels", str(tmp_path / "few.npy")]) == 1
    assert not (tmp_path / "y.npy").exists()
    assert capsys.readouterr().err == ("headrace: the labels have shape (3,) but there are 10 samples; give one class "
                                       "each\n")
    with pytest.raises(InputError, match=r"gives \(5, 8, 8\) values, which are not scores of classes"):
        accuracy(np.zeros((1, 5, 8, 8)), np.zeros(1, np.int64))
    with pytest.raises(InputError, match="has the outputs a, b, and classes are of one"):
        accuracy({"a": np.zeros((1, 2)), "b": np.zeros((1, 2))}, np.zeros(1, np.int64))


def test_a_build_of_a_quantized_network_shows_what_was_said_of_it(tmp_path: Path) -> None:
    """`headrace build M.npz` finds M.report.json, unless that is of another network."""
    net = small_network()
    save_npz(net, tmp_path / "m.npz")
    said = {"rows": [], "accuracy": {"test": {"samples": 9, "float_network": 1, "quantized": 0.5}}}
    for network, shown in ((digest(net), True), ("0" * 64, False)):
        (tmp_path / "m.report.json").write_text(json.dumps(said | {"network": network}))
        assert main(["build", str(tmp_path / "m.npz"), "--out", str(tmp_path / "b"), "--verify", "1"]) == 0
        page = (tmp_path / "b" / "report.html").read_text()
        assert ("accuracy, 9 test samples, quantized</dt><dd>50.00 %, 100.00 % in float" in page) is shown


def test_many_samples_go_part_by_part(samples: tuple[Path, Path, float], made: Build, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.cli.predict._AT_ONCE", 3)
    assert main(["predict", str(made.folder), "--input", str(samples[0]), "--output", str(tmp_path / "y.npy")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "y.npy"), made.predict(np.load(samples[0]), engine="golden"))
