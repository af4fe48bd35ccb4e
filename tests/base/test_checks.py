import dataclasses

import pytest

from base.checks import SettingsError, differences, kinds_of, near_names, require


def test_require_names_the_value_and_the_range():
    require(True, "margin", 0.35, "anything")
    with pytest.raises(SettingsError, match=r"^margin is 28\.6, expected radians in \[0, pi\)$"):
        require(False, "margin", 28.6, "radians in [0, pi)")


def test_kinds_of_a_field():
    @dataclasses.dataclass
    class Some:
        scale: float | str
        count: int

    assert [kinds_of(field) for field in dataclasses.fields(Some)] == [["float", "str"], ["int"]]


def test_near_names():
    assert near_names("amsoftmx", ["amsoftmax", "softmax", "arcface"]) == ". Did you mean 'amsoftmax'?"
    assert near_names("zzz", ["b", "a"]) == "; there is a, b"
    assert near_names("zzz", []) == ""


def test_differences_name_what_either_side_has():
    assert differences({"a": 1, "b": 2}, {"b": 3, "c": None, "d": 4}) == (
        "a was 1, is None; b was 2, is 3; d was None, is 4")
    assert differences({"a": 1}, {"a": 1}) == ""
