"""What goes on, for whoever wants to hear it: a callback of the caller's, and the logger `headrace`."""

from __future__ import annotations

import logging
from collections.abc import Callable

#: Is told what goes on.
Progress = Callable[[str], None]
#: Steps at INFO, warnings at WARNING. Without a handler of the user's it says nothing.
LOG = logging.getLogger("headrace")
LOG.addHandler(logging.NullHandler())


def silent(_: str) -> None:
    """Tells nobody."""


def logged(progress: Progress) -> Progress:
    """The same, and every step is in the log once."""
    last = ""

    def tell(text: str) -> None:
        nonlocal last
        if text != last:
            LOG.info("%s", text)
        last = text
        progress(text)

    return tell
