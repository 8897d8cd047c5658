"""Every hop of the path as it is now: what runs, which version, since when."""

from __future__ import annotations

from datetime import UTC, datetime

from twin.engine import Engine
from twin.parts import system
from twin.parts.part import records
from twin.status.cloud import cloud_run, gateway
from twin.status.cluster import cluster
from twin.status.parts import network, part, providers
from twin.status.rows import Row
from twin.status.tailnet import tailnet


def look(engine: Engine) -> list[Row]:
    """Ask every part and every hop, from the normal machine."""
    paths = engine.paths
    parts = {record.name: record for record in records(paths)}
    services = system.services(paths)
    return [
        network(parts),
        *(part(record) for record in parts.values()),
        *providers(engine, parts),
        gateway(engine, parts, services),
        *cloud_run(parts, services),
        *tailnet(engine, parts, datetime.now(UTC).date()),
        *cluster(paths.kubeconfig, parts),
    ]
