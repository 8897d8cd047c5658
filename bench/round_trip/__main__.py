"""What a round trip between gateway and home costs, and which protocol loses least by it.

    .venv/bin/python -m bench.round_trip [--docs]

The whole tunnel in network namespaces of its own, with a line between the ends that delays each
frame. The second Caddy asks home in three ways, in turns. Needs what `bench.gateway_speed` needs,
root, and about 5 minutes; ``--docs`` writes its table into docs/benchmarks.md.

How fast a connection is depends on what it carried before: eight pictures at once make it slow for
a single one that follows. So each column of the table begins with new connections, and what is
asked in a load's first second does not count.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product

from rich.console import Console

from bench.gateway_speed import ours, page, programs, stage
from bench.gateway_speed.bodies import file_with
from bench.gateway_speed.candidate import Candidate
from bench.gateway_speed.generator import parsed_load
from bench.gateway_speed.results import Load, Point, Spread
from bench.round_trip import cable
from bench.round_trip.ways import ways
from infra.gcp import containers
from twin.errors import TwinError
from twin.network import ADDRESSES, Network, run
from twin.parts.part import Part
from twin.toolchain.ensure import ensure

ROUND_TRIPS_MS = (20, 80)
ROUNDS = 3
WARM_UP_SECONDS = 1
"""Of one load, in which nothing counts."""
HTTP_1_TRIES = 5
"""Over HTTP/1 an answer that begins early may be cut off (decision 11)."""
LINE = "line"
QUEUE_FRAMES = 50_000
"""For each end. With the kernel's 1,000 the line lost a few in a thousand, in bursts, and a loss is
another thing than a distance."""
BEGIN, END = "<!-- round trip -->", "<!-- end of round trip -->"


@dataclass(frozen=True)
class Column:
    """What is asked."""

    point: Point
    seconds: float = 3
    """Of one load, in which answers count."""
    pause: float = 0
    """Seconds before each question: a connection does not keep its speed for so long."""

    def __str__(self) -> str:
        return f"{self.point}, each after {self.pause} s" if self.pause else str(self.point)


COLUMNS = (
    Column(Point(1, 1), seconds=1),
    Column(Point(1000, 1)),
    Column(Point(1000, 1), pause=0.5),
    Column(Point(1000, 8)),
)
Loads = Mapping[tuple[int, str, Column], list[Load]]
"""One for each round, by round trip, way and column."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--docs", action="store_true", help="write docs/benchmarks.md")
    arguments = parser.parse_args()
    try:
        measured = "\n".join(table(_measured())) + "\n"
    except TwinError as error:
        raise SystemExit(str(error)) from None
    print(measured)
    if arguments.docs:
        text = page.PAGE.read_text()
        page.PAGE.write_text(page.with_section(text, measured, BEGIN, END))


def _measured() -> Loads:
    tools, own = ensure(Console()), programs.ensure()
    with stage.namespaces(own, tools.path) as place:
        stage.home_of(place)
        place.start(ours.tailscale(place.network, place.paths, place.path, place.folder))
        loads: dict[tuple[int, str, Column], list[Load]] = {}
        for milliseconds in ROUND_TRIPS_MS:
            with _far(place, milliseconds):
                for column in COLUMNS:
                    with _candidates(place) as candidates:
                        if column == COLUMNS[0]:
                            _check(place, candidates)
                        for _, candidate in product(range(ROUNDS), candidates):
                            load = _load(place, candidate, column)
                            row = (milliseconds, candidate.name, column)
                            loads.setdefault(row, []).append(load)
                            told = f"{load.per_second:,.0f}/s {load.p50_ms:.1f} ms"
                            print(f"  {milliseconds} ms, {column}, {candidate.name}: {told}")
    return loads


