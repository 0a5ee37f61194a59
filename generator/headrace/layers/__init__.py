"""The streaming layers, one file each, and their registry."""

from headrace.layers.acc_pool import AccPool
from headrace.layers.add import Add
from headrace.layers.base import Layer
from headrace.layers.channel_map import ChannelMap
from headrace.layers.concat import Concat
from headrace.layers.crop import Crop
from headrace.layers.depth_to_space import DepthToSpace
from headrace.layers.dwc import Dwc
from headrace.layers.fifo import Fifo
from headrace.layers.fork import Fork
from headrace.layers.label_select import LabelSelect
from headrace.layers.lookup import Lookup
from headrace.layers.max_pool import MaxPool
from headrace.layers.mvtu import Mvtu
from headrace.layers.parallel_swu import ParallelSwu
from headrace.layers.requant import Requant
from headrace.layers.swu import Swu
from headrace.layers.take import Take
from headrace.layers.threshold import Threshold
from headrace.layers.upsample import Upsample
from headrace.layers.vvtu import Vvtu

__all__ = [
    "LAYERS", "AccPool", "Add", "ChannelMap", "Concat", "Crop", "DepthToSpace", "Dwc", "Fifo", "Fork", "LabelSelect",
    "Layer", "Lookup", "MaxPool", "Mvtu", "ParallelSwu", "Requant", "Swu", "Take", "Threshold", "Upsample", "Vvtu",
]

#: Every streaming layer by the stem of its files; the order is that of the documentation.
LAYERS: dict[str, type[Layer]] = {cls.kind: cls for cls in (
    Mvtu, Vvtu, Swu, ParallelSwu, Threshold, Requant, Lookup, MaxPool, AccPool, Fork, Add, Concat, Take, ChannelMap,
    Crop, Upsample, DepthToSpace, Dwc, Fifo, LabelSelect,
)}
