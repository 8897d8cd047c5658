"""What the gateway is to reach, and whether a run reached it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.gateway_speed.names import DIRECT, LITELLM, LITELLM_2, LOOPBACK, TRAEFIK, TUNNEL
from bench.gateway_speed.results import POINTS, Point, Result, Spread, Summary

TIMES_TRAEFIK = 1.3
GATEWAYS_PROGRAMS = ("caddy", "tailscaled")
MANY_STREAMS = 200


@dataclass(frozen=True)
class Verdict:
    target: str
    measured: str
    reached: bool


@dataclass(frozen=True)
class _Limit:
    """The whole tunnel's at one point."""

    point: Point
    name: str
    of: Callable[[Summary], Spread]
    sign: Literal["≤", "≥"]
    limit: float
    unit: str


_LIMITS = (
    _Limit(Point(1, 1), "p50", lambda s: s.p50_ms, "≤", 0.9, " ms"),
    _Limit(Point(1, 8), "p50", lambda s: s.p50_ms, "≤", 3, " ms"),
    _Limit(Point(1000, 8), "requests", lambda s: s.per_second, "≥", 200, "/s"),
    _Limit(Point(1000, 50), "p99", lambda s: s.p99_ms, "≤", 600, " ms"),
)
_TIMES_LITELLM = ((Point(1, 8), 40), (Point(1000, 8), 6))


def verdicts(result: Result) -> list[Verdict]:
    """One for each target whose points were measured."""
    return [
        *_beside_traefik(result),
        *_of_the_tunnel(result),
        *_beside_litellm(result),
        *_of_memory(result),
        *_of_streams(result),
    ]


def times_traefik(result: Result, point: Point) -> tuple[float, float] | None:
    """The gateway's p50 and p99 on loopback as multiples of Traefik's."""
    ours, theirs = result.summary(LOOPBACK, point), result.summary(TRAEFIK, point)
    if ours is None or theirs is None:
        return None
    return (
        ours.p50_ms.median / theirs.p50_ms.median,
        ours.p99_ms.median / theirs.p99_ms.median,
    )


def _beside_traefik(result: Result) -> Iterator[Verdict]:
    for point in POINTS:
        ratios = times_traefik(result, point)
        if ratios is not None:
            p50, p99 = ratios
            yield Verdict(
                f"{LOOPBACK}, {point}: p50 and p99 ≤ {TIMES_TRAEFIK} times Traefik's",
                f"{p50:.2f} and {p99:.2f} times",
                max(p50, p99) <= TIMES_TRAEFIK,
            )


def _of_the_tunnel(result: Result) -> Iterator[Verdict]:
    for one in _LIMITS:
        summary = result.summary(TUNNEL, one.point)
        if summary is not None:
            measured = one.of(summary).median
            yield Verdict(
                f"{TUNNEL}, {one.point}: {one.name} {one.sign} {one.limit:g}{one.unit}",
                f"{measured:.3g}{one.unit}" if measured < 100 else f"{measured:.0f}{one.unit}",
                measured <= one.limit if one.sign == "≤" else measured >= one.limit,
            )


def _beside_litellm(result: Result) -> Iterator[Verdict]:
    for point, times in _TIMES_LITELLM:
        ours = result.summary(TUNNEL, point)
        for name in (LITELLM, LITELLM_2):
            theirs = result.summary(name, point)
            if ours is not None and theirs is not None:
                ratio = ours.per_second.median / theirs.per_second.median
                yield Verdict(
                    f"{TUNNEL}, {point}: requests/s ≥ {times} times {name}",
                    f"{ratio:.1f} times",
                    ratio >= times,
                )


def _of_memory(result: Result) -> Iterator[Verdict]:
    memory = result.memory.get(TUNNEL)
    if memory is None:
        return
    after = memory.after if memory.during else dict[str, float]()
    for when, programs, limit in (
        ("idle", memory.idle, 120),
        ("during 1 MB, 50 at once", memory.during, 300),
        ("after 1 MB, 50 at once", after, 300),
    ):
        both = together(programs)
        if both:
            target = f"Caddy and tailscaled together, {when}: ≤ {limit} MB"
            yield Verdict(target, f"{both:.0f} MB", both <= limit)


def together(programs: Mapping[str, float]) -> float:
    """MB of Caddy's processes and tailscaled; 0 where they were not read."""
    return sum(programs.get(name, 0) for name in GATEWAYS_PROGRAMS)


def _of_streams(result: Result) -> Iterator[Verdict]:
    direct = result.chunk_p99_ms(DIRECT)
    for name in (LOOPBACK, TUNNEL):
        ours = result.chunk_p99_ms(name)
        if direct is not None and ours is not None:
            added = ours.median - direct.median
            yield Verdict(
                f"{name}, 20 streams: adds ≤ 2 ms to a chunk at p99",
                f"{added:.2f} ms",
                added <= 2,
            )
    many = result.many_streams
    yield Verdict(
        f"{TUNNEL}, {MANY_STREAMS} streams at once for {result.many_seconds:.0f} s: no failure",
        f"{many.failures} of {many.answers} answers failed",
        many.failures == 0,
    )
