"""`pulumi up` is done when the model is served, and says why when it will not be."""

from __future__ import annotations

import asyncio
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, cast

import pulumi
import pulumi_kubernetes as k8s

from infra.home_k3s.cluster import Cluster, NotReachedError
from infra.home_k3s.crash import error_in
from infra.home_k3s.names import NAMESPACE
from infra.home_k3s.rollout import NoneWanted, NotYet, Served, standing

LOOK_SECONDS = 2
LAST_LINES = 15
"""Shown where the log tells no error."""
REACH_SECONDS = 20
"""Without any answer of home's API server for so long from the start, home counts as off."""

Tell = Callable[[str], None]


def wait_for_model(
    deployment: k8s.apps.v1.Deployment,
    cluster: Cluster,
    minutes: int,
    after: Sequence[pulumi.Output[Any]],
) -> None:
    """Once it and all of ``after`` are deployed; the run fails if the model is not served.

    Last of all: a run that fails leaves undone what it has not come to, and a model that does not
    start must not keep a leaked key alive.
    """

    async def wait(deployed: Sequence[Any]) -> None:
        name = str(cast("Mapping[str, Any]", deployed[0])["name"])

        def tell(reason: str) -> None:
            pulumi.info(f"{name}: {reason}", deployment, ephemeral=True)

        told = await until_served(cluster, name, minutes * 60, tell)
        match told.level:
            case "info":
                pulumi.info(told.text, deployment)
            case "warning":
                pulumi.warn(told.text, deployment)
            case "error":
                raise pulumi.RunError(told.text)

    pulumi.Output.all(deployment.metadata, *after).apply(wait)


@dataclass(frozen=True)
class Told:
    """How the wait ended."""

    level: Literal["info", "warning", "error"]
    text: str


async def until_served(cluster: Cluster, name: str, seconds: float, tell: Tell) -> Told:
    """Wait until the Deployment's newest pods are ready, ``tell`` each reason for waiting once.

    A home that cannot be reached is no error: what was to change on the cloud's side has changed,
    a key that leaked is refused there.
    """
    began = time.monotonic()
    reached, kind, since = False, "", began
    while True:
        now = time.monotonic()
        try:
            found = standing(await asyncio.to_thread(cluster.seen, name))
            reached = True
        except NotReachedError as error:
            if not reached and now - began > REACH_SECONDS:
                return Told("warning", _not_reached(error))
            found = NotYet(f"home's API server does not answer: {error}")
        match found:
            case Served():
                return Told("info", f"{name} is served")
            case NoneWanted():
                return Told("warning", _none_wanted(name))
            case NotYet():
                if found.kind != kind:
                    kind, since = found.kind, now
                    tell(found.reason)
                if now - since >= found.patience_seconds or now - began > seconds:
                    return Told("error", await _will_not_start(cluster, name, found, now - began))
        await asyncio.sleep(LOOK_SECONDS)


async def _will_not_start(cluster: Cluster, name: str, found: NotYet, seconds: float) -> str:
    words = ""
    if found.died is not None:
        log = ""
        with suppress(NotReachedError):
            log = await asyncio.to_thread(cluster.end_of_log, *found.died)
        said = error_in(log) or "\n".join(log.splitlines()[-LAST_LINES:])
        words = f"\nIts last words:\n{textwrap.indent(said, '  ')}" if said else ""
    return (
        f"The model is not served ({name}, after {seconds:.0f} s). {found.reason}{words}\n"
        "The one before it has been stopped, because the GPU's memory holds one at a time. "
        "Mend the settings under `model`, or put back what they were, and run `pulumi up` again."
    )


def _none_wanted(name: str) -> str:
    return (
        f"{name} is scaled to 0, so nobody serves the model; the gateway answers 503. "
        "It stays so until you run `hub home take` on the home server. Without a look at the GPU's "
        f"memory: kubectl -n {NAMESPACE} scale deployment/{name} --replicas=1"
    )


def _not_reached(error: Exception) -> str:
    return (
        f"Home was not reached ({error}), so nothing of it was looked at or changed. "
        "The cloud's side is as declared: a key that was removed is refused there. "
        "Run `pulumi up` again when home is back."
    )
