"""Driver of an accelerator made by headrace: needs NumPy, and on the board pynq."""

from .accelerator import Accelerator
from .errors import AcceleratorError

__all__ = ["Accelerator", "AcceleratorError"]
