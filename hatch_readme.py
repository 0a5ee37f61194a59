"""What package indexes show: README.md without links and pictures that lead into the repository."""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class ReadmeHook(MetadataHookInterface):
    """Sets the field readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add README.md as an index shows it."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": without_local_links(text)}


def without_local_links(text: str) -> str:
    """The text of a link in the place of one without a scheme; of a picture nothing.

    >>> without_local_links("see [boards](docs/boards.md), ![a](docs/a.svg)and [this](https://example.org)")
    'see boards, and [this](https://example.org)'
    """
    text = re.sub(r"!\[[^\]]*\]\((?!\w+://)[^)]*\)\n?", "", text)
    return re.sub(r"\[([^\]]*)\]\((?!\w+://)[^)]*\)", r"\1", text)
