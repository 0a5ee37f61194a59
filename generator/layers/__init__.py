"""The streaming layers, one file each, and their registry."""

from generator.layers.base import Layer
from generator.layers.dwc import Dwc
from generator.layers.fifo import Fifo
from generator.layers.max_pool import MaxPool
from generator.layers.mvtu import Mvtu
from generator.layers.requant import Requant
from generator.layers.swu import Swu
from generator.layers.threshold import Threshold

__all__ = ["LAYERS", "Dwc", "Fifo", "Layer", "MaxPool", "Mvtu", "Requant", "Swu", "Threshold"]

#: Every streaming layer by the stem of its files; the order is that of the documentation.
LAYERS: dict[str, type[Layer]] = {cls.kind: cls for cls in (Mvtu, Swu, Threshold, Requant, MaxPool, Dwc, Fifo)}
