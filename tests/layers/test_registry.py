from pathlib import Path

import pytest

from headrace.layers import LAYERS
from headrace.layers.spec import BUILDERS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_has_its_five_files(kind):
    for path in (f"generator/headrace/layers/{kind}.py", f"hls_templates/include/{kind}.hpp",
                 f"rtl_sim/rtl/layers/headrace_{kind}.sv", f"rtl_sim/tb/tb_{kind}.py", f"tests/layers/test_{kind}.py"):
        assert (ROOT / path).is_file(), path


def test_every_layer_can_be_made_from_a_spec():
    assert list(BUILDERS) == list(LAYERS)
