"""Some connections that ask again and again; run in the gateway's network namespace.

`python -m bench.round_trip.client PORT KEY FILE AT_ONCE WARM_UP SECONDS PAUSE` prints a line of
JSON. wrk, which the other benchmark has, takes a `100 Continue` for an answer.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from bench.gateway_speed.results import Load

PATH = "/v1/chat/completions"
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Times:
    """When answers count: those whose question is sent between these two moments."""

    warm: float
    end: float
    pause: float
    """Seconds before each question."""

    @classmethod
    def from_now(cls, warm_up: float, seconds: float, pause: float = 0) -> Self:
        warm = time.monotonic() + warm_up
        return cls(warm, warm + seconds, pause)


def ask_until(
    times: Times, port: int, key: str, body: bytes, taken: list[tuple[float, int]]
) -> None:
    """On one connection, until one counts at least; ``taken`` gets those answers' ms and status, 0
    for none.
    """
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    while True:
        time.sleep(times.pause)
        begun = time.monotonic()
        try:
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, HTTPException):
            connection.close()
            status = 0
        now = time.monotonic()
        if begun >= times.warm:
            taken.append((1000 * (now - begun), status))
            if now >= times.end:
                break
    connection.close()


def load(port: int, key: str, body: bytes, at_once: int, times: Times) -> Load:
    """As many connections as asked for, each in a thread."""
    taken: list[tuple[float, int]] = []
    arguments = (times, port, key, body, taken)
    threads = [threading.Thread(target=ask_until, args=arguments) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken_ms = sorted(milliseconds for milliseconds, _ in taken)
    return Load(
        requests=len(taken),
        seconds=time.monotonic() - times.warm,
        p50_ms=statistics.median(taken_ms),
        p99_ms=taken_ms[min(len(taken_ms) - 1, int(0.99 * len(taken_ms)))],
        refused=sum(status >= 400 for _, status in taken),
        broken=sum(status == 0 for _, status in taken),
    )


if __name__ == "__main__":
    _, port, key, file, at_once, *durations = sys.argv
    found = load(
        *(int(port), key, Path(file).read_bytes(), int(at_once)),
        Times.from_now(*map(float, durations)),
    )
    print(json.dumps(asdict(found)))
