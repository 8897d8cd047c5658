"""Rounds in which every gateway is measured at every point, one after another."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from bench.gateway_speed import names, ours, processes, second
from bench.gateway_speed.candidate import Candidate
from bench.gateway_speed.generator import MANY_ANSWER_CHUNKS, Generator
from bench.gateway_speed.programs import LITELLM, Programs
from bench.gateway_speed.results import (
    AT_ONCE,
    COST_POINTS,
    LARGEST,
    POINTS,
    Cost,
    LoadRun,
    Memory,
    Point,
    Result,
    StreamsRun,
)
from bench.gateway_speed.stage import Stage
from bench.gateway_speed.targets import MANY_STREAMS

VERSION = re.compile(r"\d+\.\d+\.\d+")
WARM_UP = Point(1, 8)
STREAMS_SECONDS = 1
COST_SECONDS = 5
COLD_STARTS = 5
TIMES_FOR_SLOW_ONES = {1: 1, 8: 1, 50: 4}
"""How much longer a slow gateway is measured, by requests at once: each client needs an answer."""
ROUNDS_OF_SLOW_ONES = 2
"""Each so many rounds they are measured, too."""


@dataclass(frozen=True)
class Effort:
    rounds: int
    seconds: int
    """Of one load."""
    many_seconds: float
    idle_seconds: float
    """Of the second gateway, at least."""
    at_once: Sequence[int] = AT_ONCE

    @property
    def points(self) -> list[Point]:
        return [point for point in POINTS if point.at_once in self.at_once]


def seconds_for(candidate: Candidate, point: Point, seconds: int) -> int:
    return seconds * TIMES_FOR_SLOW_ONES[point.at_once] if candidate.is_slow else seconds


def turns(candidates: Sequence[Candidate], round_: int) -> list[Candidate]:
    """Who is measured in a round, and in which order: each round begins with another one."""
    first = round_ % len(candidates)
    return [
        candidate
        for candidate in (*candidates[first:], *candidates[:first])
        if not candidate.is_slow or round_ % ROUNDS_OF_SLOW_ONES == 0
    ]


def measure(stage: Stage, programs: Programs, path: str, effort: Effort) -> Result:
    generator = Generator(stage.place.network, programs, stage.place.folder)
    idle = {name: processes.resident(pids) for name, pids in stage.pids.items()}
    other = second.started(stage.place, COLD_STARTS)
    print(f"  a second gateway answers after {_seconds(other.starts)} s", flush=True)
    during = {name: dict[str, float]() for name in stage.pids}
    for candidate in stage.candidates:
        generator.load(candidate, WARM_UP, 1)

    def loaded(candidate: Candidate, point: Point, round_: int) -> LoadRun:
        seconds = seconds_for(candidate, point, effort.seconds)
        if point == LARGEST:
            load, most = processes.watched(
                stage.pids[candidate.name], lambda: generator.load(candidate, point, seconds)
            )
            during[candidate.name] = processes.highest(during[candidate.name], most)
        else:
            load = generator.load(candidate, point, seconds)
        if candidate.is_slow:
            processes.await_idle(stage.pids[candidate.name])
        return LoadRun(candidate.name, point, round_, load)

    def rounds() -> Iterator[LoadRun]:
        for round_ in range(effort.rounds):
            for point in effort.points:
                runs = [loaded(c, point, round_) for c in turns(stage.candidates, round_)]
                print(f"  round {round_ + 1}, {point}: {_told(runs)}", flush=True)
                yield from runs

    loads = list(rounds())
    after = {name: processes.resident(pids) for name, pids in stage.pids.items()}
    streams = [
        StreamsRun(candidate.name, round_, generator.streams(candidate, STREAMS_SECONDS))
        for round_ in range(effort.rounds)
        for candidate in turns(stage.candidates, round_)
    ]
    tunnel, emulated = stage.named(names.TUNNEL), stage.named(names.EMULATED)
    costs = [cost(generator, tunnel, stage.way, point) for point in COST_POINTS]
    front_costs = [cost(generator, emulated, stage.front, point) for point in COST_POINTS]
    print(f"  {MANY_STREAMS} streams for {effort.many_seconds:.0f} s", flush=True)
    many = generator.streams(tunnel, effort.many_seconds, MANY_STREAMS, MANY_ANSWER_CHUNKS)
    idle_seconds, after_idle = other.after_idle(effort.idle_seconds)
    return Result(
        date=datetime.now(UTC).date().isoformat(),
        machine=_machine(),
        versions=_versions(programs, path),
        gateways=[candidate.name for candidate in stage.candidates],
        rounds=effort.rounds,
        direct_path=ours.is_direct(stage.place.folder, path),
        loads=loads,
        streams=streams,
        many_streams=many,
        many_seconds=effort.many_seconds,
        memory={
            name: Memory(idle[name], during[name], after[name]) for name in stage.pids if idle[name]
        },
        costs=costs,
        front_costs=front_costs,
        cold_starts=other.starts,
        idle_seconds=idle_seconds,
        after_idle_ms=after_idle,
    )


def cost(
    generator: Generator, candidate: Candidate, way: Mapping[str, Sequence[int]], point: Point
) -> Cost:
    """Load a gateway at one point, and see what each process on the way computes for it."""
    idle, begun = psutil.cpu_times().idle, time.monotonic()
    before = {what: processes.cpu_seconds(pids) for what, pids in way.items()}
    load = generator.load(candidate, point, COST_SECONDS)
    used = {what: processes.cpu_seconds(pids) - before[what] for what, pids in way.items()}
    return Cost(
        point=point,
        cpu_ms={what: 1000 * spent / load.requests for what, spent in used.items()},
        idle_cores=(psutil.cpu_times().idle - idle) / (time.monotonic() - begun),
    )


def _seconds(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _told(runs: Sequence[LoadRun]) -> str:
    return ", ".join(
        f"{run.gateway} {run.load.per_second:,.0f}/s {run.load.p50_ms:.2f} ms" for run in runs
    )


def _machine() -> str:
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}"


def _versions(programs: Programs, path: str) -> dict[str, str]:
    """What each program says of itself."""
    commands = {
        "nginx": ("nginx", "-v"),
        "HAProxy": ("haproxy", "-v"),
        "Traefik": ("traefik", "version"),
        "Caddy": ("caddy", "version"),
        "tailscaled": ("tailscaled", "--version"),
        "wrk": ("wrk", "-v"),
    }
    env = {
        **os.environ,
        "PATH": f"{programs.path}{os.pathsep}{path}",
        **programs.debian.environment,
    }
    printed = {
        name: subprocess.run(
            command,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        ).stdout
        for name, command in commands.items()
    }
    printed["LiteLLM"] = LITELLM.read_text().partition("\nlitellm==")[2]
    return {name: VERSION.findall(text)[0] for name, text in printed.items()}
