"""What the functions of the package return: values with a short repr, a summary and a picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace.board.board import Board
from headrace.exploring.points import Point
from headrace.exploring.points_view import points_view
from headrace.model import Model, load
from headrace.reporting.scatter import points_svg
from headrace.reporting.view import Picture, View, chart_picture
from headrace.reporting.views import boards_view


@dataclass(frozen=True, eq=False)
class Checked:
    """Whether a model has an exact hardware form. model: None where not; why: all that is not supported, a line each.

    It is true where the model is supported.
    """

    name: str
    model: Model | None
    why: str = ""

    def __bool__(self) -> bool:
        return self.model is not None

    def __repr__(self) -> str:
        lines = self.why.count("\n") + 1
        says = f"supported, {len(self.model.unfolded.layers)} layers" if self.model else f"not supported, {lines} lines"
        return f"Checked({self.name}: {says})"

    def summary(self) -> str:
        """The streaming layers, or why there are none, in plain text."""
        return self._view().text()

    def _view(self) -> View:
        if self.model is not None:
            return self.model.view
        return View(f"{self.name}: is not supported", ("why",), tuple((line,) for line in self.why.splitlines()))

    def _repr_html_(self) -> str:
        return self.model._repr_html_() if self.model is not None else self._view().html()


class Points(list[Point]):
    """The points of a plan, in the order of its boards, clocks and rates. name: of the model."""

    def __init__(self, name: str, points: Iterable[Point]) -> None:
        super().__init__(points)
        self.name = name

    def __repr__(self) -> str:
        fits = sum(point.fits for point in self)
        return f"Points({self.name}: {len(self)} points, {fits} fit)"

    def summary(self) -> str:
        """The points as a table in plain text."""
        return points_view(self.name, self).text()

    def plot(self) -> Picture:
        """Frames per second over LUTs, both on logarithmic axes; points that do not fit are hollow."""
        there = [(point.hardware.resources.all_luts, point.hardware.fps, point.board, point.fits)
                 for point in self if point.hardware is not None]
        return chart_picture(points_svg(there), f"the points of {self.name}")

    def _repr_html_(self) -> str:
        return f"{self.plot().svg}{points_view(self.name, self).html()}"


class Boards(dict[str, Board]):
    """Boards by name."""

    def __repr__(self) -> str:
        return f"Boards({', '.join(self)})"

    def summary(self) -> str:
        """What they offer, as a table in plain text."""
        return boards_view(list(self.values())).text()

    def _repr_html_(self) -> str:
        return boards_view(list(self.values())).html()


class Record(dict[str, Any]):
    """What a command measured, with the keys of its JSON file. view: the same as a table."""

    def __init__(self, value: Mapping[str, Any], view: View) -> None:
        super().__init__(value)
        self.view = view

    def __repr__(self) -> str:
        return f"Record({self.view.title}; keys {', '.join(self)})"

    def summary(self) -> str:
        """A table in plain text."""
        return self.view.text()

    def _repr_html_(self) -> str:
        return self.view.html()


@dataclass(frozen=True, eq=False)
class Quantization:
    """A quantized network as a model that builds, and what it cost. result: all of it, a quantizing.api.Quantized."""

    model: Model
    result: Any
    view: View

    @property
    def accuracy(self) -> dict[str, dict[str, float]]:
        """By the name of the data: {"samples", "float_network", "quantized"}, shares of 1; empty without labels."""
        return {name: {"samples": found.samples, "float_network": found.float_network, "quantized": found.quantized}
                for name, found in self.result.accuracy.items()}

    def __repr__(self) -> str:
        return f"Quantization({self.view.title})"

    def summary(self) -> str:
        """Widths, scales, SQNR and saturation of every tensor in plain text."""
        return self.view.text()

    def plot(self) -> Picture:
        """The distribution of every layer's weights and of every tensor with the values of its codes."""
        from headrace.quantizing.report import quantization_svg  # torch is there, for it quantized

        return Picture(quantization_svg(self.result), "distributions")

    def save(self, path: str | Path) -> None:
        """Write the network as NAME.npz, which `headrace build` reads, with NAME.report.json, which reports show, and
        NAME.svg. Raises InputError for another name.
        """
        from headrace.quantizing.command import write_result  # torch is there, for it quantized

        write_result(self.result, Path(path))

    def _repr_html_(self) -> str:
        return f"{self.plot().svg}{self.view.html()}"


def quantization(name: str, result: Any, view: View) -> Quantization:
    """The result of a quantization with its exact model, which is called `name`."""
    return Quantization(replace(load(result.network), name=name), result, view)
