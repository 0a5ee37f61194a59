from tests.layer_battery import LayerBattery


class TestFifo(LayerBattery):
    specs = tuple(
        {"kind": "fifo", "depth": depth, "lanes": lanes, "element": element, "words": words, "uram": depth in (16, 20)}
        for depth, lanes, element, words in (
            (1, 1, "bipolar", 4), (2, 3, "int4", 5), (3, 5, "uint2", 9), (4, 1, "int16", 7), (5, 7, "ternary", 30),
            (16, 2, "int8", 50), (20, 3, "uint3", 31), (33, 9, "bipolar", 100),
        )
    )
