"""What people look at: tables, as text and as HTML, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from headrace.atomic_files import write_file

_CHART_STYLE = Path(__file__).with_name("charts.css")


@dataclass(frozen=True)
class View:
    """A table between a title and remarks; every row has a text for every column, or for the first of them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remarks: tuple[str, ...] = ()

    def text(self) -> str:
        """The table in plain text.

        >>> print(View("boards", ("board", "LUT"), (("kv260", "117120"), ("pynq-z2", "53200"))).text())
        boards
        board    LUT
        kv260    117120
        pynq-z2  53200
        """
        table = [self.columns, *self.rows]
        widths = [max(len(row[k]) for row in table if k < len(row)) for k in range(len(self.columns))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
                 for row in table]
        return "\n".join([self.title, *lines, *self.remarks])

    def html(self) -> str:
        """The table as a piece of HTML, as a notebook shows it."""
        rows = [_row(self.columns, "th"), *(_row(row, "td") for row in self.rows)]
        remarks = "".join(f"<div>{escape(remark)}</div>" for remark in self.remarks)
        return f"<div><b>{escape(self.title)}</b><table>{''.join(rows)}</table>{remarks}</div>"


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


@dataclass(frozen=True)
class Picture:
    """A drawing that a notebook shows, and that can be saved as a file."""

    svg: str
    title: str

    def __repr__(self) -> str:
        return f"Picture({self.title})"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write it as an .svg file. Raises OSError where that cannot be."""
        write_file(Path(path), self.svg)


def chart_picture(svg: str, title: str) -> Picture:
    """A drawing of charts.py that stands by itself: with the colours that a report gives it."""
    head, _, body = svg.partition(">")
    return Picture(f"{head}><style>{chart_style()}</style>{body}", title)


def chart_style() -> str:
    """The style sheet of the drawings."""
    return _CHART_STYLE.read_text(encoding="utf-8")
