"""A member is told by its name, and its files by theirs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outcry.errors import ConfigurationError
from outcry.models.member import Member, parse_member

FILES = ("lightgbm.txt", "xgboost.json", "cnn_lstm.npz")


@given(family=st.sampled_from(("lightgbm", "cnn_lstm")), bars=st.none() | st.integers(1, 10_000))
def test_name_and_files_lead_back_to_the_member(family: str, bars: int | None) -> None:
    member = Member(family, bars)
    assert parse_member(member.name) == member
    for name in FILES:
        assert member.file_of_family(member.file_name(name)) == name
        assert (member.file_name(name) == name) == (bars is None)


@pytest.mark.parametrize(
    "name", ["", "@5", "lightgbm@", "lightgbm@0", "lightgbm@05", "lightgbm@-1", "lightgbm@1@2", "L"]
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"must be FAMILY or FAMILY@BARS, .*'{name}' is not"):
        parse_member(name)
