"""What a gateway's processes use: memory and CPU."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import psutil

SECONDS_BETWEEN_LOOKS = 0.2
IDLE_SECONDS = 10
QUIET_LOOKS = 5
"""In a row, until a process rests."""
T = TypeVar("T")


def resident(pids: Iterable[int]) -> dict[str, float]:
    """Resident MB (of 10⁶ bytes) of these processes and their children, by the program's name.

    A container's limit counts each page once, so what processes of one program map of its file, and
    share, is counted for the one that has the most of it.
    """
    own, shared = Counter[str](), dict[str, int]()
    for process in _with_children(pids):
        with suppress(psutil.NoSuchProcess):
            name, memory = process.name(), process.memory_info()
            own[name] += memory.rss - memory.shared
            shared[name] = max(shared.get(name, 0), memory.shared)
    return {name: (size + shared[name]) / 1e6 for name, size in own.items()}


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these processes and their children have computed since they began."""
    used = 0.0
    for process in _with_children(pids):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used


def watched(pids: Iterable[int], work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """The work's result, and the most that each program held while it was done."""
    ended, most = threading.Event(), dict[str, float]()

    def look() -> None:
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            most.update(highest(most, resident(pids)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        return work(), most
    finally:
        ended.set()
        watcher.join()


def highest(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    """For each program the larger of two readings."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in one | other}


def await_idle(pids: Iterable[int]) -> None:
    """Return when these processes and their children rest, or after ten seconds.

    A slow gateway goes on with requests whose client has gone, beside the next measurement.
    """
    deadline, quiet_looks = time.monotonic() + IDLE_SECONDS, 0
    while time.monotonic() < deadline and quiet_looks < QUIET_LOOKS:
        quiet_looks = 0 if _is_working(pids) else quiet_looks + 1
        time.sleep(SECONDS_BETWEEN_LOOKS / QUIET_LOOKS)


def _is_working(pids: Iterable[int]) -> bool:
    """Whether one of them runs, or waits for a processor only."""
    for process in _with_children(pids):
        with suppress(psutil.NoSuchProcess):
            if process.status() == psutil.STATUS_RUNNING:
                return True
    return False


def _with_children(pids: Iterable[int]) -> Iterator[psutil.Process]:
    for pid in pids:
        parent = psutil.Process(pid)
        yield from (parent, *parent.children(recursive=True))
