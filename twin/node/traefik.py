"""K3s' Traefik: the real Traefik on the node's port 80, configured as K3s' helm controller would.

Promises: Ingress and Traefik's own kinds from the API server, the node's address in each Ingress'
status, ``additionalArguments`` of the HelmChartConfig ``kube-system/traefik`` (a change restarts
Traefik), another start when Traefik ends by itself.
Leaves out: every other chart value, which the log names (``loadBalancerSourceRanges``, the grace).
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import yaml

from twin import logs
from twin.containers.container import Container, ContainerSpec
from twin.containers.images import IMAGES, LocalImage
from twin.node.api import Api
from twin.paths import TwinPaths

LOG = logging.getLogger("twin.traefik")
CONFIGS = "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs"
GRACE_SECONDS = 10
RESTART_SECONDS = 10
"""As the kubelet waits before it starts a container again for the first time."""


def additional_arguments(values_content: str) -> tuple[list[str], list[str]]:
    """The arguments that a HelmChartConfig adds, and its values that have no effect here."""
    values: dict[str, Any] = yaml.safe_load(values_content) or {}
    ignored = sorted(name for name in values if name != "additionalArguments")
    return [str(one) for one in values.get("additionalArguments", [])], ignored


def command(port: int, node_ip: str, more: Sequence[str]) -> tuple[str, ...]:
    """Traefik's command line; every user of the machine can read it, so no token is in it."""
    providers: list[str] = []
    for name in ("kubernetesingress", "kubernetescrd"):
        prefix = f"--providers.{name}"
        # As K3s' chart has it (since 31.0.0): without pods it is 503, not 404.
        providers += [prefix, f"{prefix}.allowemptyservices=true"]
    return (
        "traefik",
        f"--entrypoints.web.address=:{port}",
        *providers,
        f"--providers.kubernetesingress.ingressendpoint.ip={node_ip}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
        "--accesslog=true",
        *more,
    )


async def serve(arguments: argparse.Namespace) -> None:
    """Run Traefik until SIGTERM, anew with every change of its arguments."""
    api, paths = Api(arguments.kubeconfig), TwinPaths(arguments.state)
    IMAGES["traefik"] = LocalImage(entrypoint=("traefik",))
    wanted: asyncio.Queue[list[str]] = asyncio.Queue()
    following = asyncio.create_task(_follow(api, wanted))
    main_task = asyncio.current_task()
    assert main_task is not None  # noqa: S101  # a coroutine always runs in a task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, main_task.cancel)
    container: Container | None = None
    try:
        more = await wanted.get()
        while True:
            spec = ContainerSpec(
                name="traefik",
                image="traefik",
                command=command(arguments.port, arguments.node_ip, more),
                # The API server's address, authority and token, for both providers.
                env={"KUBECONFIG": str(arguments.kubeconfig)},
                log=paths.logs / "traefik-access.log",
            )
            container = await Container.start(spec)
            LOG.info("runs with %s", more)
            more = await next_arguments(container, wanted, more)
    except asyncio.CancelledError:
        following.cancel()
        if container is not None:
            await container.stop(GRACE_SECONDS)


async def next_arguments(
    container: Container, wanted: asyncio.Queue[list[str]], now: list[str]
) -> list[str]:
    """What to start Traefik with when this one has ended, by a change or by itself."""
    change, end = asyncio.create_task(wanted.get()), asyncio.create_task(container.wait())
    await asyncio.wait({change, end}, return_when=asyncio.FIRST_COMPLETED)
    if not change.done():
        LOG.warning("ended with %s, starts again soon", end.result())
        await asyncio.wait({change}, timeout=RESTART_SECONDS)
    await container.stop(GRACE_SECONDS)
    await end
    if change.done():
        return change.result()
    change.cancel()
    return now


async def _follow(api: Api, wanted: asyncio.Queue[list[str]]) -> None:
    """Put the arguments in the queue at first and whenever they change."""
    last: list[str] | None = None
    while True:
        try:
            seen: list[str] = []
            async for kind, item in api.watch(CONFIGS):
                if kind == "RELISTED":
                    if last is None or last != seen:
                        last = seen
                        await wanted.put(seen)
                elif item["metadata"]["name"] == "traefik":
                    gone = kind == "DELETED"
                    content = "" if gone else item["spec"].get("valuesContent", "")
                    seen, ignored = additional_arguments(content)
                    if ignored:
                        LOG.warning("no effect here: %s", ", ".join(ignored))
                    if last is not None and seen != last:
                        last = seen
                        await wanted.put(seen)
        except httpx2.HTTPError as error:
            LOG.warning("watch: %r", error)
            await asyncio.sleep(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the twin's state folder")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--port", type=int, default=80)
    parser.add_argument("--node-ip", required=True)
    logs.begin()
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
