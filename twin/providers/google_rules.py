"""What Google's APIs refuse, as far as this program could run into it.

Each rule names its source: a field of the public REST references (Cloud Run Admin API v2, Secret
Manager v1, IAM v1), or a page below cloud.google.com/run/docs. The words of a refusal are ours
where no source has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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
"""Page ``configuring/concurrency``; 80 is the default there."""
MAX_PROBE_SECONDS = 240
"""Of a startup probe: Cloud Run v2's ``Probe.periodSeconds``, which also says that the time-out may
not be longer than the period; page ``configuring/healthchecks`` for all tries together."""
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
    if not 1 <= template.get("maxInstanceRequestConcurrency", 80) <= MAX_CONCURRENCY:
        yield "template.maxInstanceRequestConcurrency", f"must be 1 to {MAX_CONCURRENCY}"
    # The reference of RevisionScaling does not say what is answered; that it cannot be is plain.
    scaling = template.get("scaling", {})
    if scaling.get("minInstanceCount", 0) > scaling.get("maxInstanceCount", 100):
        yield "template.scaling", "minInstanceCount is over maxInstanceCount"
    yield from _containers(template)


def _containers(template: Properties) -> Iterator[Problem]:
    """Page ``deploying``: one of several containers has ports. Page
    ``configuring/services/containers``: what is waited for needs a startup probe. Cloud Run v2's
    ``Container``: ``image`` is required, ``volumeMounts`` name a volume of the template.
    """
    containers: list[Properties] = template.get("containers", [])
    names = {c.get("name"): c for c in containers}
    if sum("ports" in c for c in containers) != 1:
        yield "template.containers", "exactly one container must have ports"
    volumes = {v["name"] for v in template.get("volumes", [])}
    for index, container in enumerate(containers):
        here = f"template.containers[{index}]"
        if not container.get("image"):
            yield f"{here}.image", "is missing"
        cpu = container.get("resources", {}).get("limits", {}).get("cpu", "1")
        if cpu not in CPUS:
            yield f"{here}.resources.limits.cpu", f"{cpu} is none of {', '.join(CPUS[:5])}"
        for other in container.get("dependsOns", []):
            if other not in names:
                yield f"{here}.dependsOns", f"there is no container {other}"
            elif "startupProbe" not in names[other]:
                yield f"{here}.dependsOns", f"{other} has no startup probe to wait for"
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                yield f"{here}.volumeMounts", f"there is no volume {mount['name']}"
        yield from _probe(container.get("startupProbe", {}), f"{here}.startupProbe")


def _probe(probe: Properties, here: str) -> Iterator[Problem]:
    period = probe.get("periodSeconds", 10)
    if not 1 <= period <= MAX_PROBE_SECONDS:
        yield f"{here}.periodSeconds", f"must be 1 to {MAX_PROBE_SECONDS}"
    if probe.get("timeoutSeconds", 1) > period:
        yield f"{here}.timeoutSeconds", "must not be longer than periodSeconds"
    if period * probe.get("failureThreshold", 3) > MAX_PROBE_SECONDS:
        yield here, f"periodSeconds * failureThreshold is over {MAX_PROBE_SECONDS}"


def secret_references(template: Properties) -> Iterator[tuple[str, str]]:
    """Every (secret id, version) that the service's containers read."""
    for container in template.get("containers", []):
        for env in container.get("envs", []):
            if reference := env.get("valueSource", {}).get("secretKeyRef"):
                yield _short(reference["secret"]), str(reference.get("version", "latest"))
    for volume in template.get("volumes", []):
        if secret := volume.get("secret"):
            for item in secret.get("items", []):
                yield _short(secret["secret"]), str(item.get("version", "latest"))


def _short(secret: str) -> str:
    return secret.rpartition("/")[2]


def missing_for_service(
    inputs: Properties, resources: Mapping[str, Any], project: str
) -> list[str]:
    """What the service needs and the project has not.

    The refusals of an API that is off and of a secret that may not be read are the real API's
    words, as people quote them; page ``configuring/services/secrets`` has the rule.
    """
    missing: list[str] = []
    if f"api/{project}/run.googleapis.com" not in resources:
        missing.append(f"Cloud Run Admin API has not been used in project {project} before")
    template = inputs["template"]
    account = template.get("serviceAccount", "")
    if account and account != UNKNOWN and f"account/{account}" not in resources:
        missing.append(f"Service account {account} does not exist")
    for secret, version in sorted(set(secret_references(template))):
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
