"""Where the templates, kernels and boards lie: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path


def data_folder(name: str) -> Path:
    """The folder `hls_templates`, `rtl_sim` or `boards`."""
    package = Path(__file__).resolve().parent
    packaged = package / "_data" / name
    return packaged if packaged.is_dir() else package.parents[1] / name
