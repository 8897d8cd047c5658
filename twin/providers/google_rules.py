"""What Google's APIs refuse, as far as this program could run into it.

Each rule names its source: a field of the public REST references (Cloud Run Admin API v2, Secret
Manager v1, IAM v1), or a page below cloud.google.com/run/docs; ``docs/providers.md`` lists them
with their tests. The words of a refusal are ours where no source has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from twin.cloud_run.revision import secret_references
from twin.providers.properties import UNKNOWN, Properties

SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?")
"""Cloud Run v2, ``services.create``, ``serviceId``: a letter first, no hyphen last, under 50."""
SECRET_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
"""Secret Manager's ``CreateSecretRequest.secret_id``."""
ACCOUNT_ID = re.compile(r"[a-z][-a-z0-9]{4,28}[a-z0-9]")
"""IAM v1, ``serviceAccounts.create``, ``accountId``: 6 to 30 characters."""
REGION = re.compile(r"[a-z]+-[a-z]+\d+")
"""The form of all names on the page ``locations``."""
MAX_TIMEOUT_SECONDS = 3600
"""Page ``configuring/request-timeout``."""
MAX_CONCURRENCY = 1000
"""Page ``configuring/concurrency``. Cloud Run v2's ``RevisionTemplate`` takes 0 for the default."""
MAX_PROBE_SECONDS = 240
"""Of a startup probe, all tries together: page ``configuring/healthchecks``."""
PROBE_LIMITS = {
    "initialDelaySeconds": (0, 240),
    "periodSeconds": (1, 240),
    "timeoutSeconds": (1, 3600),
    "failureThreshold": (1, MAX_PROBE_SECONDS),
}
"""Cloud Run v2's ``Probe``, which also says that the time-out may not be longer than the period."""
PROBE_KINDS = {"httpGet", "tcpSocket", "grpc"}
"""Cloud Run v2's ``Probe``: exactly one of them. The twin has no gRPC."""
CPUS = ("1", "2", "4", "6", "8", "1000m", "2000m", "4000m", "6000m", "8000m")
"""Page ``configuring/services/cpu``. Less than 1 exists, too, for one request at a time only."""

Problem = tuple[str, str]


def service_problems(inputs: Properties) -> list[Problem]:
    """Cloud Run's refusals of a service, as (property, reason)."""
    return list(_service(inputs))


def _service(inputs: Properties) -> Iterator[Problem]:
    if not SERVICE_NAME.fullmatch(inputs.get("name", "")):
        yield "name", "only lowercase letters, digits and hyphens, 49 at most, a letter first"
    if not REGION.fullmatch(inputs.get("location", "")):
        yield "location", f"{inputs.get('location')!r} is no region"
    template = inputs.get("template", {})
    timeout = str(template.get("timeout", "300s"))
    if not re.fullmatch(r"\d+s", timeout) or int(timeout[:-1]) > MAX_TIMEOUT_SECONDS:
        yield "template.timeout", f"{timeout} is not between 0s and {MAX_TIMEOUT_SECONDS}s"
    if not 0 <= template.get("maxInstanceRequestConcurrency", 0) <= MAX_CONCURRENCY:
        yield "template.maxInstanceRequestConcurrency", f"must be 0 to {MAX_CONCURRENCY}"
    # The reference of RevisionScaling does not say what is answered; that it cannot be is plain.
    scaling = template.get("scaling", {})
    if scaling.get("minInstanceCount", 0) > scaling.get("maxInstanceCount", 100):
        yield "template.scaling", "minInstanceCount is over maxInstanceCount"
    yield from _containers(template)


