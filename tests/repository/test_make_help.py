"""`make` alone explains itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.repository.make_targets import described_targets, phony_targets

ROOT = Path(__file__).parents[2]


def test_make_alone_lists_every_target_with_its_meaning() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    shown = dict(
        line.split(maxsplit=1) for line in done.stdout.splitlines() if line.startswith("  ")
    )
    assert shown == described_targets()


def test_every_target_that_makes_no_file_has_a_meaning() -> None:
    assert phony_targets() == set(described_targets())
