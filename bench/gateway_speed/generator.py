"""The two clients: wrk for whole answers, the reader of ``programs/streams`` for chunks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from bench.gateway_speed.bodies import file_with
from bench.gateway_speed.candidate import Candidate
from bench.gateway_speed.programs import HERE, Programs
from bench.gateway_speed.results import Load, Point, Streams
from twin.errors import TwinError
from twin.network import Network

STREAMS = 20
PAUSE_MS = 50
ANSWER_CHUNKS = 20
MANY_ANSWER_CHUNKS = 200
"""A stream of 10 s each."""
SECONDS_TO_END = 60


@dataclass(frozen=True)
class Generator:
    network: Network
    programs: Programs
    folder: Path
    """For the bodies."""

    def load(self, candidate: Candidate, point: Point, seconds: int) -> Load:
        """Ask again and again with as many connections as the point says."""
        printed = self._run(
            candidate,
            # One thread is enough for all gateways here, and leaves them the other core.
            *("wrk", "--threads=1", f"--connections={point.at_once}", f"--duration={seconds}s"),
            *("--timeout=30s", "--script", str(HERE / "load.lua"), candidate.url),
            *("--", str(file_with(point, self.folder)), candidate.key),
            seconds=seconds,
        )
        return parsed_load(printed)

    def streams(
        self,
        candidate: Candidate,
        seconds: float,
        at_once: int = STREAMS,
        chunks: int = ANSWER_CHUNKS,
    ) -> Streams:
        """Keep paced streams open until the time is over and their answers have ended."""
        printed = self._run(
            candidate,
            *("streams", "-url", candidate.url, "-key", candidate.key),
            *("-at-once", str(at_once), "-seconds", str(seconds)),
            *("-pause-ms", str(PAUSE_MS), "-chunks", str(chunks)),
            seconds=seconds + chunks * PAUSE_MS / 1000,
        )
        return parsed_streams(printed)

    def _run(self, candidate: Candidate, *argv: str, seconds: float) -> str:
        done = subprocess.run(
            self.network.at(candidate.end, *argv),
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds + SECONDS_TO_END,
        )
        if done.returncode != 0:
            raise TwinError(f"{argv[0]} failed against {candidate.name}:\n{done.stderr}")
        return done.stdout

    @property
    def _environment(self) -> Mapping[str, str]:
        path = f"{self.programs.path}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, **self.programs.debian.environment}


def parsed_load(printed: str) -> Load:
    """The line that ``load.lua`` prints below wrk's own."""
    return TypeAdapter(Load).validate_python(json.loads(printed.splitlines()[-1]))


def parsed_streams(printed: str) -> Streams:
    return TypeAdapter(Streams).validate_json(printed)
