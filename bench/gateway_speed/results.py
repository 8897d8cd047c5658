"""What one run of the benchmark has measured, as it is written to JSON and read again."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import TypeAdapter

AT_ONCE = (1, 8, 50)
BODY_KB = (1, 1000)
Percentile = Literal["p50", "p99"]


@dataclass(frozen=True, order=True)
class Point:
    """One kind of load: the size of a request's body, how it is answered, requests at once."""

    body_kb: int
    at_once: int
    streamed: bool = False

    def __str__(self) -> str:
        return f"{self.kind}, {self.at_once} at once"

    @property
    def kind(self) -> str:
        size = "1 MB" if self.body_kb == 1000 else f"{self.body_kb} kB"
        return f"{size}, streamed" if self.streamed else size


POINTS = tuple(
    Point(size, at_once, streamed)
    for size in BODY_KB
    for streamed in (False, True)
    for at_once in AT_ONCE
)
LARGEST = Point(1000, 50)
"""Memory is read during this one."""
COST_POINTS = (Point(1, 8), Point(1000, 8))


@dataclass(frozen=True)
class Load:
    """What the load generator counted in one round at one point; latencies of whole answers."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    """Answers with a status of 400 or more."""
    broken: int
    """Connections that were refused or broke, and answers that took more than 30 s."""

    @property
    def per_second(self) -> float:
        return (self.requests - self.refused) / self.seconds


@dataclass(frozen=True)
class Streams:
    """How late the chunks of many paced streams arrived."""

    answers: int
    failures: int
    failure: str
    """The last one's reason."""
    chunks: int
    p50_ms: float
    p99_ms: float
    longest_ms: float


@dataclass(frozen=True)
class Memory:
    """Resident MB (of 10⁶ bytes) of a gateway's processes, by the program's name."""

    idle: Mapping[str, float]
    """Before any load."""
    during: Mapping[str, float]
    """The most that each had during 1 MB, 50 at once, in any round."""
    after: Mapping[str, float]
    """When the last round had ended."""


@dataclass(frozen=True)
class Cost:
    """What a request costs each process on its way."""

    point: Point
    cpu_ms: Mapping[str, float]
    """For each answer, by what the process does."""
    idle_cores: float
    """Of the machine, on average: near 0 where processors are the limit."""

    @property
    def together_ms(self) -> float:
        return sum(self.cpu_ms.values())


@dataclass(frozen=True)
class LoadRun:
    gateway: str
    point: Point
    round: int
    load: Load


@dataclass(frozen=True)
class StreamsRun:
    gateway: str
    round: int
    streams: Streams


@dataclass(frozen=True)
class Spread:
    """The median of some rounds with the lowest and the highest."""

    median: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        return cls(statistics.median(values), min(values), max(values))


@dataclass(frozen=True)
class Summary:
    """All rounds of one gateway at one point."""

    per_second: Spread
    p50_ms: Spread
    p99_ms: Spread
    failures: int

    def time(self, of: Percentile) -> float:
        return (self.p50_ms if of == "p50" else self.p99_ms).median


@dataclass(frozen=True, kw_only=True)
class Result:
    date: str
    machine: str
    versions: Mapping[str, str]
    gateways: Sequence[str]
    """In the order of the tables."""
    rounds: int
    direct_path: bool
    """Whether the tunnel's two ends spoke to each other without the relay."""
    loads: Sequence[LoadRun]
    streams: Sequence[StreamsRun]
    """20 at once."""
    many_streams: Streams
    """200 at once, through the whole tunnel."""
    many_seconds: float
    memory: Mapping[str, Memory]
    costs: Sequence[Cost]
    """Through the whole tunnel."""
    front_costs: Sequence[Cost]
    """What the twin's front adds at the same points."""
    cold_starts: Sequence[float]
    """Seconds from the start of a second gateway's first process to its first good answer."""
    idle_seconds: float
    """How long the second gateway was asked nothing."""
    after_idle_ms: Sequence[float]
    """Its answers after that, one after another."""

    def summary(self, gateway: str, point: Point) -> Summary | None:
        """``None`` where not one answer was counted."""
        loads = [r.load for r in self.loads if (r.gateway, r.point) == (gateway, point)]
        counted = [load for load in loads if load.requests]
        if not counted:
            return None
        return Summary(
            Spread.of([load.per_second for load in counted]),
            Spread.of([load.p50_ms for load in counted]),
            Spread.of([load.p99_ms for load in counted]),
            sum(load.refused + load.broken for load in loads),
        )

    def chunk_p99_ms(self, gateway: str) -> Spread | None:
        """How late a chunk arrives at the 99th percentile, 20 streams at once."""
        values = [r.streams.p99_ms for r in self.streams if r.gateway == gateway]
        return Spread.of(values) if values else None

    def write(self, file: Path) -> None:
        file.write_bytes(_RESULT.dump_json(self, indent=1))

    @classmethod
    def read(cls, file: Path) -> Result:
        return _RESULT.validate_json(file.read_bytes())


_RESULT = TypeAdapter(Result)
