"""Some connections that ask again and again; run in the gateway's network namespace.

`python -m bench.round_trip.client PORT KEY FILE AT_ONCE SECONDS` prints a line of JSON. wrk, which
the other benchmark has, takes a `100 Continue` for an answer.
"""

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from dataclasses import asdict
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from bench.gateway_speed.results import Load

PATH = "/v1/chat/completions"
TIMEOUT_SECONDS = 30


def ask_until(end: float, port: int, key: str, body: bytes, taken: list[tuple[float, int]]) -> None:
    """On one connection, once at least; ``taken`` gets each answer's ms and status, 0 for none."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    while True:
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
        taken.append((1000 * (now - begun), status))
        if now >= end:
            break
    connection.close()


def load(port: int, key: str, body: bytes, at_once: int, seconds: float) -> Load:
    """As many connections as asked for, each in a thread."""
    taken: list[tuple[float, int]] = []
    begun = time.monotonic()
    arguments = (begun + seconds, port, key, body, taken)
    threads = [threading.Thread(target=ask_until, args=arguments) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(milliseconds for milliseconds, _ in taken)
    return Load(
        requests=len(taken),
        seconds=time.monotonic() - begun,
        p50_ms=statistics.median(times),
        p99_ms=times[min(len(times) - 1, int(0.99 * len(times)))],
        refused=sum(status >= 400 for _, status in taken),
        broken=sum(status == 0 for _, status in taken),
    )


if __name__ == "__main__":
    _, port, key, file, at_once, seconds = sys.argv
    found = load(int(port), key, Path(file).read_bytes(), int(at_once), float(seconds))
    print(json.dumps(asdict(found)))
