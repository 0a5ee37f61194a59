"""What a test says of a value of several possible types before it reads on."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def the(kind: type[T], value: object) -> T:
    """The value, which has to be of this kind.

    >>> the(int, 3)
    3
    """
    assert isinstance(value, kind), f"wanted a {kind.__name__}, found {value!r}"
    return value


def there(value: T | None) -> T:
    """The value, which has to be one.

    >>> there(3)
    3
    """
    assert value is not None
    return value
