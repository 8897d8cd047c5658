"""What `apiKeys` lists: `robot` is a client's first key, `robot.2` its second.

Two keys of one name are one client, with one share of the limits: while both stand in the list,
both are accepted, so that a key can be replaced without an interruption.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_KEY = re.compile(r"[a-z][a-z0-9-]{0,30}(\.([2-9]|[1-9][0-9]+))?")


def check(keys: Sequence[str]) -> None:
    """Refuse what cannot be told apart.

    Raises:
        ValueError: which key, why, and what to write.
    """
    for key in keys:
        if not _KEY.fullmatch(key):
            raise ValueError(
                f"{key!r} is no name for a key; write up to 31 of a-z, 0-9 and -, "
                "beginning with a letter; NAME.2 is the second key of NAME"
            )
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        raise ValueError(f"{', '.join(twice)} stands there twice; each client needs its own")


def name_of(key: str) -> str:
    """The client's name."""
    return key.partition(".")[0]


def version_of(key: str) -> int:
    """Counted from 1."""
    return int(key.partition(".")[2] or 1)


def key_of(name: str, version: int) -> str:
    """How the list spells it."""
    return name if version == 1 else f"{name}.{version}"


def newest(keys: Iterable[str]) -> dict[str, str]:
    """The key of the highest version of each name, in the order of the names' first keys."""
    found: dict[str, str] = {}
    for key in keys:
        name = name_of(key)
        found[name] = max(found.get(name, key), key, key=version_of)
    return found
