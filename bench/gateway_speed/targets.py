"""What the gateway is to reach, and whether a run reached it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bench.gateway_speed.names import (
    BARE_TUNNEL,
    DIRECT,
    EMULATED,
    LITELLM,
    LITELLM_2,
    LOOPBACK,
    ONE_CADDY,
    TRAEFIK,
    TUNNEL,
)
from bench.gateway_speed.results import POINTS, Point, Result, Spread, Summary

TIMES_TRAEFIK = 1.3
GATEWAYS_PROGRAMS = ("caddy", "tailscaled")
MANY_STREAMS = 200


@dataclass(frozen=True)
class Verdict:
    target: str
    measured: str
    reached: bool
    floor: str = ""
    """What a smaller part of the way reaches alone, in the same run."""


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
_OF_FRONT = (Point(1, 8), Point(1000, 8), Point(1000, 50))
SHARE_OF_TUNNEL = 0.7
COLD_START_SECONDS = 3
_TIMES_LITELLM = ((Point(1, 8), 40), (Point(1000, 8), 6))


def verdicts(result: Result) -> list[Verdict]:
    """One for each target whose points were measured."""
    return [
        *_beside_traefik(result),
        *_of_the_tunnel(result),
        *_beside_litellm(result),
        *_of_the_front(result),
        *_of_cold_starts(result),
        *_of_memory(result),
        *_of_streams(result),
    ]


def times_traefik(result: Result, point: Point, name: str = LOOPBACK) -> tuple[float, float] | None:
    """A gateway's p50 and p99 on loopback as multiples of Traefik's."""
    ours, theirs = result.summary(name, point), result.summary(TRAEFIK, point)
    if ours is None or theirs is None:
        return None
    return (
        ours.p50_ms.median / theirs.p50_ms.median,
        ours.p99_ms.median / theirs.p99_ms.median,
    )


def _beside_traefik(result: Result) -> Iterator[Verdict]:
    for point in POINTS:
        ratios, one = times_traefik(result, point), times_traefik(result, point, ONE_CADDY)
        if ratios is not None:
            yield Verdict(
                f"{LOOPBACK}, {point}: p50 and p99 ≤ {TIMES_TRAEFIK} times Traefik's",
                _both(ratios),
                max(ratios) <= TIMES_TRAEFIK,
                f"one Caddy: {_both(one)}" if one else "",
            )


def _both(ratios: tuple[float, float]) -> str:
    return f"{ratios[0]:.2f} and {ratios[1]:.2f} times"


def _of_the_tunnel(result: Result) -> Iterator[Verdict]:
    for one in _LIMITS:
        summary, bare = (result.summary(name, one.point) for name in (TUNNEL, BARE_TUNNEL))
        if summary is not None:
            measured = one.of(summary).median
            yield Verdict(
                f"{TUNNEL}, {one.point}: {one.name} {one.sign} {one.limit:g}{one.unit}",
                _figures(measured, one.unit),
                measured <= one.limit if one.sign == "≤" else measured >= one.limit,
                f"{BARE_TUNNEL}: {_figures(one.of(bare).median, one.unit)}" if bare else "",
            )


def _figures(value: float, unit: str) -> str:
    return f"{value:.3g}{unit}" if value < 100 else f"{value:.0f}{unit}"


def _beside_litellm(result: Result) -> Iterator[Verdict]:
    for point, times in _TIMES_LITELLM:
        ours = result.summary(TUNNEL, point)
        for name in (LITELLM, LITELLM_2):
            theirs = result.summary(name, point)
            if ours is not None and theirs is not None:
                ratio = ours.per_second.median / theirs.per_second.median
                less = {
                    part: summary.per_second.median / theirs.per_second.median
                    for part in (BARE_TUNNEL, DIRECT)
                    if (summary := result.summary(part, point))
                }
                yield Verdict(
                    f"{TUNNEL}, {point}: requests/s ≥ {times} times {name}",
                    f"{ratio:.1f} times",
                    ratio >= times,
                    ", ".join(
                        f"{part}: {_figures(value, ' times')}" for part, value in less.items()
                    ),
                )


def _of_the_front(result: Result) -> Iterator[Verdict]:
    allowed = {
        own.point: own.together_ms / (own.together_ms + front.together_ms)
        for own, front in zip(result.costs, result.front_costs, strict=True)
    }
    for point in _OF_FRONT:
        ours, before = result.summary(TUNNEL, point), result.summary(EMULATED, point)
        if ours is not None and before is not None:
            share = before.per_second.median / ours.per_second.median
            yield Verdict(
                f"the twin's front, {point}: requests/s ≥ {SHARE_OF_TUNNEL:.0%} of the tunnel's",
                f"{share:.0%}",
                share >= SHARE_OF_TUNNEL,
                f"its programs' CPU time leaves {allowed[point]:.0%}" if point in allowed else "",
            )


def _of_cold_starts(result: Result) -> Iterator[Verdict]:
    longest = max(result.cold_starts)
    yield Verdict(
        f"{TUNNEL}, from its first process to a good answer: ≤ {COLD_START_SECONDS} s",
        f"{longest:.1f} s, the longest of {len(result.cold_starts)} starts",
        longest <= COLD_START_SECONDS,
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
    for name, part in ((LOOPBACK, ONE_CADDY), (TUNNEL, BARE_TUNNEL)):
        ours, less = result.chunk_p99_ms(name), result.chunk_p99_ms(part)
        if direct is not None and ours is not None:
            added = ours.median - direct.median
            yield Verdict(
                f"{name}, 20 streams: adds ≤ 2 ms to a chunk at p99",
                f"{added:.2f} ms",
                added <= 2,
                f"{part}: {less.median - direct.median:.2f} ms" if less else "",
            )
    many = result.many_streams
    yield Verdict(
        f"{TUNNEL}, {MANY_STREAMS} streams at once for {result.many_seconds:.0f} s: no failure",
        f"{many.failures} of {many.answers} answers failed",
        many.failures == 0,
    )
