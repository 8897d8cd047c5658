"""How long the first questions take when the gateway was scaled to zero: many starts, one twin.

    HUB_STATE=/tmp/cold HUB_IDLE_SECONDS=2 HUB_GATEWAY_PORT=28080 HUB_CLIENT_PORT=28501 \\
        HUB_KUBERNETES_PORT=26443 HUB_PROVIDERS_PORT=27731 hub up
    HUB_STATE=/tmp/cold python bench/cold_start.py 50

Each start waits for the emulator's own idle stop, then asks in one of five ways, in turn. Prints a
line per start, and the time line: medians and maxima in seconds after the request was sent.
"""

from __future__ import annotations

import base64
import io
import re
import secrets
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, cast

import httpx2
from PIL import Image

from hub.connection import connection
from twin.parts import system
from twin.paths import TwinPaths, state_dir
from twin.settings import TwinSettings

QUESTION = "What is in this picture?"
IDLE_PATIENCE_SECONDS = 120
BYTES_OF_PICTURE = 5_000_000
SHAPES: tuple[tuple[str, int, bool, bool], ...] = (
    # name, requests at once, with a 5 MB picture, streamed
    ("text", 1, False, False),
    ("text, streamed", 1, False, True),
    ("5 MB picture", 1, True, False),
    ("5 MB picture, streamed", 1, True, True),
    ("8 at once, half with 5 MB", 8, True, True),
)


@dataclass(frozen=True)
class Answer:
    """One request's end."""

    status: int
    first_byte: float
    """Seconds from sending."""


def picture() -> str:
    """A 5 MB data URL: a small PNG of noise, and bytes that its decoder skips."""
    file = io.BytesIO()
    Image.effect_noise((600, 400), 64).save(file, "PNG")
    filler = secrets.token_bytes(BYTES_OF_PICTURE * 3 // 4 - len(file.getvalue()))
    return f"data:image/png;base64,{base64.b64encode(file.getvalue() + filler).decode()}"


def question(url: str | None, *, streamed: bool) -> dict[str, Any]:
    text = {"type": "text", "text": QUESTION}
    image = [{"type": "image_url", "image_url": {"url": url}}] if url else []
    return {
        "model": "vlm",
        "max_tokens": 12,
        "temperature": 0,
        "stream": streamed,
        "messages": [{"role": "user", "content": [*image, text]}],
    }


def ask(url: str, key: str, body: dict[str, Any]) -> Answer:
    begun = time.monotonic()
    headers = {"Authorization": f"Bearer {key}"}
    with (
        httpx2.Client(timeout=120, trust_env=False) as http,
        http.stream("POST", f"{url}/v1/chat/completions", headers=headers, json=body) as answer,
    ):
        first = 0.0
        for _ in answer.iter_raw():
            first = first or time.monotonic() - begun
        return Answer(answer.status_code, first)


def instances(paths: TwinPaths) -> list[dict[str, Any]]:
    [service] = system.services(paths) or []
    return cast("list[dict[str, Any]]", service["instances"])


def first_contact(paths: TwinPaths) -> tuple[float, float]:
    """Seconds after tailscaled's start: the network map is here; the first packet from home."""
    text = (paths.logs / "run" / "home-gateway-tailscale.log").read_text(errors="replace")
    joined = re.findall(r"new contact: control-netmap usec=(\d+)", text)[-1]
    home = re.findall(r"new contact: peer=\S+ usec=(\d+)", text)[-1]
    return int(joined) / 1e6, int(home) / 1e6


def starts(paths: TwinPaths, url: str, key: str, count: int) -> Iterator[dict[str, float]]:
    """Ask after each idle stop; yields the time line of each start, seconds after sending."""
    image = picture()
    for n in range(count):
        name, at_once, with_picture, streamed = SHAPES[n % len(SHAPES)]
        deadline = time.monotonic() + IDLE_PATIENCE_SECONDS
        while instances(paths):
            if time.monotonic() > deadline:
                raise SystemExit("The instance does not stop; set HUB_IDLE_SECONDS at `hub up`.")
            time.sleep(0.1)
        bodies = [
            question(image if with_picture and i % 2 == 0 else None, streamed=streamed)
            for i in range(at_once)
        ]
        sent = time.time()
        with ThreadPoolExecutor(at_once) as clients:
            asked = [clients.submit(ask, url, key, body) for body in bodies]
            answers = [one.result() for one in asked]
        [instance] = instances(paths)
        container = {c["name"]: c for c in instance["containers"]}
        joined, contact = first_contact(paths)
        tailscaled = container["tailscale"]["startedAt"] - sent
        line = {
            "instance begins": instance["startedAt"] - sent,
            "tailscale process": tailscaled,
            "network map": tailscaled + joined,
            "tailscale's probe passes": container["tailscale"]["passedStartupAt"] - sent,
            "Caddy's port is open": container["caddy"]["passedStartupAt"] - sent,
            "first packet from home": tailscaled + contact,
            "last of the first bytes": max(a.first_byte for a in answers),
        }
        statuses = sorted(a.status for a in answers)
        print(f"{n + 1:3} {name:26} {statuses} {line['last of the first bytes']:.2f} s", flush=True)
        yield line | {"answered": float(statuses == [200] * at_once)}


def main() -> None:
    paths = TwinPaths(state_dir())
    settings = TwinSettings.of_running_twin(paths)
    key = connection(None).api_key
    lines = list(starts(paths, settings.gateway_url, key, int(sys.argv[1])))
    answered = sum(line.pop("answered") for line in lines)
    print(f"\n{answered:.0f} of {len(lines)} starts answered every request with 200\n")
    print("| seconds after the request was sent | median | maximum |\n|---|---|---|")
    for what in lines[0]:
        values = [line[what] for line in lines]
        print(f"| {what} | {statistics.median(values):.2f} | {max(values):.2f} |")


if __name__ == "__main__":
    main()
