"""The random password, over the engine's protocol."""

from __future__ import annotations

import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.twin.providers.engine import Engine, engine
from twin.providers.random import CLASSES, SPECIAL, RandomPassword, password


@pytest.fixture
def passwords() -> Iterator[Engine]:
    with engine(
        lambda _: lambda _: RandomPassword(), "random:index/randomPassword:RandomPassword"
    ) as it:
        yield it


def test_a_password_has_the_asked_length_and_no_class_that_is_off(passwords: Engine) -> None:
    _, outputs = passwords.create({"length": 40, "special": False})
    assert len(outputs["result"]) == 40
    assert set(outputs.pop("result")) <= set(string.ascii_letters + string.digits)
    assert outputs == {
        "id": "none",
        "length": 40,
        "special": False,
        "lower": True,
        "upper": True,
        "numeric": True,
        "number": True,
        "minLower": 0,
        "minUpper": 0,
        "minNumeric": 0,
        "minSpecial": 0,
    }


def test_the_preview_draws_nothing(passwords: Engine) -> None:
    assert passwords.create({"length": 40}, preview=True) == ("", {"length": 40})


def test_a_keeper_that_changes_replaces_the_password(passwords: Engine) -> None:
    old, new = {"length": 8, "keepers": {"turn": "1"}}, {"length": 8, "keepers": {"turn": "2"}}
    assert passwords.diff(old, new) == {"keepers.turn": "UPDATE_REPLACE"}


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({}, "must be a whole number from 1"),
        ({"length": 0}, "must be a whole number from 1"),
        ({"length": 3, "minLower": 2, "minSpecial": 2}, "is less than minLower"),
        ({"length": 3, **dict.fromkeys(CLASSES, False)}, "no characters to draw from"),
    ],
)
def test_impossible_wishes_are_refused(
    passwords: Engine, inputs: dict[str, int], reason: str
) -> None:
    assert reason in passwords.check(inputs)["length"]


@given(st.integers(0, 4), st.integers(0, 4), st.integers(8, 64))
def test_the_minima_are_kept(digits: int, specials: int, length: int) -> None:
    drawn = password({"length": length, "minNumeric": digits, "minSpecial": specials})
    assert len(drawn) == length
    assert sum(c in string.digits for c in drawn) >= digits
    assert sum(c in SPECIAL for c in drawn) >= specials


def test_the_special_characters_can_be_chosen() -> None:
    only = {"length": 30, "lower": False, "upper": False, "numeric": False}
    assert set(password({**only, "overrideSpecial": "_-"})) <= {"_", "-"}
