"""Results of mutants, and what they depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any


def tree(root: Path, folders: Iterable[str]) -> str:
    """A digest of what is in some folders."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.*") if path.is_file()):
        if "__pycache__" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Known:
    """Results by key in a file that is written after every one."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self.results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}

    def keep(self, key: str, result: object) -> None:
        """Add a result."""
        with self._lock:
            self.results[key] = result
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self.results, indent=1) + "\n")
