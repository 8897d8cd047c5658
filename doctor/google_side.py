"""The real cloud and tailnet, asked with the owner's own ``gcloud`` and ``tailscale``."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import httpx2

from doctor.last_words import last_words
from doctor.observations import Node, NotSeen, Service, Tailnet

ANSWER_SECONDS = 10
"""With the 20 s that the first request may take, the half minute that the doctor promises."""
TAILSCALED_SECONDS = 5
"""A program of this computer, asked twice."""
MONITORING = "https://monitoring.googleapis.com"
METRIC = "run.googleapis.com/container/billable_instance_time"
"""Seconds of all instances together (https://cloud.google.com/monitoring/api/metrics_gcp_p_z)."""


def service(name: str, project: str, region: str, *, not_started: bool) -> Service | NotSeen:
    """The service's conditions and, where Google has just answered in its place, its last error."""
    where = (f"--project={project}", f"--region={region}", "--format=json")
    with ThreadPoolExecutor(1) as looks:
        log = looks.submit(_last_words, name, project, region) if not_started else None
        said = _json("gcloud", "run", "services", "describe", name, *where)
        if isinstance(said, NotSeen):
            return Service(deployed=False) if "Cannot find service" in said.why else said
        return replace(described(said), last_words=log.result() if log else "")


def _last_words(name: str, project: str, region: str) -> str:
    """Of the containers' logs (https://cloud.google.com/run/docs/logging)."""
    wanted = {
        "resource.type": "cloud_run_revision",
        "resource.labels.service_name": name,
        "resource.labels.location": region,
    }
    lines = " AND ".join(f'{label}="{value}"' for label, value in wanted.items())
    recent = (f"--project={project}", "--freshness=15m", "--limit=300", "--format=json")
    said = _json("gcloud", "logging", "read", lines, *recent)
    return "" if isinstance(said, NotSeen) else last_words(texts(said))


def texts(entries: list[dict[str, Any]]) -> list[str]:
    """The oldest first, which ``gcloud logging read`` prints last. Caddy's own lines are JSON."""
    return [
        str(one.get("textPayload") or json.dumps(one.get("jsonPayload"), separators=(",", ":")))
        for one in reversed(entries)
    ]


def described(said: dict[str, Any]) -> Service:
    """From what ``gcloud run services describe`` prints, in Knative's form."""
    status = cast("dict[str, Any]", said.get("status") or {})
    conditions = cast("list[dict[str, Any]]", status.get("conditions") or [])
    bad = [str(c.get("message", "")) for c in conditions if c.get("status") == "False"]
    return Service(
        deployed=True,
        revision=str(status.get("latestReadyRevisionName", "")),
        failure=bad[0] if bad else "",
    )


def nodes(home: str) -> Tailnet | NotSeen:
    """As this computer's own tailscaled sees them, if it is in the tailnet."""
    said = _json("tailscale", "status", "--json", seconds=TAILSCALED_SECONDS)
    if isinstance(said, NotSeen):
        return said
    ping = ("tailscale", "ping", "--c=1", "--timeout=3s", "--until-direct=false", home)
    return replace(listed(said), home_answers=answers(_said(*ping, seconds=TAILSCALED_SECONDS)))


def answers(said: str | NotSeen) -> bool | None:
    """Of what ``tailscale ping`` prints; home itself need not be asked from home."""
    if isinstance(said, NotSeen):
        return False if "no reply" in said.why else None
    return True if said.startswith("pong") else None


def listed(said: dict[str, Any]) -> Tailnet:
    """From what ``tailscale status --json`` prints.

    Its routes are this computer's own, so they tell nothing of the gateway's way to home.
    """
    others = cast("dict[str, dict[str, Any]]", said.get("Peer") or {})
    machines = [cast("dict[str, Any]", said.get("Self") or {}), *others.values()]
    return Tailnet(nodes=tuple(map(_node, machines)), whole=False)


def _node(machine: dict[str, Any]) -> Node:
    return Node(
        name=str(machine.get("DNSName", "")).partition(".")[0] or str(machine.get("HostName", "")),
        online=bool(machine.get("Online")),
        tags=tuple(cast("list[str]", machine.get("Tags") or [])),
    )


def minutes(
    name: str, project: str, region: str, now: datetime, api: str = MONITORING
) -> float | NotSeen:
    """That the service's instances ran this month, as Cloud Monitoring has counted.

    ``gcloud`` has no command that reads a metric, so its token is used for the interface itself:
    https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list
    """
    token = _said("gcloud", "auth", "print-access-token")
    if isinstance(token, NotSeen):
        return token
    begun = datetime(now.year, now.month, 1, tzinfo=UTC)
    # One number for the whole time; a minute is the shortest period there is.
    period = max(60, int((now - begun).total_seconds()))
    where = f'resource.labels.service_name="{name}" AND resource.labels.location="{region}"'
    try:
        answer = httpx2.get(
            f"{api}/v3/projects/{project}/timeSeries",
            params={
                "filter": f'metric.type="{METRIC}" AND {where}',
                "interval.startTime": f"{begun:%Y-%m-%dT%H:%M:%SZ}",
                "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
                "aggregation.alignmentPeriod": f"{period}s",
                "aggregation.perSeriesAligner": "ALIGN_DELTA",
                "aggregation.crossSeriesReducer": "REDUCE_SUM",
            },
            headers={"Authorization": f"Bearer {token.strip()}"},
            timeout=ANSWER_SECONDS,
        )
    except httpx2.HTTPError as error:
        return NotSeen(why=f"Cloud Monitoring was not reached: {error}")
    if answer.status_code != 200:
        return NotSeen(why=f"Cloud Monitoring answers {answer.status_code}")
    return counted(answer.json())


def counted(answer: dict[str, Any]) -> float:
    """Minutes; a service without an instance in all that time has no series."""
    series = cast("list[dict[str, Any]]", answer.get("timeSeries") or [])
    return sum(point["value"]["doubleValue"] for one in series for point in one["points"]) / 60


def _json(*command: str, seconds: int = ANSWER_SECONDS) -> Any | NotSeen:
    said = _said(*command, seconds=seconds)
    return said if isinstance(said, NotSeen) else json.loads(said)


def _said(*command: str, seconds: int = ANSWER_SECONDS) -> str | NotSeen:
    program = command[0]
    if shutil.which(program) is None:
        return NotSeen(why=f"{program} is not installed here")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return NotSeen(why=f"{program} did not answer in {seconds} s")
    if done.returncode != 0:
        return NotSeen(why=f"{program}: {' '.join(done.stderr.split())[:200]}")
    return done.stdout
