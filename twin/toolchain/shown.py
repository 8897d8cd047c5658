"""Run a long command beside others, and show what it does."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from twin.errors import TwinError

TAIL_LINES = 16
SECONDS_TO_STOP = 10
LINE_LIMIT = 1 << 20
DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM")
"""A killed `hub up` must not leave a build behind that works against the next one."""
DISK_FULL = ("no space left on device", "os error 28", "disk quota exceeded")


async def run_shown(
    argv: Sequence[str | Path],
    show: Callable[[str], None],
    *,
    failed: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run to the end, handing each line of standard error to ``show``; standard output is returned.

    A cancelled call ends the command first.

    Raises:
        TwinError: it failed; ``failed`` with the command's last lines and what to do.
    """
    prefix = DIE_WITH_PARENT if shutil.which(DIE_WITH_PARENT[0]) else ()
    process = await asyncio.create_subprocess_exec(
        *prefix,
        *argv,
        cwd=cwd,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=LINE_LIMIT,
    )
    assert process.stdout is not None  # noqa: S101  # asked for above
    assert process.stderr is not None  # noqa: S101
    tail: list[str] = []
    try:
        printed = asyncio.create_task(process.stdout.read())
        async for line in process.stderr:
            text = line.decode(errors="replace").rstrip()
            tail = [*tail[1 - TAIL_LINES :], text]
            show(text.strip())
        output = (await printed).decode(errors="replace")
        code = await process.wait()
    except asyncio.CancelledError:
        await _end(process)
        raise
    if code != 0:
        # What went wrong is on standard error; on the other, `go list` goes on with what it found.
        lines = tail or output.splitlines()[-TAIL_LINES:]
        raise TwinError("\n  ".join([f"{failed}:", *lines]) + "\n" + advice("\n".join(lines)))
    return output


def advice(printed: str) -> str:
    """What to do about a command that failed, by what it printed."""
    if any(text in printed.lower() for text in DISK_FULL):
        return (
            "The disk is full. Free some, or set HUB_CACHE to a folder on a larger disk, then run "
            "the same command again; what is already done is kept."
        )
    return (
        "Are the package registries reachable? Then run the same command again; "
        "what is already done is kept."
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    try:
        process.terminate()
        await asyncio.wait_for(process.wait(), SECONDS_TO_STOP)
    except ProcessLookupError:
        return
    except TimeoutError:
        process.kill()
        await process.wait()
