"""How much memory a gateway's processes hold."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

import psutil

SECONDS_BETWEEN_LOOKS = 0.2
T = TypeVar("T")


def resident(pids: Iterable[int]) -> dict[str, float]:
    """Resident MB (of 10⁶ bytes) of these processes and their children, by the program's name."""
    found: Counter[str] = Counter()
    for pid in pids:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            try:
                found[process.name()] += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    return {name: size / 1e6 for name, size in found.items()}


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
