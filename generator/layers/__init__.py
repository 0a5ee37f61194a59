"""The streaming layers, one file each, and their registry."""

from generator.layers.acc_pool import AccPool
from generator.layers.add import Add
from generator.layers.base import Layer
from generator.layers.concat import Concat
from generator.layers.dwc import Dwc
from generator.layers.fifo import Fifo
from generator.layers.fork import Fork
from generator.layers.label_select import LabelSelect
from generator.layers.max_pool import MaxPool
from generator.layers.mvtu import Mvtu
from generator.layers.parallel_swu import ParallelSwu
from generator.layers.requant import Requant
from generator.layers.swu import Swu
from generator.layers.threshold import Threshold
from generator.layers.upsample import Upsample
from generator.layers.vvtu import Vvtu

__all__ = [
    "LAYERS", "AccPool", "Add", "Concat", "Dwc", "Fifo", "Fork", "LabelSelect", "Layer", "MaxPool", "Mvtu",
    "ParallelSwu", "Requant", "Swu", "Threshold", "Upsample", "Vvtu",
]  # fmt: skip

#: Every streaming layer by the stem of its files; the order is that of the documentation.
LAYERS: dict[str, type[Layer]] = {cls.kind: cls for cls in (
    Mvtu, Vvtu, Swu, ParallelSwu, Threshold, Requant, MaxPool, AccPool, Fork, Add, Concat, Upsample, Dwc, Fifo,
    LabelSelect,
)}  # fmt: skip
