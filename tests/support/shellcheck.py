"""What shellcheck says of shell, in the version of the development packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal


def findings(text: str, shell: Literal["sh", "bash"], *, excluded: str = "") -> str:
    """Empty when there are none. ``excluded``: codes such as SC2155, with commas between."""
    program = str(Path(sys.executable).with_name("shellcheck"))
    arguments = [f"--shell={shell}", "--format=gcc", f"--exclude={excluded}", "-"]
    done = subprocess.run(
        [program, *arguments], input=text, capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout
