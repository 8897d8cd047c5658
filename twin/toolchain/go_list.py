"""What `go list` says of the packages that a build needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

LISTING = ("-deps", "-json=ImportPath,Dir,GoFiles,SFiles,Stale")
SECONDS_PER_MEGABYTE = 1.2
SECONDS_PER_PACKAGE = 0.085
"""To compile on two free cores: a line through what a whole build took, package by package."""


@dataclass(frozen=True)
class Package:
    """One package to compile."""

    path: str
    folder: Path
    seconds: float
    """To compile it, where it was measured."""
    stale: bool
    """Whether it is to be compiled: Go's cache does not have it."""


def listed(printed: str) -> list[Package]:
    """Read one JSON object after another."""
    decoder = json.JSONDecoder()
    found: list[Package] = []
    position = 0
    while (position := printed.find("{", position)) >= 0:
        one, position = decoder.raw_decode(printed, position)
        folder = Path(one["Dir"])
        files = [*one.get("GoFiles", []), *one.get("SFiles", [])]
        size = sum((folder / file).stat().st_size for file in files)
        seconds = size / 1e6 * SECONDS_PER_MEGABYTE + SECONDS_PER_PACKAGE
        found.append(Package(one["ImportPath"], folder, seconds, one.get("Stale", False)))
    return found
