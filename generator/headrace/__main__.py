"""Entry point of the command `headrace`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from headrace.cli.main import run
from headrace.errors import HeadraceError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one sentence on stderr and exit code 1."""
    try:
        return run(sys.argv[1:] if arguments is None else arguments)
    except HeadraceError as error:
        print(f"headrace: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
