"""What goes over the engine's wire, and how two sets of inputs differ."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from twin.providers.properties import UNKNOWN, differences, from_wire, has_unknown, to_wire

leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
properties = st.dictionaries(st.text(), values)


@given(properties)
def test_values_survive_the_wire(inputs: dict[str, Any]) -> None:
    assert from_wire(to_wire(inputs)) == inputs


@given(properties)
def test_nothing_differs_from_itself(inputs: dict[str, Any]) -> None:
    assert list(differences(inputs, inputs)) == []


def test_whole_numbers_are_whole_again_and_others_stay() -> None:
    found = from_wire(to_wire({"port": 8080, "share": 0.5, "list": [1]}))
    assert found == {"port": 8080, "share": 0.5, "list": [1]}
    assert isinstance(found["port"], int)
    assert isinstance(found["list"][0], int)


def test_a_path_is_written_as_the_engine_writes_it() -> None:
    old = {"metadata": {"annotations": {"pulumi.com/skipAwait": "true"}}, "ports": [{"port": 1}]}
    new = {"metadata": {"annotations": {"pulumi.com/skipAwait": "no"}}, "ports": [{"port": 2}]}
    assert list(differences(old, new)) == [
        ('metadata.annotations["pulumi.com/skipAwait"]', "update"),
        ("ports[0].port", "update"),
    ]


def test_what_came_and_what_went_is_told_apart() -> None:
    assert list(differences({"went": 1, "both": {}}, {"came": 1, "both": {"new": 1}})) == [
        ("both.new", "add"),
        ("came", "add"),
        ("went", "delete"),
    ]


def test_a_list_of_another_length_differs_in_what_came_or_went_at_its_end() -> None:
    assert list(differences({"tags": ["a"]}, {"tags": ["a", "b"]})) == [("tags[1]", "add")]
    assert list(differences({"tags": ["a", "b"]}, {"tags": ["c"]})) == [
        ("tags[0]", "update"),
        ("tags[1]", "delete"),
    ]


def test_an_unknown_is_found_at_any_depth() -> None:
    assert has_unknown({"spec": {"containers": [{"image": UNKNOWN}]}})
    assert not has_unknown({"spec": {"containers": [{"image": "caddy"}]}})
