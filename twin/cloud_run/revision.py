"""A service's template as Cloud Run reads it: parsed once, frozen, with its defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from twin.containers.probes import Probe

DEFAULT_CONCURRENCY = 80
DEFAULT_PORT = 8080
DEFAULT_TIMEOUT_SECONDS = 300
DEFAULT_STARTUP_SECONDS = 240
"""Without a startup probe the port has this long to open."""
DEFAULT_STARTUP_TRIES_PER_SECOND = 10
"""Cloud Run sees at once that the port opens; the emulator tries it this often."""


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """A secret at a version."""

    secret: str
    version: str
    """A number, or ``latest``."""


@dataclass(frozen=True, kw_only=True)
class RevisionContainer:
    """One container of a revision."""

    name: str
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    env: Mapping[str, str | SecretRef]
    port: int | None
    """The port requests are sent to; one container has one."""
    depends_on: tuple[str, ...]
    mounts: Mapping[str, str]
    """Path to volume."""
    startup: Probe | None


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What an instance is made of."""

    name: str
    service: str
    region: str
    containers: tuple[RevisionContainer, ...]
    """In the order of their start."""
    volumes: Mapping[str, Mapping[str, SecretRef]]
    """Volume to file name to secret; an empty one is a scratch folder."""
    concurrency: int
    timeout_seconds: int

    @property
    def ingress(self) -> RevisionContainer:
        return next(c for c in self.containers if c.port is not None)


def parse(service: Mapping[str, Any], name: str, port_override: int | None) -> Revision:
    """From the inputs of ``gcp:cloudrunv2/service:Service``, which the provider has checked."""
    template = service["template"]
    raw: list[Mapping[str, Any]] = template["containers"]
    containers = {c["name"]: _container(c, _port(c, raw), port_override) for c in raw}
    order = TopologicalSorter({c.name: c.depends_on for c in containers.values()}).static_order()
    return Revision(
        name=name,
        service=service["name"],
        region=service["location"],
        containers=tuple(containers[one] for one in order),
        volumes={v["name"]: _volume(v) for v in template.get("volumes", [])},
        concurrency=template.get("maxInstanceRequestConcurrency") or DEFAULT_CONCURRENCY,
        timeout_seconds=int(template.get("timeout", f"{DEFAULT_TIMEOUT_SECONDS}s")[:-1]),
    )


def secret_references(template: Mapping[str, Any]) -> Iterator[SecretRef]:
    """Every secret that the template's containers read."""
    for container in template.get("containers", []):
        values = map(_value, container.get("envs", []))
        yield from (value for value in values if isinstance(value, SecretRef))
    for volume in template.get("volumes", []):
        yield from _volume(volume).values()


def _port(raw: Mapping[str, Any], every: Sequence[Mapping[str, Any]]) -> int | None:
    """A container that is alone receives the requests, whether it says a port or not."""
    if "ports" in raw or len(every) == 1:
        return raw.get("ports", {}).get("containerPort", DEFAULT_PORT)
    return None


def _container(
    raw: Mapping[str, Any], declared: int | None, port_override: int | None
) -> RevisionContainer:
    port = (port_override or declared) if declared else None
    return RevisionContainer(
        name=raw["name"],
        image=raw["image"],
        command=tuple(raw.get("commands", ())),
        args=tuple(raw.get("args", ())),
        env={one["name"]: _value(one) for one in raw.get("envs", [])},
        port=port,
        depends_on=tuple(raw.get("dependsOns", ())),
        mounts={m["mountPath"]: m["name"] for m in raw.get("volumeMounts", [])},
        startup=_startup(raw.get("startupProbe"), declared, port),
    )


def _value(env: Mapping[str, Any]) -> str | SecretRef:
    if source := env.get("valueSource"):
        return _reference(source["secretKeyRef"])
    return str(env.get("value", ""))


def _volume(raw: Mapping[str, Any]) -> dict[str, SecretRef]:
    secret = raw.get("secret")
    if secret is None:
        return {}
    # Without items there is one file, named like the secret.
    items = secret.get("items") or [{"path": _reference(secret).secret}]
    return {item["path"]: _reference({**secret, **item}) for item in items}


def _reference(raw: Mapping[str, Any]) -> SecretRef:
    secret = raw["secret"].rpartition("/")[2]
    return SecretRef(secret=secret, version=str(raw.get("version", "latest")))


def _startup(raw: Mapping[str, Any] | None, declared: int | None, port: int | None) -> Probe | None:
    if raw is None:
        if port is None:
            return None
        return Probe(
            port=port,
            period_seconds=1 / DEFAULT_STARTUP_TRIES_PER_SECOND,
            failure_threshold=DEFAULT_STARTUP_SECONDS * DEFAULT_STARTUP_TRIES_PER_SECOND,
        )
    http = raw.get("httpGet")
    asked = (raw["tcpSocket"] if http is None else http).get("port", declared)
    return Probe(
        port=port if asked == declared and port is not None else asked,
        path=None if http is None else http.get("path", "/"),
        initial_delay_seconds=raw.get("initialDelaySeconds", 0),
        period_seconds=raw.get("periodSeconds", 10),
        timeout_seconds=raw.get("timeoutSeconds", 1),
        failure_threshold=raw.get("failureThreshold", 3),
    )
