"""The programs that `hub up` started, the network between them, and who serves the engine."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from twin.engine import Engine
from twin.listening import listens
from twin.network import ENDS
from twin.parts.part import Record
from twin.status.rows import Row

FLAT = (
    "flat, less faithful: nothing keeps the ends apart, and pods listen on this machine's own "
    "network without a key"
)
AGAIN = "`hub up` starts it again"


def trouble(parts: Mapping[str, Record], name: str) -> str:
    """Why a part does nothing, and what to do; empty while it runs."""
    if name not in parts:
        return f"{name} was not started; `hub up` starts it"
    match parts[name].state:
        case "running":
            return ""
        case "stopped":
            return f"{name} is stopped: it exists and does nothing; {AGAIN}"
        case "ended":
            return f"{name} has ended; see `hub logs {name}`, {AGAIN}"


def part(record: Record) -> Row:
    """Its process, and the versions that its programs said at its start."""
    wrong = trouble({record.name: record}, record.name)
    named = {
        name: f"{name} {program.version}"
        for name, program in record.programs.items()
        if program.version
    }
    own = record.name.removeprefix("home-")
    return Row(
        "part",
        record.name,
        "down" if wrong else "ok",
        wrong or f"pid {record.pid}",
        ", ".join(named.values()).removeprefix(f"{own} "),
        ", ".join(dict.fromkeys(record.programs[name].source for name in named)),
        None if record.state == "ended" else round(time.time() - record.created),
    )


def network(parts: Mapping[str, Record]) -> Row:
    """As long as its holders live, the network does; a flat one has none."""
    holders = [parts[f"net-{end}"] for end in ENDS if f"net-{end}" in parts]
    gone = [record.name for record in holders if record.state == "ended"]
    if gone:
        return Row("network", "namespaces", "down", f"{', '.join(gone)} ended; `hub up` makes it")
    if not parts:
        return Row("network", "namespaces", "down", "there is none; `hub up` makes it")
    if not holders:
        return Row("network", "namespaces", "ok", FLAT)
    spaces = {_namespace(record.pid, "net") for record in holders} - {_namespace("self", "net")}
    users = {_namespace(record.pid, "user") for record in holders} - {_namespace("self", "user")}
    inside = " inside an unprivileged user namespace" if users else ""
    return Row("network", "namespaces", "ok", f"{len(spaces)} network namespaces{inside}")


def _namespace(pid: int | str, kind: str) -> int:
    return Path(f"/proc/{pid}/ns/{kind}").stat().st_ino


def providers(engine: Engine, parts: Mapping[str, Record]) -> list[Row]:
    """Who serves the engine: an emulator that listens, or a plugin that it starts itself."""
    rows: list[Row] = []
    for name, port in engine.settings.provider_ports.items():
        if name in engine.released_plugins:
            told = f"released plugin from {engine.released_plugins[name]}"
            rows.append(Row("provider", name, "ok", told))
        elif wrong := trouble(parts, "providers"):
            rows.append(Row("provider", name, "down", wrong))
        elif listens(("127.0.0.1", port)):
            rows.append(Row("provider", name, "ok", f"emulator at port {port}"))
        else:
            told = f"the emulator does not listen at port {port}; `hub up` starts it"
            rows.append(Row("provider", name, "down", told))
    return rows
