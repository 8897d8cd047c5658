from __future__ import annotations

import pytest

from infra.key_names import check, key_of, name_of, newest, version_of


@pytest.mark.parametrize(
    ("key", "name", "version"),
    [("robot", "robot", 1), ("robot.2", "robot", 2), ("robot-2", "robot-2", 1), ("a.19", "a", 19)],
)
def test_a_key_is_a_clients_name_and_a_version(key: str, name: str, version: int) -> None:
    check([key])
    assert (name_of(key), version_of(key)) == (name, version)
    assert key_of(name, version) == key


@pytest.mark.parametrize(
    "key", ["", "Robot", "2", "a" * 32, "robot.0", "robot.1", "robot.02", "robot.", "a.2.3", "a b"]
)
def test_what_is_no_key_is_refused_with_what_to_write(key: str) -> None:
    with pytest.raises(ValueError, match="is no name for a key; write up to 31 of a-z"):
        check(["laptop", key])


def test_the_same_key_twice_is_refused_and_two_versions_are_not() -> None:
    check(["robot", "robot.2"])
    with pytest.raises(ValueError, match=r"robot\.2 stands there twice"):
        check(["robot.2", "robot", "robot.2"])


def test_the_newest_is_the_highest_version_wherever_it_stands() -> None:
    keys = ["robot.10", "laptop", "robot.9"]
    assert newest(keys) == {"robot": "robot.10", "laptop": "laptop"}
    assert list(newest(keys)) == ["robot", "laptop"]
