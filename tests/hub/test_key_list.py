from __future__ import annotations

import pytest

from hub.key_list import Row, added, revoked, rotated, rows, without_old
from twin.errors import TwinError

TWO = ["laptop", "robot"]


def test_a_new_client_comes_last() -> None:
    assert added(TWO, TWO, "phone") == ["laptop", "robot", "phone"]


def test_a_client_that_comes_back_before_the_deployment_gets_another_key() -> None:
    assert added(["laptop"], ["laptop", "robot"], "robot") == ["laptop", "robot.2"]
    assert added(["laptop"], ["laptop", "robot.4"], "robot") == ["laptop", "robot.5"]
    assert added(["laptop"], ["laptop"], "robot") == ["laptop", "robot"]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Phone", "'Phone' is no name for a key; write up to 31 of a-z"),
        ("robot", "robot has a key already. `hub keys show robot` prints it"),
        ("robot.2", "`hub keys rotate` makes it"),
    ],
)
def test_what_cannot_be_a_new_client_is_told(name: str, told: str) -> None:
    with pytest.raises(TwinError, match=told):
        added(TWO, TWO, name)


def test_a_rotated_key_stands_beside_the_new_one() -> None:
    assert rotated(TWO, TWO, "laptop") == ["laptop", "laptop.2", "robot"]


def test_the_next_rotation_ends_the_older_key() -> None:
    keys = ["robot", "laptop", "robot.2"]
    assert rotated(keys, keys, "robot") == ["laptop", "robot.2", "robot.3"]


def test_a_rotation_takes_no_version_that_is_still_accepted() -> None:
    assert rotated(["robot"], ["robot", "robot.2"], "robot") == ["robot", "robot.3"]


def test_a_key_that_no_client_can_have_is_not_rotated() -> None:
    with pytest.raises(TwinError, match=r"robot\.2 is not deployed yet"):
        rotated(["robot", "robot.2"], ["robot"], "robot")


def test_revoking_takes_all_keys_of_the_client() -> None:
    assert revoked(["robot", "laptop", "robot.2"], "robot") == ["laptop"]


def test_the_only_client_is_not_revoked_and_the_ways_out_are_told() -> None:
    with pytest.raises(TwinError, match=r"robot is the only client.*hub keys rotate robot"):
        revoked(["robot", "robot.2"], "robot")


def test_revoking_the_old_leaves_the_newest() -> None:
    assert without_old(["robot.3", "laptop", "robot", "robot.2"], "robot") == ["robot.3", "laptop"]
    with pytest.raises(TwinError, match="laptop has one key, no older one"):
        without_old(TWO, "laptop")


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    for change in (
        lambda: rotated(["robot", "robot.2"], ["robot"], "rbot"),
        lambda: revoked(["robot", "robot.2"], "rbot"),
        lambda: without_old(["robot", "robot.2"], "rbot"),
    ):
        with pytest.raises(TwinError, match=r"No API key is named 'rbot'; there are: robot$"):
            change()


def test_each_key_has_a_state_and_what_is_only_still_accepted_comes_last() -> None:
    assert rows(["robot", "robot.2", "phone"], ["laptop", "robot"]) == [
        Row("robot", "robot", "accepted", newest=False),
        Row("robot", "robot.2", "new", newest=True),
        Row("phone", "phone", "new", newest=True),
        Row("laptop", "laptop", "revoked", newest=True),
    ]
