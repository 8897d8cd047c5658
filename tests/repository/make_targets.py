"""The targets of the Makefile, read from its text."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text()


def described_targets() -> dict[str, str]:
    """Each target that has a `## ` comment, with that comment."""
    return dict(re.findall(r"^([\w-]+):[^#\n]*## (.+)$", MAKEFILE, re.MULTILINE))


def phony_targets() -> set[str]:
    """What `.PHONY` names."""
    [names] = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    return set(names.split())
