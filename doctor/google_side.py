"""The real cloud and tailnet, asked with the owner's own ``gcloud`` and ``tailscale``."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any, cast

from doctor.observations import Node, NotSeen, Service, Tailnet
from doctor.twin_side import peers

ANSWER_SECONDS = 12


def service(name: str, project: str, region: str) -> Service | NotSeen:
    """The service's conditions, and the last error of its log if it is not ready."""
    where = (f"--project={project}", f"--region={region}", "--format=json")
    said = _json("gcloud", "run", "services", "describe", name, *where)
    if isinstance(said, NotSeen):
        if "Cannot find service" in said.why:
            return Service(deployed=False)
        return said
    return described(said)


def described(said: dict[str, Any]) -> Service:
    """From what ``gcloud run services describe`` prints, in Knative's form."""
    status = cast("dict[str, Any]", said.get("status") or {})
    conditions = cast("list[dict[str, Any]]", status.get("conditions") or [])
    bad = [str(c.get("message", "")) for c in conditions if c.get("status") == "False"]
    return Service(
        deployed=True,
        revision=str(status.get("latestReadyRevisionName", "")),
        failure=bad[0] if bad else "",
    )


def nodes() -> Tailnet | NotSeen:
    """As this computer's own tailscaled sees them, if it is in the tailnet."""
    said = _json("tailscale", "status", "--json")
    return said if isinstance(said, NotSeen) else listed(said)


def listed(said: dict[str, Any]) -> Tailnet:
    """From what ``tailscale status --json`` prints."""
    routes = peers(said)
    others = cast("dict[str, dict[str, Any]]", said.get("Peer") or {})
    machines = [cast("dict[str, Any]", said.get("Self") or {}), *others.values()]
    return Tailnet(nodes=tuple(_node(one, routes) for one in machines))


def _node(machine: dict[str, Any], routes: dict[str, str]) -> Node:
    [address, *_] = cast("list[str]", machine.get("TailscaleIPs") or [""])
    return Node(
        name=str(machine.get("DNSName", "")).partition(".")[0] or str(machine.get("HostName", "")),
        online=bool(machine.get("Online")),
        tags=tuple(cast("list[str]", machine.get("Tags") or [])),
        path=routes.get(address, ""),
    )


def _json(*command: str) -> dict[str, Any] | NotSeen:
    program = command[0]
    if shutil.which(program) is None:
        return NotSeen(why=f"{program} is not installed here")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return NotSeen(why=f"{program} did not answer in {ANSWER_SECONDS} s")
    if done.returncode != 0:
        return NotSeen(why=f"{program}: {' '.join(done.stderr.split())[:200]}")
    return json.loads(done.stdout)
