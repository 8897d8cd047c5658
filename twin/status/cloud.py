"""The gateway, seen without a request, which would start an instance or keep it awake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import psutil

from infra.gcp.names import SERVICE
from twin.engine import Engine
from twin.listening import listens
from twin.parts import system
from twin.parts.part import Record
from twin.status.parts import trouble
from twin.status.rows import Row, State

NO_ANSWER = "Cloud Run's emulator does not answer"
Services = Sequence[Mapping[str, object]] | None
"""As `system.services` has them: nothing where the emulator does not answer."""


def gateway(engine: Engine, parts: Mapping[str, Record], services: Services) -> Row:
    """By its instances, and what takes connections for them."""
    url = engine.settings.gateway_url
    if wrong := trouble(parts, "cloud-run"):
        return Row("gateway", url, "down", wrong)
    if services is None:
        return Row("gateway", url, "down", NO_ANSWER)
    if not services:
        return Row("gateway", url, "down", "no service is deployed")
    if not any(service["instances"] for service in services):
        failure = system.last_failure(engine.paths)
        told = f"no instance; the last one did not start: {failure}" if failure else ""
        return Row("gateway", url, "idle", told or "scaled to zero")
    if not listens(("127.0.0.1", engine.settings.gateway_port)):
        return Row("gateway", url, "down", "nobody takes connections")
    return Row("gateway", url, "ok", "awake")


def cloud_run(parts: Mapping[str, Record], services: Services) -> list[Row]:
    """Each service, with what runs in its containers."""
    if services is None:
        return [Row("cloud run", SERVICE, "down", trouble(parts, "cloud-run") or NO_ANSWER)]
    rows: list[Row] = []
    for service in services:
        instances = cast("list[dict[str, Any]]", service["instances"])
        containers = [_container(c, parts["cloud-run"]) for i in instances for c in i["containers"]]
        stands = any(state == "down" for state, _ in containers)
        state: State = "down" if stands else "ok" if instances else "idle"
        detail = ", ".join(told for _, told in containers)
        name, revision = str(service["name"]), str(service["revision"])
        rows.append(Row("cloud run", name, state, detail or "no instance", revision))
    return rows or [Row("cloud run", SERVICE, "down", "not deployed; `hub up` deploys it")]


def _container(container: Mapping[str, Any], emulator: Record) -> tuple[State, str]:
    """What runs in it now: its shell may have become another program, or have started one."""
    image = str(container["image"]).rpartition("/")[2]
    try:
        first = psutil.Process(int(container["pid"]))
        processes = {one.name(): one.status() for one in (*first.children(), first)}
    except psutil.NoSuchProcess:
        return "down", f"{container['program']} as {image} has ended"
    known = emulator.programs
    name = next((one for one in processes if one in known), first.name())
    told = f"{name} {known[name].version}" if name in known else name
    if psutil.STATUS_STOPPED in processes.values():
        return "down", f"{told} as {image} is stopped"
    return "ok", f"{told} as {image}"
