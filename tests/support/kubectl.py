"""Whether the real kubectl takes a command, told without a cluster."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.ports import free_port


def complaint(words: Sequence[str], home: Path) -> str:
    """Why it refuses the command; empty where it goes on to ask the API server, which is none.

    ``home`` is a folder without a kubeconfig.
    """
    program = str(Path(sys.executable).with_name("kubectl"))
    done = subprocess.run(
        [program, *words, f"--server=http://127.0.0.1:{free_port()}"],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    return "" if "connection refused" in done.stderr else done.stderr
