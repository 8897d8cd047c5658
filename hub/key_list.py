"""What each command of `hub keys` makes of the list of keys.

``declared`` is the list in the stack's file, ``accepted`` what was deployed last. A key has the
spelling of ``infra/key_names.py``: ``robot``, ``robot.2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from infra.key_names import check, key_of, name_of, newest, version_of
from twin.errors import TwinError

State = Literal["accepted", "new", "revoked"]
"""New: from the next deployment on. Revoked: accepted until the next deployment."""


@dataclass(frozen=True)
class Row:
    """One key, without its value."""

    name: str
    """The client's."""
    key: str
    state: State
    newest: bool
    """Whether it is the client's key of the highest version."""


def rows(declared: Sequence[str], accepted: Sequence[str]) -> list[Row]:
    """The declared keys, then those that are only still accepted."""
    keys = [*declared, *(key for key in accepted if key not in declared)]
    last = newest(keys).values()
    return [
        Row(name_of(key), key, _state(key, declared, accepted), newest=key in last) for key in keys
    ]


def added(declared: Sequence[str], accepted: Sequence[str], name: str) -> list[str]:
    """With a first key for a new client.

    Raises:
        TwinError: the name cannot be one, or has a key.
    """
    try:
        check([name])
    except ValueError as error:
        raise TwinError(f"{error}") from error
    if name != name_of(name):
        raise TwinError(f"{name} would be another key of a client; `hub keys rotate` makes it")
    if name in newest(declared):
        raise TwinError(
            f"{name} has a key already. `hub keys show {name}` prints it, "
            f"`hub keys rotate {name}` makes another one beside it."
        )
    return [*declared, _next(name, declared, accepted)]


def rotated(declared: Sequence[str], accepted: Sequence[str], name: str) -> list[str]:
    """With a new key beside the newest one of this client; older ones go.

    Raises:
        TwinError: the name is unknown, or its newest key was never deployed.
    """
    last = newest_of(name, declared)
    if last not in accepted:
        raise TwinError(f"{last} is not deployed yet, so no client can have it: deploy it first.")
    keys: list[str] = []
    for key in declared:
        if key == last:
            keys += [key, _next(name, declared, accepted)]
        elif name_of(key) != name:
            keys.append(key)
    return keys


def revoked(declared: Sequence[str], name: str) -> list[str]:
    """Without this client.

    Raises:
        TwinError: the name is unknown, or the only one.
    """
    newest_of(name, declared)
    keys = [key for key in declared if name_of(key) != name]
    if not keys:
        raise TwinError(
            f"{name} is the only client, and the gateway needs one. Add another name first, "
            f"replace the key with `hub keys rotate {name}`, or close the gateway with "
            "`pulumi destroy` (the twin's with `hub down`)."
        )
    return keys


def without_old(declared: Sequence[str], name: str) -> list[str]:
    """With the newest key of this client only.

    Raises:
        TwinError: the name is unknown, or has no older key.
    """
    last = newest_of(name, declared)
    keys = [key for key in declared if key == last or name_of(key) != name]
    if keys == list(declared):
        raise TwinError(f"{name} has one key, no older one. Without --old that key is revoked.")
    return keys


def newest_of(name: str, keys: Sequence[str]) -> str:
    """The key of the highest version.

    Raises:
        TwinError: there is none of this name; lists the names.
    """
    known = newest(keys)
    if name not in known:
        raise TwinError(f"No API key is named {name!r}; there are: {', '.join(known)}")
    return known[name]


def _next(name: str, declared: Sequence[str], accepted: Sequence[str]) -> str:
    """A key that was never deployed: one that is revoked and not yet gone would come back."""
    versions = [version_of(key) for key in (*declared, *accepted) if name_of(key) == name]
    return key_of(name, max(versions, default=0) + 1)


def _state(key: str, declared: Sequence[str], accepted: Sequence[str]) -> State:
    if key not in declared:
        return "revoked"
    return "accepted" if key in accepted else "new"
