"""What is known of the cluster, from what ``home/cluster.sh`` prints."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.home.facts import Facts, values
from hub.home.machine import Machine, script
from infra.tailnet.policy import GATEWAY_TAG


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What ``home/cluster.sh`` printed."""

    node: Mapping[str, Any]
    """The node's object; empty where the API server does not answer."""
    pods: tuple[Mapping[str, Any], ...]
    model: Mapping[str, Any]
    """The Deployment; empty before the first `pulumi up`."""
    has_ingress: bool
    log: str
    """The model server's last lines."""
    entry: str
    """HTTP status of the way in; 000 without an answer."""
    certificate_ends: datetime | None
    pings: Mapping[str, str]
    """To each instance of the gateway that is awake."""


def look_inside(machine: Machine, facts: Facts) -> Cluster:
    """Ask the API server, the way in, and each instance of the gateway that is awake.

    Raises:
        HomeError: the server refuses.
    """
    names = " ".join(str(peer["HostName"]) for peer in gateways(facts))
    return parse(
        machine.read(
            f"ADDRESS='{facts.tailscale.address}'\nGATEWAYS='{names}'\n"
            f"{script('fact.sh')}{script('cluster.sh')}"
        )
    )


def gateways(facts: Facts) -> list[Mapping[str, Any]]:
    """Instances of the gateway that are awake."""
    return [
        peer
        for peer in facts.tailscale.peers
        if GATEWAY_TAG in (peer.get("Tags") or ()) and peer.get("Online")
    ]


def parse(text: str) -> Cluster:
    """From what ``cluster.sh`` printed."""
    told = {name: value.strip() for name, value in values(text).items()}
    ends = re.search(r"notAfter=(.+) GMT", told["certificate"])
    return Cluster(
        node=json.loads(told["node"] or "{}"),
        pods=tuple(json.loads(told["pods"] or "{}").get("items", ())),
        model=json.loads(told["model"] or "{}"),
        has_ingress=told["ingress"] != "",
        log=told["log"],
        entry=told["entry"] or "000",
        certificate_ends=(
            datetime.strptime(ends[1], "%b %d %H:%M:%S %Y").replace(tzinfo=UTC) if ends else None
        ),
        pings={
            name.removeprefix("ping:"): value
            for name, value in told.items()
            if name.startswith("ping:")
        },
    )
