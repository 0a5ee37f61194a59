"""All quantization methods on one network: trains it where needed, prints the table and writes it to docs.

    python examples/quantize/compare.py

Tuning and selection see 1000 training images, training all of them; the test images are for the table alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import brevitas.nn as qnn
import model as digits
import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from headrace.frontend.torch.float_module import from_float_module
from headrace.quantization.syq import Granularity
from headrace.quantizing.api import quantize
from headrace.quantizing.methods import METHODS, Method
from headrace.quantizing.mixed import choose_widths
from headrace.quantizing.problem import Problem, pose
from headrace.quantizing.runner import top1
from headrace.quantizing.settings import AUTO, ScalesName, Settings
from headrace.training.syq import SyqConv2d

DOCS = digits.ROOT / "docs" / "quantization-results.md"
BITS = (8, 6, 4)
#: Widths of weights and feature maps that method auto is tried at.
AUTO_BITS = ((8, 8), (4, 8), (4, 4))
METHOD_ROWS = {"Ristretto": "ristretto", "WQ": "wq", "WQ+FQ": "ggd", "WQ+FQ+BFT": "ggd+bft",
               "coarse to fine": "coarse-to-fine"}
#: Method and granularity of the weights' scales.
AFFINE_ROWS: dict[str, tuple[str, ScalesName]] = {
    "affine": ("affine", "channel"),
    "affine, one scale per layer": ("affine", "tensor"),
    "affine, trained": ("affine+qat", "channel"),
}
RANKINGS: dict[str, dict[str, Any]] = {
    "SQNR": {"select": "sqnr"},
    "weight range": {"select": "range"},
    "weight difference, from float": {"select": "weight-difference"},
    "weight difference, from 8 bits": {"select": "weight-difference", "start": "high"},
    "one at a time": {"select": "one-at-a-time"},
}
#: Rules whose weights the mixed networks are quantized by.
MIXED_RULES = ("ristretto", "wq", "ggd")
SYQ_EPOCHS, SYQ_RATE = 2, 0.002
#: Marks of the page between which the tables stand.
BEGIN, END = "<!-- tables -->\n", "<!-- end of tables -->\n"


@dataclass(frozen=True)
class Line:
    """One row of a table."""

    cells: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Bench:
    """The float network, its data, and calibrated problems for the methods."""

    module: nn.Module
    example: Any

    @cached_property
    def test(self) -> digits.Data:
        """Test images and labels."""
        return digits.data()[1]

    @cached_property
    def _problems(self) -> dict[tuple[bool, bool], Problem]:
        return {}

    def problem(self, method: Method) -> Problem:
        """Calibrated once for the methods that place quantizers alike."""
        key = (method.join_sums, method.output)
        if key not in self._problems:
            net = from_float_module(self.module, self.example)
            self._problems[key] = pose(net, digits.calibration(), Settings.samples, join_sums=method.join_sums,
                                       output=method.output)
        return self._problems[key]

    def float_accuracy(self) -> float:
        """Of the float network on the test images."""
        return self.problem(METHODS["ggd"]).runner.accuracy(*self.test)

    def quantized(self, settings: Settings) -> tuple[float, int]:
        """(accuracy on the test images, networks evaluated)."""
        method = METHODS[settings.method]
        problem = self.problem(method)
        widths = problem.widths(settings.weight_bits, settings.act_bits, settings.bias_bits)
        found = method.run(problem, widths, settings, digits.training())
        return found.candidate.accuracy(*self.test), found.evaluations


def percent(share: float) -> str:
    return f"{share:.2%}"


def method_lines(bench: Bench) -> Iterator[Line]:
    """Power-of-two and scale-factor methods: weights, biases and feature maps at one width."""
    for title, name in METHOD_ROWS.items():
        results = [bench.quantized(Settings(name, bits, bits, bits)) for bits in BITS]
        yield Line((title, *(percent(accuracy) for accuracy, _ in results), str(sum(n for _, n in results))))


def affine_lines(bench: Bench) -> Iterator[Line]:
    for title, (name, scales) in AFFINE_ROWS.items():
        results = [bench.quantized(Settings(name, bits, bits, weight_scales=scales)) for bits in BITS]
        yield Line((title, *(percent(accuracy) for accuracy, _ in results)))


def auto_lines(bench: Bench) -> Iterator[Line]:
    """What method auto finds without training, on digits and on Fashion-MNIST."""
    for title, (module, example), calibration, test in (
            ("MNIST", digits.trained(), digits.calibration(), digits.test()),
            ("Fashion-MNIST", digits.fashion(), digits.fashion_calibration(), digits.fashion_test())):
        cells = []
        for bits in AUTO_BITS:
            found = quantize(module, calibration, Settings(AUTO, *bits), example_input=example, test=test)
            accuracy = found.accuracy["test"]
            method = next(trial.name for trial in found.trials if trial.chosen)
            cells.append(f"{percent(accuracy.quantized)}, {method}")
        yield Line((title, percent(accuracy.float_network), *cells))


def syq_network(float_module: nn.Module, ternary: bool, granularity: Granularity) -> nn.Module:
    """The network with SYQ weights inside, 8-bit weights at its ends and 8-bit activations, from the float state."""
    conv = partial(SyqConv2d, ternary=ternary, granularity=granularity)
    layers = digits.Layers(conv, partial(qnn.QuantConv2d, weight_bit_width=8), partial(qnn.QuantLinear, bias=True,
                           weight_bit_width=8), partial(qnn.QuantReLU, bit_width=8))
    network = digits.DigitNet(layers)
    network.load_state_dict(float_module.state_dict(), strict=False)
    for layer in network.modules():
        if isinstance(layer, SyqConv2d):
            layer.reset_scales()
    return network


def syq_lines(bench: Bench) -> Iterator[Line]:
    """Binary and ternary weights by the granularity of their scales."""
    images, labels = bench.test
    for granularity in ("layer", "channel", "row", "pixel"):
        cells = []
        for ternary in (False, True):
            torch.manual_seed(digits.SEED)
            network = syq_network(bench.module, ternary, granularity)
            digits.train(network, SYQ_EPOCHS, SYQ_RATE)
            with torch.no_grad():
                scores = [network.eval()(torch.from_numpy(batch)).numpy() for batch in np.array_split(images, 20)]
            cells.append(percent(top1(np.concatenate(scores), labels)))
        yield Line((granularity, *cells))


def mixed_lines(bench: Bench) -> Iterator[Line]:
    """Weights of 4 and 8 bits: how many of the layers keep 4 within 1 point of accuracy."""
    for title, ranking in RANKINGS.items():
        cells: list[str] = []
        for rule in MIXED_RULES:
            settings = Settings(rule, 8, 8, mixed=(4, 8), accuracy_drop=1.0, **ranking)
            at = METHODS[rule].at
            problem = bench.problem(METHODS[rule])
            mixture = choose_widths(problem, at, settings, digits.training())
            accuracy = at(problem, mixture.widths, settings).accuracy(*bench.test)
            cost = f"{mixture.evaluations}" + (f" + {mixture.cycles} cycle" if mixture.cycles else "")
            cells.append(f"{len(mixture.low)} layers, {percent(accuracy)}, {cost}")
        yield Line((title, *cells))


@dataclass(frozen=True)
class Section:
    """A table with its heading."""

    title: str
    columns: tuple[str, ...]
    lines: Callable[[Bench], Iterator[Line]]


SECTIONS = (
    Section("Weights, biases and feature maps of one width", ("method", "8 bits", "6 bits", "4 bits", "evaluations"),
            method_lines),
    Section("Affine integers, with biases of 32 bits", ("method", "8 bits", "6 bits", "4 bits"), affine_lines),
    Section("Method auto, without training: test accuracy and the method that it takes",
            ("data", "float", *(f"W{weights}A{maps}" for weights, maps in AUTO_BITS)), auto_lines),
    Section("SYQ: one or two bits per weight, trained from the float network", ("scales per", "binary", "ternary"),
            syq_lines),
    Section("Weights of 8 and 4 bits: layers at 4 bits within 1 point, test accuracy, evaluations",
            ("ranked by", *({"ristretto": "Ristretto", "wq": "WQ", "ggd": "WQ+FQ"}[rule] for rule in MIXED_RULES)),
            mixed_lines),
)


def markdown(title: str, columns: tuple[str, ...], lines: list[Line]) -> str:
    rows = [columns, tuple("---" for _ in columns), *(line.cells for line in lines)]
    return f"### {title}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def replaced(text: str, tables: str) -> str:
    """The page with new tables between its two marks."""
    head, _, rest = text.partition(BEGIN)
    return f"{head}{BEGIN}{tables}{END}{rest.partition(END)[2]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=DOCS, help="page whose tables are replaced (default: %(default)s)")
    options = parser.parse_args()
    console = Console()
    torch.set_num_threads(1)  # sums are taken in the same order on every machine
    bench = Bench(*digits.trained())
    parts = [f"Float: {percent(bench.float_accuracy())} of {len(bench.test[1])} test images, "
             f"{len(bench.problem(METHODS['ggd']).net.layers)} layers with weights.\n"]
    console.print(parts[0])
    for section in SECTIONS:
        lines = []
        table = Table(*section.columns, title=section.title)
        with console.status(section.title):
            for line in section.lines(bench):
                lines.append(line)
                table.add_row(*line.cells)
        console.print(table)
        parts.append(markdown(section.title, section.columns, lines))
    text = options.out.read_text() if options.out.is_file() else ""
    options.out.write_text(replaced(text, "\n" + "\n".join(parts) + "\n"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
