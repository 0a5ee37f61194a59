"""The version of headrace, and the line that generated files begin with."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from headrace.errors import InputError


def headrace_version() -> str:
    """Version of the installed distribution."""
    try:
        return version("headrace")
    except PackageNotFoundError:
        raise InputError("headrace is not installed; run `make setup` or `pip install headrace`") from None


def file_header(sha256: str) -> str:
    """What generated files begin with: the version and the first digits of the model's hash."""
    return f"headrace {headrace_version()}, model {sha256[:16]}"
