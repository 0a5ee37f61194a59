"""Arrays as the bytes of an .npz file that depend on nothing but the arrays."""

from __future__ import annotations

import io
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