def _containers(template: Properties) -> Iterator[Problem]:
    """Page ``deploying``: one of several containers has ports. Page
    ``configuring/services/containers``: what is waited for needs a startup probe. That names are
    there and differ, and that nothing waits for itself, is plain.
    """
    containers: list[Properties] = template.get("containers", [])
    names = {c.get("name"): c for c in containers}
    if len(containers) != 1 and sum("ports" in c for c in containers) != 1:
        yield "template.containers", "exactly one container must have ports"
    if len(names) < len(containers) or not all(names):
        yield "template.containers", "each container must have a name of its own"
    try:
        TopologicalSorter({n: c.get("dependsOns", []) for n, c in names.items()}).prepare()
    except CycleError as error:
        yield "template.containers", f"dependsOns is a circle: {' -> '.join(error.args[1])}"
    volumes = {v["name"] for v in template.get("volumes", [])}
    for index, container in enumerate(containers):
        here = f"template.containers[{index}]"
        yield from _container(container, here, volumes)
        for other in container.get("dependsOns", []):
            if other not in names:
                yield f"{here}.dependsOns", f"there is no container {other}"
            elif "startupProbe" not in names[other]:
                yield f"{here}.dependsOns", f"{other} has no startup probe to wait for"


def _container(container: Properties, here: str, volumes: set[str]) -> Iterator[Problem]:
    """Cloud Run v2's ``Container``: ``image`` is required, ``volumeMounts`` name a volume of the
    template.
    """
    if not container.get("image"):
        yield f"{here}.image", "is missing"
    cpu = container.get("resources", {}).get("limits", {}).get("cpu", "1")
    if cpu not in CPUS:
        yield f"{here}.resources.limits.cpu", f"{cpu} is none of {', '.join(CPUS[:5])}"
    for env in container.get("envs", []):
        if "valueSource" in env and "secretKeyRef" not in env["valueSource"]:
            yield f"{here}.envs", f"the value of {env['name']} has no source"
    for mount in container.get("volumeMounts", []):
        if mount["name"] not in volumes:
            yield f"{here}.volumeMounts", f"there is no volume {mount['name']}"
    if "startupProbe" in container:
        yield from _probe(container["startupProbe"], f"{here}.startupProbe")


def _probe(probe: Properties, here: str) -> Iterator[Problem]:
    kinds = PROBE_KINDS & probe.keys()
    if len(kinds) != 1:
        yield here, f"must have exactly one of {', '.join(sorted(PROBE_KINDS))}"
    elif "grpc" in kinds:
        yield f"{here}.grpc", "the twin has no gRPC probes"
    for name, (least, most) in PROBE_LIMITS.items():
        if not least <= probe.get(name, least) <= most:
            yield f"{here}.{name}", f"must be {least} to {most}"
    period = probe.get("periodSeconds", 10)
    if probe.get("timeoutSeconds", 1) > period:
        yield f"{here}.timeoutSeconds", "must not be longer than periodSeconds"
    if period * probe.get("failureThreshold", 3) > MAX_PROBE_SECONDS:
        yield here, f"periodSeconds * failureThreshold is over {MAX_PROBE_SECONDS}"


def missing_for_service(
    inputs: Properties, resources: Mapping[str, Any], project: str
) -> list[str]:
    """What the service needs and the project has not.

    The refusals of an API that is off, of a version that is missing and of a secret that may not be
    read are the real API's words, as people quote them; page ``configuring/services/secrets`` has
    the rule. An account that does not exist is refused in words of ours.
    """
    missing: list[str] = []
    if f"api/{project}/run.googleapis.com" not in resources:
        missing.append(f"Cloud Run Admin API has not been used in project {project} before")
    template = inputs["template"]
    account = template.get("serviceAccount", "")
    if account and account != UNKNOWN and f"account/{account}" not in resources:
        missing.append(f"Service account {account} does not exist")
    read = {(one.secret, one.version) for one in secret_references(template)}
    for secret, version in sorted(read):
        name = f"projects/{project}/secrets/{secret}"
        versions = {r for r in resources if r.startswith(f"{name}/versions/")}
        found = bool(versions) if version == "latest" else f"{name}/versions/{version}" in versions
        if not found:
            missing.append(f"Secret {name}/versions/{version} was not found")
        if f"reader/{secret}/serviceAccount:{account}" not in resources:
            missing.append(
                f"Permission denied on secret: {name}/versions/{version} for Revision service "
                f"account {account}. The service account used must be granted the 'Secret Manager "
                "Secret Accessor' role (roles/secretmanager.secretAccessor) at the secret"
            )
    return missing
