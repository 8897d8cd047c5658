"""What the twin's processes are and hold at one moment, by their names."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.twin.conftest import HubUnderTest


@dataclass(frozen=True)
class Look:
    """The twin at one moment."""

    moment: float
    """Of the monotonic clock."""
    processes: Counter[str]
    memory: Counter[str]
    """Megabytes of their own."""
    files: Counter[str]
    """Open ones, sockets among them."""


def look(hub: HubUnderTest) -> Look:
    running = hub.processes
    memory: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for pid, name in running.items():
        with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            memory[name] += own_megabytes(pid)
            files[name] += psutil.Process(pid).num_fds()
    return Look(time.monotonic(), Counter(running.values()), memory, files)


def own_megabytes(pid: int) -> int:
    """Its anonymous memory: all that is no page of a file (proc_pid_smaps(5)).

    A page that it has read of a file, such as a program's code, is its own or not depending on what
    else runs on this machine: another twin that ends would leave all of them to this one.
    """
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [kib] = [line.split()[1] for line in lines if line.startswith("Anonymous:")]
    return round(int(kib) * 1024 / 1e6)


def more(before: Counter[str], after: Counter[str]) -> Counter[str]:
    """What was added, by name; below 0 what has gone."""
    added = Counter(after)
    added.subtract(before)
    return Counter({name: count for name, count in added.items() if count})
