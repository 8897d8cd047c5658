"""The rendered Caddyfile in a real Caddy on loopback."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from infra.gcp.caddyfile import INNER_PORT, SOCKS_PORT, keys_file
from tests.support.ports import free_port
from tests.support.waiting import until

API_KEYS = {"laptop": "a" * 43, "robot": "b" * 43, "robot.2": "n" * 43}


def chat_headers(name: str) -> dict[str, str]:
    """What a client with the key of that name sends."""
    return {"Authorization": f"Bearer {API_KEYS[name]}"}


def without_tunnel(text: str, home_port: int) -> str:
    """The Caddyfile with home at a port of loopback instead of behind SOCKS."""
    text = text.replace("http://home:80", f"http://127.0.0.1:{home_port}")
    return text.replace(f"network_proxy url socks5://127.0.0.1:{SOCKS_PORT}", "network_proxy none")


def without_health_checks(text: str) -> str:
    """For a home that has no /health."""
    return re.sub(r"\t+health_headers \{[^}]*\}\n|\t+health_\w+ .*\n", "", text)


@contextmanager
def running_caddy(
    folder: Path, text: str, keys: Mapping[str, str] = API_KEYS, *, socks_port: int = SOCKS_PORT
) -> Generator[str]:
    """Run Caddy with this Caddyfile; yields the public address as soon as it listens.

    The log is ``folder / "log"``.
    """
    public, inner = free_port(), free_port()
    text = text.replace(str(INNER_PORT), str(inner)).replace(
        f"socks5://127.0.0.1:{SOCKS_PORT}", f"socks5://127.0.0.1:{socks_port}"
    )
    (folder / "Caddyfile").write_text(text)
    (folder / "keys").write_text(keys_file(keys))
    env = {
        **os.environ,
        "PORT": str(public),
        "KEYS_FILE": str(folder / "keys"),
        "UPSTREAM_AUTHORIZATION": "Basic upstream",
    }
    caddy = shutil.which("caddy") or str(Path(sys.executable).parent / "caddy")
    command = [caddy, "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=env, stdout=log, stderr=log) as run,
    ):
        try:
            until(lambda: run.poll() is not None or _listens(public))
            yield f"http://127.0.0.1:{public}"
        finally:
            run.terminate()
            run.wait(10)


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.HTTPError:
        return False


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
