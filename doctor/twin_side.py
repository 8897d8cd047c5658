"""The twin's cloud and tailnet: what its emulator and its control server say."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import Any, cast

from doctor.hops import Hop
from doctor.instances import by_day, by_month, entries, lives, still_running
from doctor.last_words import last_words
from doctor.observations import Node, NotSeen, Program, Service, Tailnet
from infra.gcp.names import SERVICE
from infra.tailnet.policy import GATEWAY_TAG
from twin.parts import system, tailnet
from twin.parts.part import records
from twin.paths import TwinPaths

HOPS: dict[str, Hop] = {
    "cloud-run": "address",
    "headscale": "tailnet",
    "derper": "tailnet",
    "home-tailscaled": "tailnet",
    "traefik": "home port 80",
    "node": "kubernetes",
    "kube-apiserver": "kubernetes",
    "kube-controller-manager": "kubernetes",
    "kube-scheduler": "kubernetes",
    "kine": "kubernetes",
    "api-inside": "kubernetes",
    "api-outside": "kubernetes",
}
"""Which hop of the path each part of the twin is."""
START_LINES = 200
"""Of a log: tailscaled writes about a hundred until it is refused."""
PING_SECONDS = 4
SILENT = "the tailnet's control server does not answer"


def programs(paths: TwinPaths) -> tuple[Program, ...]:
    """Every part that has a hop."""
    return tuple(
        Program(hop=HOPS[record.name], name=record.name, state=record.state)
        for record in records(paths)
        if record.name in HOPS
    )


def service(paths: TwinPaths) -> Service | NotSeen:
    listed = system.services(paths)
    if listed is None:
        return NotSeen(why="Cloud Run's emulator does not answer")
    if not listed:
        return Service(deployed=False)
    [one] = listed
    instances = cast("list[dict[str, Any]]", one["instances"])
    failure = "" if instances else system.last_failure(paths)
    return Service(
        deployed=True,
        instances=len(instances),
        revision=str(one["revision"]),
        failure=failure.partition(" Its last lines:")[0],
        last_words=_last_words(paths, failure),
    )


def _last_words(paths: TwinPaths, failure: str) -> str:
    container = re.search(r"container (\w+) ", failure)
    if container is None:
        return ""
    log = paths.logs / "run" / f"{SERVICE}-{container[1]}.log"
    return last_words(log.read_text(errors="replace").splitlines()[-START_LINES:])


def running(paths: TwinPaths) -> set[str]:
    """The gateway's instances of this moment, by id."""
    services: list[dict[str, Any]] = system.services(paths) or []
    return {instance["id"] for one in services for instance in one["instances"]}


def minutes(paths: TwinPaths, now: datetime) -> float:
    """That instances ran this month, from the lines that Cloud Run's emulator writes of them."""
    files = sorted(paths.logs.glob("run/*-system.log"))
    text = "".join(file.read_text(errors="replace") for file in files)
    lived = still_running(lives(entries(text)), running(paths), now)
    months = by_month(by_day(lived))
    return sum(one.minutes for one in months if one.month == f"{now:%Y-%m}")


def nodes(paths: TwinPaths, path: str) -> Tailnet | NotSeen:
    listed = tailnet.nodes(paths, path)
    if listed is None:
        return NotSeen(why=SILENT)
    routes = _routes(paths, path)
    gateways = [one for one in listed if GATEWAY_TAG in tailnet.tags(one) and one.get("online")]
    return Tailnet(
        nodes=tuple(_node(one, routes) for one in listed),
        home_answers=_one_answers(paths, path, [_address(one) for one in gateways]),
    )


def auth_key(paths: TwinPaths, path: str) -> datetime | NotSeen | None:
    """When the last one of the gateway expires, as the control server lists them."""
    keys = tailnet.auth_keys(paths, path)
    if keys is None:
        return NotSeen(why=SILENT)
    life = tailnet.last_key(keys, GATEWAY_TAG)
    return life and life.expires


def _one_answers(paths: TwinPaths, path: str, gateways: Sequence[str]) -> bool | None:
    """Home asks the gateway: the other way round is the same way. Of instances that have just ended
    the control server still says that they are online."""
    if not gateways:
        return None
    asked = ["tailscale", f"--socket={paths.sockets / 'home-ts.sock'}", "ping", "--c=1"]
    waited = ("--timeout=2s", "--until-direct=false")

    def answers(address: str) -> bool:
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                [*asked, *waited, address],
                env={"PATH": path},
                capture_output=True,
                timeout=PING_SECONDS,
                check=False,
            )
            return done.returncode == 0
        return False

    with ThreadPoolExecutor(len(gateways)) as pings:
        return any(pings.map(answers, gateways))


def _node(listed: dict[str, Any], routes: dict[str, str]) -> Node:
    return Node(
        name=str(listed.get("given_name")),
        online=bool(listed.get("online")),
        tags=tailnet.tags(listed),
        path=routes.get(_address(listed), ""),
    )


def _address(listed: dict[str, Any]) -> str:
    addresses = cast("list[str]", listed.get("ip_addresses") or [""])
    return addresses[0]


def _routes(paths: TwinPaths, path: str) -> dict[str, str]:
    """How home reaches each address, as home's own tailscaled says."""
    socket = paths.sockets / "home-ts.sock"
    try:
        said = subprocess.run(
            ["tailscale", f"--socket={socket}", "status", "--json"],
            env={"PATH": path},
            capture_output=True,
            text=True,
            timeout=3,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired:
        return {}
    return peers(json.loads(said or "{}"))


def peers(status: dict[str, Any]) -> dict[str, str]:
    """Address to route, from what ``tailscale status --json`` says."""
    found: dict[str, str] = {}
    for peer in cast("dict[str, dict[str, Any]]", status.get("Peer") or {}).values():
        direct, relay = peer.get("CurAddr"), peer.get("Relay")
        route = (
            "direct" if direct else f"relayed by {relay}" if relay and peer.get("Active") else ""
        )
        found.update(dict.fromkeys(peer.get("TailscaleIPs") or [], route))
    return found
