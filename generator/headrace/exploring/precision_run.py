"""A precision search from a model and data to networks that build: what the command and the function share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headrace.exploring.precision import Bench, Budget, Found, exhaustive, search
from headrace.exploring.precision_view import precision_json, precision_view
from headrace.exploring.variants import Data, accuracy, read_data
from headrace.model import Model, load
from headrace.progress import Progress, silent
from headrace.quantizing.command import float_model
from headrace.quantizing.data import Batches
from headrace.quantizing.settings import Settings
from headrace.reporting.view import View
from headrace.request import Request
from headrace.serialize import save_npz
from headrace.sources import name_of


@dataclass(frozen=True, eq=False)
class Precision:
    """The cheapest network that was found for every accuracy drop; optimum: of all, where all were looked at."""

    name: str
    found: Sequence[Found]
    optimum: Sequence[Found] = ()

    @cached_property
    def models(self) -> list[Model]:
        """The networks as models that build."""
        return [replace(load(item.network), name=self.name) for item in self.found]

    @property
    def view(self) -> View:
        """A row for every drop."""
        return precision_view(self.name, self.found, self.optimum)

    def json(self) -> dict[str, Any]:
        """As `headrace precision --json` prints it."""
        return precision_json(self.found, self.optimum)

    def save(self, path: str | Path, which: int = -1) -> None:
        """Write a network as NAME.npz, which `headrace build` reads. Raises InputError for another name."""
        save_npz(self.found[which].network, Path(path))

    def summary(self) -> str:
        """The table in plain text."""
        return self.view.text()

    def __repr__(self) -> str:
        return f"Precision({self.name}: {len(self.found)} networks of {self.found[-1].evaluations} looked at)"

    def _repr_html_(self) -> str:
        return self.view.html()


@dataclass(frozen=True, eq=False)
class Task:
    """What is searched with: data to calibrate and for the accuracy, and others that only what is found is tested on.

    every: look at all networks too.
    """

    data: Data
    budget: Budget
    request: Request
    settings: Settings
    test: Data | None = None
    every: bool = False
    example_input: Any = None


def find_precision(model: Any, task: Task, progress: Progress = silent) -> Precision:
    """Search. Raises InputError as precision.search, and for data without labels."""
    progress("calibrating")
    module, example = float_model(str(model)) if isinstance(model, (str, Path)) else (model, task.example_input)
    bench = Bench(module, read_data(task.data), task.budget, task.request, task.settings, example)
    test = None if task.test is None else read_data(task.test)
    found = [_tested(item, test) for item in search(bench, progress)]
    best = [_tested(item, test) for item in exhaustive(bench, progress)] if task.every else []
    return Precision(name_of(model), found, best)


def _tested(found: Found, test: Batches | None) -> Found:
    return found if test is None else replace(found, test_accuracy=accuracy(load(found.network), test))
