"""Arrays as the bytes of an .npz file that depend on nothing but the arrays, and arrays from files that may lie.

What a header claims is compared with what is there before anything is made of it, and nothing is unpickled.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

# Entries of a zip file need a time; the earliest that the format knows makes equal arrays equal bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def npz_bytes(arrays: Mapping[str, np.ndarray[Any, Any]], texts: Mapping[str, str] | None = None) -> bytes:
    """What numpy.load reads as an .npz file with these arrays, and beside them texts under their own names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _TIME), member.getvalue(), zipfile.ZIP_DEFLATED)
        for name, text in (texts or {}).items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), text.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


#: What NumPy writes for arrays of numbers; the third version is for fields with foreign letters.
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
#: Most elements of one array, and bytes of all arrays of a file.
MAX_ELEMENTS = 1 << 28
MAX_ARCHIVE_BYTES = 1 << 31


def npy_array(content: bytes) -> np.ndarray[Any, Any]:
    """The array of numbers in the bytes of an .npy file, which it shares. Raises ValueError, with why, for others."""
    file = io.BytesIO(content)
    try:
        shape, by_columns, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
        numbers = dtype.kind in "fiub" and all(type(size) is int and size >= 0 for size in shape)
    except Exception:  # NumPy raises whatever its parsers do
        numbers = False
    if not numbers:
        raise ValueError("is not a .npy array of numbers")
    count, held = math.prod(shape), len(content) - file.tell()
    if count > MAX_ELEMENTS:
        raise ValueError(f"claims an array of {count} numbers and at most {MAX_ELEMENTS} are read")
    if count * dtype.itemsize > held:
        raise ValueError(f"claims an array of {count * dtype.itemsize} bytes but holds {held}")
    array = np.frombuffer(content, dtype, count, file.tell())
    return array.reshape(shape, order="F" if by_columns else "C")


def npz_members(content: bytes) -> dict[str, bytes]:
    """The files in the bytes of an .npz file, by name. Raises ValueError, with why, for what is none or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(info.file_size for info in archive.infolist())
            if size <= MAX_ARCHIVE_BYTES:
                return {name: archive.read(name) for name in archive.namelist()}
    except Exception as error:  # zipfile and zlib raise whatever their parsers do
        raise ValueError(f"is not a sound .npz file ({type(error).__name__})") from None
    raise ValueError(f"holds {size} bytes, more than {MAX_ARCHIVE_BYTES}, when it is unpacked")
