"""Precision search: against the best of all networks, and what it tells."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import numpy as np
import pytest
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

torch = pytest.importorskip("torch", reason="needs torch")

import headrace as hr  # noqa: E402
from headrace.__main__ import main  # noqa: E402
from headrace.errors import HeadraceError, InputError, ToolError  # noqa: E402
from headrace.exploring.precision import Bench, Budget, Rank, exhaustive, search  # noqa: E402
from headrace.exploring.precision_view import away  # noqa: E402
from headrace.model import load  # noqa: E402
from headrace.quantizing.settings import Settings  # noqa: E402
from headrace.request import Options, resolve  # noqa: E402
from tests.quantizing.tiny import tiny_data, tiny_net  # noqa: E402

MODULE = tiny_net()
DATA = tiny_data(MODULE)
REQUEST = resolve(Options(board="pynq-z2", fps=20_000))


class Asked(TypedDict, total=False):
    """What a test asks of a search, beside the budget of all."""

    widths: tuple[int, ...]
    drops: tuple[float, ...]
    rank: Rank
    evaluations: int


BUDGET: Asked = {"widths": (2, 8), "drops": (20.0, 45.0)}


def bench(**budget: Unpack[Asked]) -> Bench:
    return Bench(MODULE, DATA, Budget(**BUDGET | budget), REQUEST, Settings(method="affine", learning_rate=0.001))


@pytest.mark.parametrize("rank", ["sensitivity", "weight-difference"])
def test_a_search_keeps_its_budgets(rank: Rank) -> None:
    asked = bench(rank=rank, evaluations=8)
    some, more = search(asked)
    first = asked.float_accuracy()
    assert some.accuracy >= first - 0.2 and more.accuracy >= first - 0.45
    assert more.cost <= some.cost < asked.cost(asked.highest)
    assert asked.evaluations <= 2 * 8 + len(asked.items)
    kept = asked.problem.kept
    scores = load(more.network).predict(kept.x).reshape(len(kept.x), -1)
    assert more.accuracy == np.mean(scores.argmax(axis=1) == kept.labels)
    assert set(more.widths.values()) <= {2, 8} and len(more.widths) == len(asked.items)


@pytest.mark.parametrize(("budget", "sentence"), [
    ({"widths": (4,)}, "widths [4] leave nothing to choose; give two or more that rise"),
    ({"widths": (4, 2)}, "widths [4, 2] leave nothing to choose; give two or more that rise"),
    ({"widths": (2, 9)}, "weights and activations of 9 bits have no layer; use 2 to 8"),
    ({"rank": "sqrn"}, "rank='sqrn' is unknown; did you mean 'sqnr'?"),
    ({"drops": (2.0, 1.0)}, "accuracy drops [2.0, 1.0] must rise; sort them"),
    ({"drops": (-1.0,)}, "accuracy drops of [-1.0] percentage points are impossible; give numbers from 0 to 100"),
    ({"evaluations": 0}, "evaluations=0 find nothing; use 1 or more"),
])
def test_mistakes(budget: Asked, sentence: str) -> None:
    with pytest.raises(HeadraceError) as error:
        Budget(**budget)
    assert sentence in str(error.value)


def test_a_budget_that_nothing_keeps() -> None:
    with pytest.raises(InputError, match=r"at 3 bits everywhere the network already loses .* percentage points; allow"):
        search(bench(widths=(2, 3), drops=(0.0,)))


def digits() -> tuple[nn.Module, list[tuple[NDArray[np.float32], NDArray[np.int64]]]]:
    """A float network for scikit-learn's digits, trained for a second, and its data."""
    from sklearn.datasets import load_digits
    from torch import nn

    found = load_digits()
    x, y = (found.images / 16).astype(np.float32)[:, None], found.target.astype(np.int64)
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, bias=False),
        nn.BatchNorm2d(32), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(288, 64, bias=False),
        nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.005)
    images, labels = torch.from_numpy(x[:797]), torch.from_numpy(y[:797])
    for _ in range(8):
        for start in range(0, len(images), 64):
            optimizer.zero_grad()
            scores = module(images[start : start + 64])
            nn.functional.cross_entropy(scores, labels[start : start + 64]).backward()
            optimizer.step()
    return module.eval(), [(x[797:], y[797:])]


@pytest.mark.slow
def test_a_tenth_of_all_networks_comes_within_a_twentieth_of_the_best() -> None:
    module, data = digits()
    request, drops = resolve(Options(board="pynq-z2", fps=10_000)), (0.5, 1.0, 3.0)

    def asked(*drops: float) -> Bench:
        return Bench(module, data, Budget((2, 4), drops, "sensitivity", 25), request, Settings(method="affine"))

    every = asked(*drops)
    for drop, optimum in zip(drops, exhaustive(every), strict=True):
        few = asked(drop)
        found = search(few)[0]
        assert every.evaluations == 2 ** len(every.items) == 256 and few.evaluations <= 25
        assert 0 <= away(found, optimum) <= 0.05
        assert found.hardware.resources.all_luts <= 1.05 * optimum.hardware.resources.all_luts


def test_from_python(tmp_path: Path) -> None:
    found = hr.precision(MODULE, DATA, fps=20_000, board="pynq-z2", widths=[4, 8], accuracy_drop=[20.0], evaluations=6,
                         test=DATA)
    assert found.found[0].test_accuracy is not None and "points lost at most" in found.summary()
    found.save(tmp_path / "found.npz")
    x = DATA[0][0] if isinstance(DATA[0], tuple) else DATA[0]
    assert (load(tmp_path / "found.npz").predict(x) == found.models[0].predict(x)).all()
    assert found.json()["found"][0]["test_accuracy"] == found.found[0].test_accuracy
    with pytest.raises(InputError, match=r"^rank='sqrn' is unknown; did you mean 'sqnr'\?"):
        hr.precision(MODULE, DATA, fps=20_000, rank="sqrn")  # type: ignore[arg-type]


def test_only_a_search_needs_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("headrace.exploring.precision_run")
    monkeypatch.delitem(sys.modules, "headrace.exploring.precision_run")
    monkeypatch.setitem(sys.modules, "headrace.quantizing.command", None)
    with pytest.raises(ToolError, match=r"^a precision search needs headrace.quantizing.command, which is not "):
        hr.precision(MODULE, DATA, fps=20_000)


def test_the_command_writes_what_build_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "cnn.py"
    source.write_text("from tests.quantizing.tiny import tiny_data, tiny_net\n\n\n"
                      "def model():\n    return tiny_net()\n\n\ndef batches():\n    return tiny_data(tiny_net())\n")
    out = tmp_path / "cnn.npz"
    assert main(["precision", f"{source}:model", "--data", f"{source}:batches", "--fps", "20000", "--widths", "4", "8",
                 "--board", "pynq-z2", "--accuracy-drop", "20", "--evaluations", "8", "--out", str(out)]) == 0
    assert "cost in LUT" in capsys.readouterr().out
    assert load(out).integer.nodes
