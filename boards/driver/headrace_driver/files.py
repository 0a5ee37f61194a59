"""The files of the driver: those of the build that lie beside it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .errors import AcceleratorError
from .host import Host
from .memories import Memories
from .several import Hosts, make_host


@dataclass(frozen=True)
class Files:
    """model.json, the sides of the host and of the memories that it describes, the images of weights from outside."""

    model: dict[str, Any]
    host: Host | Hosts
    memories: Memories
    images: list[np.ndarray]


def read_files(folder: Path) -> Files:
    """All files that inference needs. Raises AcceleratorError where one is missing or damaged."""
    try:
        model = json.loads((folder / "model.json").read_text())
        external = read_arrays(folder / "external.npz")
        return Files(model, make_host(model, read_arrays(folder / "model.npz")),
                     Memories(model["writable"]["layers"], read_arrays(folder / "weights.npz")),
                     [np.tile(external[entry["port"]], entry["copies"]) for entry in model["weights"]])
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise _damaged(folder, error) from None


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file. Raises AcceleratorError where it is missing or damaged."""
    try:
        with np.load(path) as arrays:
            return dict(arrays)
    except (OSError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> AcceleratorError:
    return AcceleratorError(f"{path} is missing or damaged ({type(error).__name__}: {error}); copy the build's folder "
                            "driver again")
