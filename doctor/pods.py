"""Pods of home's Kubernetes: which of them count, in which state they are, and what they say."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx2
from lightkube import ApiError, Client
from lightkube.config import client_adapter
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.client import FieldSelector
from lightkube.models.core_v1 import ContainerStateTerminated, ContainerStatus
from lightkube.resources.core_v1 import Event
from lightkube.resources.core_v1 import Pod as KubernetesPod

from doctor.observations import Pod
from infra.home_k3s.crash import LOG_LINES, in_one_line
from infra.home_k3s.names import NAMESPACE
from infra.home_k3s.rollout import put_out

ANSWER_SECONDS = 4
LONGEST = 300
"""Characters of a line for people."""
KILLED = 137
"""Exit code of a process that the kernel has ended: 128, and SIGKILL's number."""
STATISTICS_SECONDS = 15
"""vLLM writes them every 10 s while it works."""
_WORKS = re.compile(
    r"generation throughput: (?!0\.0 )[\d.]+ tokens/s, (Running: [1-9]\d* reqs, Waiting: \d+ reqs)"
)
"""vLLM's statistics of an engine that has written tokens and has more to write."""


def that_count(pods: Sequence[KubernetesPod]) -> list[KubernetesPod]:
    """Those that are not on their way out, oldest first.

    What the kubelet put out has been replaced; it counts where there is nothing else.
    """
    staying = [one for one in pods if one.metadata and one.metadata.deletionTimestamp is None]
    live = [one for one in staying if not put_out(one)]
    return sorted(live or staying, key=_created)


def _created(pod: KubernetesPod) -> datetime:
    created = pod.metadata.creationTimestamp if pod.metadata else None
    return created or datetime.min.replace(tzinfo=UTC)


def seen(client: Client, pod: KubernetesPod) -> Pod:
    statuses: Sequence[ContainerStatus] = (pod.status.containerStatuses or []) if pod.status else []
    refused = put_out(pod)
    ready = bool(statuses) and all(one.ready for one in statuses) and not refused
    restarts = sum(one.restartCount for one in statuses)
    killed = any(one is not None and one.exitCode == KILLED for one in map(_ended, statuses))
    conditions = (pod.status.conditions or []) if pod.status else []
    placing = [c for c in conditions if c.type == "PodScheduled"]
    unplaced = [c.message or "" for c in placing if c.status == "False"]
    return Pod(
        name=_name(pod),
        phase=(pod.status.phase if pod.status else None) or "Pending",
        ready=ready,
        restarts=restarts,
        reason=""
        if ready
        else "; ".join(filter(None, [refused, *unplaced, *map(_reason, statuses)])),
        killed=killed,
        unplaced=not refused and all(c.status == "False" for c in placing),
        never_began=any(_cannot_begin(one) and _ended(one) is None for one in statuses),
        # Who is killed has no time for words.
        last_words="" if ready or not restarts or killed else crash_of(client, pod),
        event="" if ready else _newest_warning(client, pod),
    )


def _reason(status: ContainerStatus) -> str:
    """Why it waits, and how it ended the last time."""
    ended = _ended(status)
    told = [_cannot_begin(status)]
    if ended is not None:
        told.append(f"{ended.reason or 'ended'} (exit code {ended.exitCode})")
    return ", ".join(filter(None, told))


def _cannot_begin(status: ContainerStatus) -> str:
    waiting = status.state.waiting if status.state else None
    match waiting and waiting.reason:
        case None | "ContainerCreating" | "PodInitializing":
            return ""
        case "CrashLoopBackOff" as reason:  # what else is told of it is how long it waits
            return reason
        case reason:
            message = waiting.message if waiting else None
            return f"{reason}: {message}" if message else reason


def _ended(status: ContainerStatus) -> ContainerStateTerminated | None:
    return (status.state.terminated if status.state else None) or (
        status.lastState.terminated if status.lastState else None
    )


def crash_of(client: Client, pod: KubernetesPod) -> str:
    """What the container that ended last said of it; empty where its log cannot be had.

    While the next one runs, that is the one before.
    """
    statuses: Sequence[ContainerStatus] = (pod.status.containerStatuses or []) if pod.status else []
    runs = any(one.state and one.state.running for one in statuses)
    asked = {"tailLines": str(LOG_LINES), **({"previous": "true"} if runs else {})}
    return in_one_line(_log(client, pod, asked))[:LONGEST]


def works_on(client: Client, pod: KubernetesPod) -> str:
    """vLLM's requests of the last seconds, in its own words; empty where it writes no token."""
    asked = {"tailLines": "50", "sinceSeconds": str(STATISTICS_SECONDS)}
    last = [line for line in _log(client, pod, asked).splitlines() if "throughput" in line]
    works = _WORKS.search(last[-1]) if last else None
    return works[1] if works else ""


def _log(client: Client, pod: KubernetesPod, asked: Mapping[str, str]) -> str:
    parameters = ConnectionParams(timeout=httpx2.Timeout(ANSWER_SECONDS))
    try:
        # lightkube's own call for logs does not know those of a run before.
        with client_adapter.Client(client.config, parameters) as http:
            path = f"/api/v1/namespaces/{_namespace(pod)}/pods/{_name(pod)}/log"
            answer = http.get(path, params=asked)
            answer.raise_for_status()
    except httpx2.HTTPError:
        return ""
    return answer.text


def _newest_warning(client: Client, pod: KubernetesPod) -> str:
    """Of Kubernetes' events; empty where there is none."""
    its: FieldSelector = {"involvedObject.name": _name(pod), "type": "Warning"}
    try:
        warnings = list(client.list(Event, namespace=_namespace(pod), fields=its))
    except ApiError:
        return ""
    newest = max(warnings, key=_written, default=None)
    return f"{newest.reason}: {newest.message}"[:LONGEST] if newest else ""


def _written(event: Event) -> datetime:
    return event.lastTimestamp or event.eventTime or datetime.min.replace(tzinfo=UTC)


def _name(pod: KubernetesPod) -> str:
    return (pod.metadata.name if pod.metadata else None) or ""


def _namespace(pod: KubernetesPod) -> str:
    return (pod.metadata.namespace if pod.metadata else None) or NAMESPACE
