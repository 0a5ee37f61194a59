"""Entry point of the command `headrace`."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from headrace.cli.main import run
from headrace.errors import HeadraceError
from headrace.stop_signals import Stopped, stopped_by_signals

_FREE = "free some space or choose another place"
#: What to do about a file system that refuses.
_WAYS_OUT = {errno.ENOSPC: _FREE, errno.EDQUOT: _FREE, errno.EFBIG: _FREE}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; a user's mistake is one sentence on stderr and exit code 1."""
    try:
        with stopped_by_signals():
            code = run(sys.argv[1:] if arguments is None else arguments)
            sys.stdout.flush()
            return code
    except HeadraceError as error:
        return _fail(str(error))
    except BrokenPipeError:
        _close_stdout()
        return _fail("the reader of the output has gone before its end; what was asked for is done")
    except OSError as error:
        _close_stdout()
        return _fail(_sentence(error))
    except MemoryError:
        return _fail("there is not enough memory for this; ask for fewer samples, vectors or frames at a time")
    except Stopped as stopped:
        for note in getattr(stopped, "__notes__", ()):
            _fail(note)
        return stopped.code
    except KeyboardInterrupt:
        return 130


def _fail(sentence: str) -> int:
    with suppress(OSError):
        print(f"headrace: {sentence}", file=sys.stderr)
    return 1


def _sentence(error: OSError) -> str:
    """What a file system said, and what to do."""
    try:
        Path.cwd()
    except OSError:
        return "the current folder does not exist any more; change to another one"
    where = error.filename if isinstance(error.filename, str) else "the output"
    return f"{where}: {error.strerror or error}; {_WAYS_OUT.get(error.errno or 0, 'choose another place')}"


def _close_stdout() -> None:
    """Keep the interpreter from writing once more to an output that refuses."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
