"""Eight clients ask a twin of its own for an hour: what fails, what grows.

    python -m bench.soak [--minutes 60]

Each asks for the objects of a picture of its own, as a stream, one question after another, and at
most one in 2.5 s. The instance of the gateway stays up all the time, so what grows is seen.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median

from tests.faults.look import Look, look, more
from tests.faults.streams import Request, steady_streams
from tests.twin.conftest import HubUnderTest, temporary_twin

MARKS = 6
WARM_SECONDS = 120
"""Until the first look: caches fill, and connections are made."""
GREW_MOST = 5


def soaked(hub: HubUnderTest, seconds: float) -> Iterator[str]:
    """Lines of Markdown, each as soon as it is known."""
    with steady_streams(hub) as streams:
        time.sleep(WARM_SECONDS)
        looks = [look(hub)]
        yield "| minute | asked | right | failed | median answer | memory | open files |"
        yield "|---" * 7 + "|"
        for mark in range(1, MARKS + 1):
            until = looks[0].moment + mark * seconds / MARKS
            time.sleep(max(0, until - time.monotonic()))
            looks.append(look(hub))
            asked = streams.since(looks[-2].moment)
            yield row(round(mark * seconds / MARKS / 60), asked, looks[-1])
        others = [one for one in streams.requests if one.outcome != "right"]
    yield ""
    for detail, count in Counter(f"{one.outcome}: {one.detail}" for one in others).most_common():
        yield f"- {count} {detail}"
    # From the second look on: in the first minutes caches still fill.
    yield f"Megabytes that grew most: {grown(looks[1].memory, looks[-1].memory)}."
    yield f"Open files that grew most: {grown(looks[1].files, looks[-1].files)}."


def grown(before: Counter[str], after: Counter[str]) -> str:
    """Of which processes more is there than before, the most first."""
    most = more(before, after).most_common(GREW_MOST)
    return ", ".join(f"{name} {count:+d}" for name, count in most)


def row(minute: int, asked: Sequence[Request], seen: Look) -> str:
    """What was asked since the look before."""
    right = sum(one.outcome == "right" for one in asked)
    cells = (
        f"{minute}",
        f"{len(asked):,}",
        f"{right:,}",
        f"{len(asked) - right:,}",
        f"{median(one.ended - one.begun for one in asked):.1f} s",
        f"{seen.memory.total():,} MB",
        f"{seen.files.total():,}",
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
