"""What differs between what the emulators and the originals did, and which rule explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.running import Facts

RULES = Path(__file__).parent / "differences.yaml"
NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that was not the same."""

    step: str
    path: str
    emulator: str
    original: str

    def __str__(self) -> str:
        return f"{self.step} | {self.path} | emulator: {self.emulator} | original: {self.original}"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A difference that is known, and why it stays."""

    what: str
    path: str
    """A regular expression; it must match from the beginning."""
    steps: str = ".*"
    why: str

    def explains(self, found: Difference) -> bool:
        return bool(re.match(self.path, found.path) and re.fullmatch(self.steps, found.step))


def rules() -> list[Rule]:
    return [Rule(**one) for one in yaml.safe_load(RULES.read_text())]


def differences(emulators: Mapping[str, Facts], originals: Mapping[str, Facts]) -> list[Difference]:
    """All of them, in the order of the steps."""
    assert list(emulators) == list(originals)
    return [
        Difference(step=step, path=path, emulator=_shown(ours, path), original=_shown(theirs, path))
        for step, ours in emulators.items()
        for theirs in [originals[step]]
        for path in sorted(ours.keys() | theirs.keys())
        if ours.get(path) != theirs.get(path)
    ]


def _shown(facts: Facts, path: str) -> str:
    value: Any = facts.get(path, NOTHING)
    return str(value)
