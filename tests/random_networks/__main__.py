"""python -m tests.random_networks DESCRIPTION|FILE.json: check one network once more, back ends included."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.random_networks.checks import require_hardware, require_integers


def main() -> None:
    text = sys.argv[1]
    description = json.loads(Path(text).read_text() if text.endswith(".json") else text)
    for check in (require_integers, require_hardware):
        check(description)
    print("nothing wrong")


if __name__ == "__main__":
    main()
