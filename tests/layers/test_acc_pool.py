import pytest

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.errors import InputError
from headrace.layers import AccPool
from tests.layer_battery import LayerBattery


class TestAccPool(LayerBattery):
    specs = tuple(
        {"kind": "acc_pool", "height": height, "width": width, "channels": channels, "kernel": kernel,
         "stride": stride, "pe": pe, "element": element}
        for height, width, channels, kernel, stride, pe, element in (
            (6, 7, 4, (2, 2), (2, 2), 2, "int4"), (7, 7, 4, (7, 7), (7, 7), 4, "uint4"),
            (7, 5, 6, (3, 2), (1, 1), 3, "bipolar"), (8, 9, 5, (2, 3), (3, 5), 5, "uint8"),
            (1, 8, 1, (1, 4), (1, 3), 1, "[-3,2]"), (5, 5, 3, (3, 3), (2, 2), 1, "int16"),
            (1, 1, 3, (1, 1), (1, 1), 3, "bipolar"), (9, 1, 18, (5, 1), (2, 1), 9, "ternary"),
        )
    )


@pytest.mark.parametrize(("element", "output"), [
    (int_type(4), Interval(-48, 42)), (uint_type(8), Interval(0, 1530)), (BIPOLAR, Interval(-6, 6)),
])
def test_output_is_the_interval_of_the_sums(element: DataType, output: Interval) -> None:
    assert AccPool("p", 4, 6, 2, (2, 3), (1, 1), element).output == output


def test_the_kernel_must_fit() -> None:
    with pytest.raises(InputError) as error:
        AccPool("p", 2, 9, 2, (3, 3), (3, 3), uint_type(2))
    assert str(error.value) == "p: kernel (3, 3) does not fit into 2x9; use a smaller kernel"
