"""What a user may have meant by a word that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

#: How alike words have to be; 1 is the same.
_ALIKE = 0.75


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question to put in front of what there is, empty where no known word is near.

    >>> did_you_mean("zcu14", ["zcu104", "kv260"])
    "did you mean 'zcu104'? "
    >>> did_you_mean("fsp", ["fps", "out"])
    "did you mean 'fps'? "
    >>> did_you_mean("KV260", ["kv260", "kr260"])
    "did you mean 'kv260'? "
    >>> did_you_mean("conv9", ["conv0", "conv1"])
    ''
    """
    words = [other for other in known if _shape(other) != _shape(word)]  # conv1 is not meant by conv9
    near = ([other for other in words if other.lower() == word.lower()]
            or [other for other in words if sorted(other) == sorted(word)] or get_close_matches(word, words, 1, _ALIKE))
    return f"did you mean {near[0]!r}? " if near else ""


def _shape(word: str) -> str:
    """A word with its digits made equal: names of layers that are numbered differ in nothing else."""
    return re.sub(r"\d", "0", word)
