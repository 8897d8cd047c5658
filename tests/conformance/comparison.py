"""What differs between what the emulators and the originals did, and which rule explains it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conformance.running import Facts

PROVIDERS = Path(__file__).parent / "differences.yaml"
NODES = Path(__file__).parent / "node" / "differences.yaml"
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


def rules(file: Path) -> list[Rule]:
    return [Rule(**one) for one in yaml.safe_load(file.read_text())]


def unexplained(
    emulators: Mapping[str, Facts], originals: Mapping[str, Facts], file: Path
) -> list[str]:
    """The differences that no rule of the file explains."""
    known = rules(file)
    return [
        str(found)
        for found in differences(emulators, originals)
        if not any(rule.explains(found) for rule in known)
    ]


def stale(emulators: Mapping[str, Facts], originals: Mapping[str, Facts], file: Path) -> list[str]:
    """The rules of the file that explain nothing any more."""
    found = differences(emulators, originals)
    return [rule.what for rule in rules(file) if not any(rule.explains(one) for one in found)]


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