def _check(place: stage.Place, candidates: list[Candidate]) -> None:
    """Whether all answer, over the line and not through the relay.

    Raises:
        TwinError: they do not.
    """
    for candidate in candidates:
        for left in reversed(range(HTTP_1_TRIES if "HTTP/1" in candidate.name else 1)):
            try:
                stage.check(place.network, candidate)
                break
            except TwinError:
                if not left:
                    raise
    if not ours.is_direct(place.folder, place.path):
        raise TwinError("the tunnel's two ends speak through the relay")


@contextmanager
def _candidates(place: stage.Place) -> Generator[list[Candidate]]:
    """A gateway for each way, with connections of its own."""
    candidates = list[Candidate]()
    for number, (name, crossing) in enumerate(ways().items()):
        port = containers.PUBLIC_PORT + 10 * number
        both = ours.caddys(place.network, "cloud", place.folder, crossing, port)
        place.start(both)
        candidates.append(Candidate(name, port, (both,), end="cloud"))
    yield candidates
    for candidate in candidates:
        for part in candidate.parts:
            place.stop(part.name)


@contextmanager
def _far(place: stage.Place, milliseconds: int) -> Generator[None]:
    """Home is behind the line while this lasts."""
    network = place.network
    argv = cable.line(network, milliseconds / 2)
    place.start(Part(name=LINE, argv=argv, is_ready=lambda: cable.is_there(network)))
    queues = [f"ip link set {device} txqueuelen {QUEUE_FRAMES}" for device in cable.DEVICES]
    run(network, "inet", queues)
    with cable.laid(network):
        taken = _round_trip_ms(network)
        if taken < milliseconds:
            raise TwinError(f"the line's round trip is {taken:.1f} ms, not {milliseconds} ms")
        print(f"  a round trip of {taken:.1f} ms")
        yield
        for device in cable.DEVICES:
            if lost := _lost_frames(network, device):
                raise TwinError(f"the line lost {lost} frames: this machine is too slow for it")
    place.stop(LINE)


def _load(place: stage.Place, candidate: Candidate, column: Column) -> Load:
    file = file_with(column.point, place.folder)
    module = (sys.executable, "-m", "bench.round_trip.client")
    what = (str(candidate.port), candidate.key, str(file), str(column.point.at_once))
    times = map(str, (WARM_UP_SECONDS, column.seconds, column.pause))
    argv = place.network.at(candidate.end, *module, *what, *times)
    done = subprocess.run(argv, cwd=stage.ROOT, capture_output=True, text=True, check=True)
    return parsed_load(done.stdout)


def _lost_frames(network: Network, device: str) -> int:
    argv = network.at("inet", "ip", "-json", "-statistics", "link", "show", device)
    shown = subprocess.run(argv, capture_output=True, check=True).stdout
    return int(json.loads(shown)[0]["stats64"]["tx"]["dropped"])


def _round_trip_ms(network: Network) -> float:
    """From the cloud to home and back: a connection to a port where nobody listens."""
    code = (
        "import socket, time\n"
        "for _ in range(2):\n"  # the first one also asks for the address of home's device
        "    begun, one = time.monotonic(), socket.socket()\n"
        f"    one.connect_ex(({ADDRESSES['home']!r}, 9))\n"
        "print(1000 * (time.monotonic() - begun))"
    )
    done = subprocess.run(
        network.at("cloud", sys.executable, "-S", "-c", code),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def table(loads: Loads) -> Iterator[str]:
    """Markdown: a row for each round trip and way."""
    yield from page.table(
        ("round trip, way", *map(str, COLUMNS)),
        [
            (f"{ms} ms, {way}", *(_cell(loads[ms, way, column]) for column in COLUMNS))
            for ms, way in dict.fromkeys((ms, way) for ms, way, _ in loads)
        ],
    )


def _cell(loads: list[Load]) -> str:
    p50 = Spread.of([load.p50_ms for load in loads])
    failed = sum(load.refused + load.broken for load in loads)
    told = f"{p50.median:,.1f} ({p50.lowest:,.1f} to {p50.highest:,.1f})"
    return f"{told}, {failed} failed" if failed else told


if __name__ == "__main__":
    main()
