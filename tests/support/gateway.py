"""The gateway as the program writes it, in real Caddys on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2

from infra.gcp.caddyfile import CROSSING_PORT, HEALTH_INTERVAL_SECONDS, caddyfile, keys_file
from infra.gcp.crossing import SOCKS_PORT, crossing, script
from infra.gcp.fallback import KEY_ENV, Elsewhere
from infra.gcp.waking import Waker
from tests.support.ports import free_port
from tests.support.waiting import until
from twin.listening import listens

API_KEYS = {"laptop": "a" * 43, "robot": "b" * 43, "robot.2": "n" * 43}
FALLBACK_KEY = "sesame"


def chat_headers(name: str) -> dict[str, str]:
    """What a client with the key of that name sends."""
    return {"Authorization": f"Bearer {API_KEYS[name]}"}


@contextmanager
def running_gateway(
    folder: Path,
    *,
    home_port: int | None = None,
    socks_port: int = SOCKS_PORT,
    home_speaks: Literal["h1", "h2c"] = "h1",
    keys: Mapping[str, str] = API_KEYS,
    body_mb: int = 1,
    hold_seconds: int = 1,
    origins: Sequence[str] = (),
    fallback: Elsewhere | None = None,
    waker: Waker | None = None,
    check_interval: str = "1s",
) -> Generator[str]:
    """Run the gateway's two Caddys; yields the public address as soon as it listens.

    Home is at ``home_port`` of loopback, or else behind ``socks_port``. Traefik speaks HTTP/2, a
    server of Python's library does not. The log is ``folder / "log"``.
    """
    public, between = free_port(), free_port()
    site = caddyfile(body_mb=body_mb, origins=origins, fallback=fallback, waker=waker)
    site = site.replace(
        f"health_interval {HEALTH_INTERVAL_SECONDS}s", f"health_interval {check_interval}"
    )
    cross = crossing(home="home", timeout_seconds=300, hold_seconds=hold_seconds, waker=waker)
    proxy = f"network_proxy url socks5://127.0.0.1:{SOCKS_PORT}"
    assert proxy in cross
    assert "versions h2c" in cross
    if home_speaks == "h1":
        cross = cross.replace("versions h2c", "versions 1.1")
    if home_port is None:
        cross = cross.replace(proxy, proxy.replace(str(SOCKS_PORT), str(socks_port)))
    else:
        cross = cross.replace(proxy, "network_proxy none")
        cross = cross.replace("http://home:80", f"http://127.0.0.1:{home_port}")
    text = script(public=str(folder / "Caddyfile"), crossing=cross, hold_seconds=hold_seconds)
    text = text.replace(str(CROSSING_PORT), str(between)).replace("/tmp/checks", f"{folder}/checks")
    (folder / "Caddyfile").write_text(site.replace(str(CROSSING_PORT), str(between)))
    (folder / "keys").write_text(keys_file(keys))
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": str(public),
        "KEYS_FILE": str(folder / "keys"),
        "TUNNEL_FILE": str(folder / "tunnel"),
        "UPSTREAM_AUTHORIZATION": "Basic upstream",
        KEY_ENV: FALLBACK_KEY,
    }
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(["/bin/sh", "-c", text], env=env, stdout=log, stderr=log) as run,
    ):
        try:
            until(lambda: run.poll() is not None or listens(("127.0.0.1", public)))
            yield f"http://127.0.0.1:{public}"
        finally:
            run.terminate()
            run.wait(10)
            until(lambda: not listens(("127.0.0.1", between)))


def is_up(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health").status_code == 200
    except httpx2.HTTPError:
        return False


def line_of(log: Path, answer: httpx2.Response) -> dict[str, Any]:
    """Of the gateway's log, for this answer's request; it is written when that ends."""
    name = f'"request_id":"{answer.headers["x-request-id"]}"'
    until(lambda: name in log.read_text(), shown=lambda: f"{name}\n{log.read_text()[-3000:]}")
    [line] = [line for line in log.read_text().splitlines() if name in line]
    return json.loads(line)
