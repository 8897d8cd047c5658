"""Run a long command and show its progress."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from twin.errors import TwinError
from twin.toolchain.progress import Progress

TAIL_LINES = 16


def run_shown(  # noqa: PLR0913  # what, how it is shown, and what to say when it fails
    argv: Sequence[str | Path],
    progress: Progress,
    title: str,
    estimate_seconds: int,
    *,
    failed: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run to the end, its newest line beside the title.

    Raises:
        TwinError: it failed; ``failed`` with the command's last lines and what to do.
    """
    with (
        progress.step(title, estimate_seconds) as step,
        subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101  # asked for above
        tail: list[str] = []
        for line in process.stdout:
            tail = [*tail[1 - TAIL_LINES :], line.rstrip()]
            step.detail(line.strip())
        if process.wait() != 0:
            raise TwinError(
                "\n  ".join([f"{failed}:", *tail])
                + "\nAre the package registries reachable? Then run the same command again; "
                "what is already done is kept."
            )
