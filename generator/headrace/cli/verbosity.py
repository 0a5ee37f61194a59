"""How much a command says: -q, -v and --log, which every command takes."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.progress import LOG
from headrace.version import headrace_version
from headrace.versions import UntestedVersionWarning

_FILE_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@dataclass(frozen=True)
class Voice:
    """quiet: only results, warnings and errors. verbose: a line for every step and every program that runs."""

    quiet: bool = False
    verbose: bool = False


_CURRENT = ContextVar[Voice]("voice")


def current_voice() -> Voice:
    """That of the command that runs."""
    return _CURRENT.get(Voice())


def add_voice(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; what is not given has no attribute, so that they may stand before the command too."""
    group = parser.add_argument_group("what it says")
    amount = group.add_mutually_exclusive_group()
    amount.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS,
                        help="no progress and no notes, only results, warnings and errors")
    amount.add_argument("-v", "--verbose", action="store_true", default=argparse.SUPPRESS,
                        help="a line on stderr for every step and every program that runs")
    group.add_argument("--log", type=Path, metavar="FILE", default=argparse.SUPPRESS,
                       help="append steps, programs, warnings and errors to this file, with the time")


@contextmanager
def speaking(options: argparse.Namespace, arguments: Sequence[str]) -> Iterator[None]:
    """In the block, a command says as much as its options want. Raises OSError for a log that cannot be written."""
    voice = Voice(getattr(options, "quiet", False), getattr(options, "verbose", False))
    handlers = [*([_steps_on_stderr()] if voice.verbose else []),
                *([_file(options.log)] if getattr(options, "log", None) else [])]
    token, level = _CURRENT.set(voice), LOG.level
    for handler in handlers:
        LOG.addHandler(handler)
    if handlers:
        LOG.setLevel(logging.DEBUG)
    try:
        LOG.debug("headrace %s: headrace %s", headrace_version(), shlex.join(arguments))
        with _untested_in_a_line():
            yield
    except Exception as error:
        LOG.error("%s", error)
        raise
    finally:
        _CURRENT.reset(token)
        LOG.setLevel(level)
        for handler in handlers:
            LOG.removeHandler(handler)
            handler.close()


@contextmanager
def _untested_in_a_line() -> Iterator[None]:
    """In the block, versions that were not tested are a warning like any other of a command."""
    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if issubclass(category, UntestedVersionWarning):
                warn(str(message))
            else:
                others(message, category, *where, **more)

        warnings.showwarning = show
        yield


def _steps_on_stderr() -> logging.Handler:
    """Steps and programs; warnings and errors are printed in any case."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: record.levelno < logging.WARNING)
    handler.setFormatter(logging.Formatter("headrace: [%(asctime)s] %(message)s", "%H:%M:%S"))
    return handler


def _file(path: Path) -> logging.Handler:
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FILE_FORMAT))
    return handler


def warn(text: str) -> None:
    """A warning on stderr, and in the log."""
    LOG.warning("%s", text)
    print(f"headrace: warning: {text}", file=sys.stderr)


def note(text: str) -> None:
    """What is good to know, on stderr unless the command is to be quiet."""
    LOG.info("%s", text)
    if not current_voice().quiet:
        print(f"headrace: note: {text}", file=sys.stderr)
