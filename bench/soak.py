"""Eight clients ask a twin of its own for an hour: what fails, what grows.

    python -m bench.soak [--minutes 60]

Each asks for the objects of a picture of its own, as a stream, one question after another, and at
most one in 2.5 s. The instance of the gateway stays up all the time, so what grows is seen.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.faults.streams import Streams, steady_streams
from tests.twin.conftest import HubUnderTest, temporary_twin

MARKS = 6
WARM_SECONDS = 120
"""Until the first look: caches fill, and connections are made."""
GREW_MOST = 5


@dataclass(frozen=True)
class Look:
    """The twin at one moment."""

    megabytes: Counter[str]
    """That the processes of each name keep for themselves."""
    files: int
    """Open ones, sockets among them."""
    processes: int


def look(hub: HubUnderTest) -> Look:
    megabytes: Counter[str] = Counter()
    files = processes = 0
    for pid, name in hub.processes.items():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
            megabytes[name] += round(psutil.Process(pid).memory_full_info().uss / 1e6)
            files += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
            processes += 1
    return Look(megabytes, files, processes)


def soaked(hub: HubUnderTest, seconds: float) -> Iterator[str]:
    """Lines of Markdown, each as soon as it is known."""
    with steady_streams(hub) as streams:
        time.sleep(WARM_SECONDS)
        first, begun = look(hub), time.monotonic()
        yield "| minute | asked | right | failed | memory | open files | processes |"
        yield "|---" * 7 + "|"
        yield _row(0, streams, first)
        last = first
        for mark in range(1, MARKS + 1):
            time.sleep(max(0, begun + mark * seconds / MARKS - time.monotonic()))
            last = look(hub)
            yield _row(mark * seconds / MARKS / 60, streams, last)
        others = [one for one in streams.requests if one.outcome != "right"]
    yield ""
    for detail, count in Counter(f"{one.outcome}: {one.detail}" for one in others).most_common():
        yield f"- {count} {detail}"
    grew = Counter(last.megabytes)
    grew.subtract(first.megabytes)
    most = ", ".join(f"{name} {more:+d} MB" for name, more in grew.most_common(GREW_MOST))
    yield f"Grew most: {most}."


def _row(minute: float, streams: Streams, seen: Look) -> str:
    outcomes = Counter(one.outcome for one in list(streams.requests))
    cells = (
        f"{minute:g}",
        f"{outcomes.total():,}",
        f"{outcomes['right']:,}",
        f"{outcomes.total() - outcomes['right']:,}",
        f"{seen.megabytes.total():,} MB",
        f"{seen.files:,}",
        f"{seen.processes}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    minutes: float = parser.parse_args().minutes
    with temporary_twin({"HUB_IDLE_SECONDS": "900"}) as hub:
        for line in soaked(hub, minutes * 60):
            print(line, flush=True)


if __name__ == "__main__":
    main()
