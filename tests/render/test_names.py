"""Names are legal in every language that the back ends write."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.render.names import RESERVED, identifier


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("conv0", "conv0"),
        ("fc2_weights", "fc2_weights"),
        ("layer1.0.conv1", "layer1_0_conv1"),
        ("/features/0/Conv", "features_0_Conv"),
        ("a__b", "a_b"),
        ("_hidden_", "hidden"),
        ("3x3", "n3x3"),
        ("", "n"),
        ("größe", "gr_e"),
        ("module", "module_n"),
        ("template", "template_n"),
        ("Con", "Con_n"),
        ("x; rm -rf $HOME [exec]", "x_rm_rf_HOME_exec"),
    ],
)
def test_known_names(text: str, name: str) -> None:
    assert identifier(text) == name


@given(st.text(max_size=30))
def test_every_text_gives_a_legal_name_that_stays(text: str) -> None:
    name = identifier(text)
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*", name)
    assert name.lower() not in RESERVED
    assert identifier(name) == name
