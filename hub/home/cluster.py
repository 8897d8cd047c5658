"""What is known of the cluster, from what ``home/cluster.sh`` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from hub.home.facts import Facts, read_object, values
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
    slices: int | None
    """Of the GPU, as they are declared; ``None`` before the first `pulumi up`."""
    has_ingress: bool
    log: str
    """The model server's last lines."""
    entry: str
    """HTTP status of the way in; 000 without an answer."""
    certificate_ends: datetime | None
    """``None`` where it cannot be read."""
    pings: Mapping[str, str]
    """By the address of each instance of the gateway that is awake: its answer."""


def look_inside(machine: Machine, facts: Facts) -> Cluster:
    """Ask the API server, the way in, and each instance of the gateway that is awake.

    Raises:
        HomeError: the server refuses.
    """
    settings = f"ADDRESS='{facts.tailscale.address}'\nGATEWAYS='{' '.join(gateways(facts))}'\n"
    parts = ("fact.sh", "node.sh", "cluster.sh")
    return parse(machine.read(settings + "".join(map(script, parts))))


def gateways(facts: Facts) -> dict[str, str]:
    """Instances of the gateway that are awake: the name of each, by its address in the tailnet.

    An instance chooses its name itself, so no shell may see it.
    """
    return {
        str(ip_address(peer["TailscaleIPs"][0])): str(peer["HostName"])
        for peer in facts.tailscale.peers
        if GATEWAY_TAG in (peer.get("Tags") or ()) and peer.get("Online")
    }


def parse(text: str) -> Cluster:
    """From what ``cluster.sh`` printed."""
    told = {name: value.strip() for name, value in values(text).items()}
    slices = re.search(r"replicas: (\d+)", told["slices"])
    return Cluster(
        node=read_object(told["node"]),
        pods=tuple(read_object(told["pods"]).get("items", ())),
        model=read_object(told["model"]),
        slices=int(slices[1]) if slices else None,
        has_ingress=told["ingress"] != "",
        log=told["log"],
        entry=told["entry"] or "000",
        certificate_ends=_ends(told["certificate"]),
        pings={
            name.removeprefix("ping:"): value
            for name, value in told.items()
            if name.startswith("ping:")
        },
    )


def _ends(told: str) -> datetime | None:
    """What openssl says: ``notAfter=Nov 26 02:24:42 2126 GMT``, or nothing of a broken file."""
    try:
        return datetime.strptime(told.replace("GMT", "+0000"), "notAfter=%b %d %H:%M:%S %Y %z")
    except ValueError:
        return None
