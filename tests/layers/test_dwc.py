from tests.layer_battery import LayerBattery


class TestDwc(LayerBattery):
    specs = tuple(
        {"kind": "dwc", "in_lanes": lanes_in, "out_lanes": lanes_out, "element": element, "words": words}
        for lanes_in, lanes_out, element, words in (
            (3, 2, "uint3", 4), (5, 3, "bipolar", 3), (2, 7, "int4", 7), (4, 4, "uint2", 5), (1, 1, "int8", 3),
            (1, 8, "bipolar", 16), (8, 1, "ternary", 2), (12, 8, "int4", 2), (8, 12, "int16", 3), (1, 3, "uint1", 3),
            (16, 1, "uint8", 1), (3, 5, "int32", 5),
        )
    )
