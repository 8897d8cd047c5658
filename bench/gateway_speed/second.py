"""A second gateway with a tunnel of its own, which nobody asks while the others are measured.

It tells how soon a gateway answers that was just started, and one that had nothing to do for some
minutes. Its containers start as on Cloud Run: Caddy's after Tailscale's has passed its probe.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.gateway_speed import first, ours
from bench.gateway_speed.bodies import file_with
from bench.gateway_speed.candidate import API_KEY
from bench.gateway_speed.results import Point
from bench.gateway_speed.stage import ROOT, Place
from infra.gcp import containers
from infra.gcp.tunnel import TAILSCALE_PORT
from twin.errors import TwinError
from twin.network import End
from twin.parts.part import Part

END: End = "cloud-next"
PORT = containers.PUBLIC_PORT + 10
PROBE_SECONDS = 1
"""Between two tries of Cloud Run's startup probe (infra/gcp/containers.py)."""
HEALTHY = (
    "import http.client as h\n"
    f"c = h.HTTPConnection('127.0.0.1', {TAILSCALE_PORT}, timeout={PROBE_SECONDS})\n"
    "c.request('GET', '/healthz')\n"
    "assert c.getresponse().status == 200"
)
ANSWERS_AFTER_IDLE = 3


@dataclass(frozen=True)
class Second:
    """It runs."""

    place: Place
    starts: Sequence[float]
    """Seconds from each start of its first process to its first good answer."""
    idle_since: float

    def after_idle(self, seconds: float) -> tuple[float, list[float]]:
        """How many seconds it was idle, at least these, and what the next answers took in ms."""
        time.sleep(max(0, self.idle_since + seconds - time.monotonic()))
        moments = _answers(_asking(self.place, ANSWERS_AFTER_IDLE))
        took = [1000 * (answered - begun) for begun, answered in moments]
        return moments[0][0] - self.idle_since, took


def started(place: Place, times: int) -> Second:
    """Start it so often, and leave the last one running."""
    seconds, answered = list[float](), 0.0
    for number in range(times):
        folder = place.folder / f"start-{number}"
        folder.mkdir()
        tailscale = ours.tailscale(place.network, place.paths, place.path, folder, END)
        caddy = ours.caddys(place.network, END, folder, ours.to_home(), PORT)
        if number:
            place.stop(caddy.name)
            place.stop(tailscale.name)
        begun, answered = _start(place, tailscale, caddy)
        seconds.append(answered - begun)
    return Second(place, seconds, answered)


def _start(place: Place, tailscale: Part, caddy: Part) -> tuple[float, float]:
    """When its first process began, and when the first good answer had come."""
    client = _asking(place, 1)
    begun = time.monotonic()
    place.start(replace(tailscale, is_ready=lambda: True))
    while not _is_healthy(place):
        if time.monotonic() > begun + first.PATIENCE_SECONDS:
            client.kill()
            raise TwinError("the second gateway's Tailscale does not join")
        time.sleep(PROBE_SECONDS)
    place.start(replace(caddy, is_ready=lambda: True))
    [(_, answered)] = _answers(client)
    return begun, answered


def _is_healthy(place: Place) -> bool:
    argv = place.network.at(END, sys.executable, "-S", "-c", HEALTHY)
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def _asking(place: Place, count: int) -> subprocess.Popen[str]:
    """A client that asks until it has so many good answers."""
    body = file_with(Point(1, 1), place.folder)
    module = (sys.executable, "-m", "bench.gateway_speed.first")
    argv = place.network.at(END, *module, str(PORT), API_KEY, str(body), str(count))
    return subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def _answers(client: subprocess.Popen[str]) -> list[tuple[float, float]]:
    printed, _ = client.communicate()
    if client.returncode != 0:
        raise TwinError("the second gateway does not answer")
    return [(begun, answered) for begun, answered in json.loads(printed)]
