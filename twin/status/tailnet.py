"""The tailnet as its control server lists it, and how long the gateway can still join it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import cast

from infra.tailnet.policy import GATEWAY_TAG
from infra.tailnet.renewal import days_left, is_told
from twin.engine import Engine
from twin.parts.part import Record
from twin.parts.tailnet import KeyLife, auth_keys, is_ephemeral, last_key, nodes, tags
from twin.status.parts import trouble
from twin.status.rows import Row, State


def tailnet(engine: Engine, parts: Mapping[str, Record], today: date) -> list[Row]:
    """Nodes and auth key; what the control server does not tell is not seen."""
    wrong = trouble(parts, "headscale")
    listed = None if wrong else nodes(engine.paths, engine.path)
    keys = None if listed is None else auth_keys(engine.paths, engine.path)
    if listed is None or keys is None:
        why = f"{wrong or 'headscale does not answer'}; nodes and auth key are not seen"
        return [Row("tailnet", "control server", "down", why)]
    rows: list[Row] = []
    for node in listed:
        addresses = ", ".join(cast("list[str]", node.get("ip_addresses", []))[:1])
        left = "; its instance was killed, headscale removes it" if is_ephemeral(node) else ""
        state: State = "ok" if node.get("online") else "idle" if left else "down"
        detail = f"{addresses} {' '.join(tags(node))}{left if state == 'idle' else ''}"
        rows.append(Row("tailnet", str(node.get("given_name")), state, detail))
    none = Row("tailnet", "nodes", "down", "the control server lists none")
    return [*(rows or [none]), auth_key(last_key(keys, GATEWAY_TAG), today)]


def auth_key(life: KeyLife | None, today: date, up: str = "hub up") -> Row:
    """What the gateway joins with at each start, and ``up`` makes."""
    if life is None:
        return Row("tailnet", "auth key", "down", f"there is none; `{up}` makes one")
    expires = life.expires
    left = days_left(expires, today)
    if left < 0:
        told = f"expired on {expires.date()}: the gateway cannot start; `{up}` renews it"
        return Row("tailnet", "auth key", "down", told)
    soon = f"; `{up}` renews it" if is_told(expires, today, life.days) else ""
    state: State = "idle" if soon else "ok"
    return Row("tailnet", "auth key", state, f"expires on {expires.date()}, in {left} days{soon}")
