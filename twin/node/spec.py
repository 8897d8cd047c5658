"""From a pod's JSON to what is run: environment, volumes, probes. No I/O but a look-up."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.containers.probes import Probe

Lookup = Callable[[str, str], Awaitable[Mapping[str, Any] | None]]
"""``secrets`` or ``configmaps`` and a name, to the object in the pod's namespace."""


class PodConfigError(Exception):
    """Something the pod refers to is missing; shown as CreateContainerConfigError."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """A container's three probes."""

    startup: Probe | None
    readiness: Probe | None
    liveness: Probe | None


def probes(container: Mapping[str, Any]) -> Probes:
    ports = {p["name"]: p["containerPort"] for p in container.get("ports", []) if "name" in p}

    def one(kind: str) -> Probe | None:
        raw = container.get(kind)
        if raw is None:
            return None
        how: Mapping[str, Any] = raw.get("httpGet") or raw.get("tcpSocket") or {"port": 0}
        port = how["port"]
        return Probe(
            port=port if isinstance(port, int) else ports[port],
            path=how.get("path", "/") if "httpGet" in raw else None,
            command=tuple(raw.get("exec", {}).get("command", ())),
            initial_delay_seconds=raw.get("initialDelaySeconds", 0),
            period_seconds=raw.get("periodSeconds", 10),
            timeout_seconds=raw.get("timeoutSeconds", 1),
            failure_threshold=raw.get("failureThreshold", 3),
            success_threshold=raw.get("successThreshold", 1),
        )

    return Probes(
        startup=one("startupProbe"), readiness=one("readinessProbe"), liveness=one("livenessProbe")
    )


def expand(text: str, values: Mapping[str, str]) -> str:
    """``$(NAME)`` in arguments and values; ``$$(NAME)`` stays as ``$(NAME)``.

    >>> expand("$(A)/$$(A)/$(B)", {"A": "x"})
    'x/$(A)/$(B)'
    """

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        return values.get(match[2], match[0])

    return re.sub(r"(\$)?\$\(([\w.-]+)\)", value, text)


async def environment(
    container: Mapping[str, Any], fields: Mapping[str, str], lookup: Lookup
) -> dict[str, str]:
    """A container's environment; ``fields`` answers ``fieldRef``.

    Raises:
        PodConfigError: a Secret, a ConfigMap or a key of one is missing.
    """
    values: dict[str, str] = {}
    for source in container.get("envFrom", []):
        kind = "secrets" if "secretRef" in source else "configmaps"
        reference = source.get("secretRef") or source["configMapRef"]
        values |= await _data(kind, reference["name"], lookup)
    for one in container.get("env", []):
        if (source := one.get("valueFrom")) is None:
            values[one["name"]] = expand(one.get("value", ""), values)
        elif "fieldRef" in source:
            values[one["name"]] = fields.get(source["fieldRef"]["fieldPath"], "")
        else:
            kind = "secrets" if "secretKeyRef" in source else "configmaps"
            reference = source.get("secretKeyRef") or source["configMapKeyRef"]
            data = await _data(kind, reference["name"], lookup)
            if reference["key"] not in data:
                place = f"{fields['metadata.namespace']}/{reference['name']}"
                title = {"secrets": "Secret", "configmaps": "ConfigMap"}[kind]
                raise PodConfigError(f"couldn't find key {reference['key']} in {title} {place}")
            values[one["name"]] = data[reference["key"]]
    return values


async def volume(
    raw: Mapping[str, Any], pod_folder: Path, host_paths: Path, lookup: Lookup
) -> Path | None:
    """The folder that stands for a volume, filled; ``None`` for what is left out.

    Raises:
        PodConfigError: it refers to something that is not there.
    """
    folder = pod_folder / "volumes" / raw["name"]
    if "hostPath" in raw:
        folder = host_paths / raw["hostPath"]["path"].lstrip("/")
    elif "projected" in raw:
        return None  # service account tokens: nothing here asks the API server as a pod
    folder.mkdir(parents=True, exist_ok=True)
    for kind, field, name in (
        ("secrets", "secret", "secretName"),
        ("configmaps", "configMap", "name"),
    ):
        if field in raw:
            mode = raw[field].get("defaultMode", 0o644)
            for key, value in (await _data(kind, raw[field][name], lookup)).items():
                (folder / key).touch(mode=0o600)
                (folder / key).write_text(value)
                (folder / key).chmod(mode)
    return folder


def read_only(raw: Mapping[str, Any], volumes: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A container's mounts that ask for it, and those of a Secret or a ConfigMap: always."""
    return [
        mount["mountPath"]
        for mount in raw.get("volumeMounts", [])
        if mount.get("readOnly") or {"secret", "configMap"} & volumes[mount["name"]].keys()
    ]


async def _data(kind: str, name: str, lookup: Lookup) -> dict[str, str]:
    found = await lookup(kind, name)
    if found is None:
        raise PodConfigError(f'{kind[:-1]} "{name}" not found')
    data: dict[str, str] = found.get("data") or {}
    if kind == "secrets":
        return {key: base64.b64decode(value).decode() for key, value in data.items()}
    return data


def gpus(container: Mapping[str, Any]) -> int:
    limits = container.get("resources", {}).get("limits", {})
    return int(limits.get("nvidia.com/gpu", 0))
