"""The way in at home: the tailnet address's port 80, Traefik, limits for each API key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s
import yaml

from infra.config import TRAEFIK_TIMEOUT_SECONDS
from infra.gateway_key import KEY_ID_HEADER, password_line
from infra.home_k3s.names import FRESH, MODEL, NAMESPACE, SYSTEM
from infra.home_k3s.retained import metadata, retained

TAILNET_ADDRESSES = "100.64.0.0/10"
TRAEFIK = "traefik.io/v1alpha1"


def chart_values(own: Mapping[str, Any], *, tailnet_only: bool) -> dict[str, Any]:
    """Values for K3s' own Traefik chart: this program's, over the person's ``own``.

    Traefik gives up reading a request after 60 s by default; a large picture over a slow relay
    takes longer.
    """
    seconds = TRAEFIK_TIMEOUT_SECONDS
    transport = "--entryPoints.web.transport"
    ours: dict[str, Any] = {
        "additionalArguments": [
            f"{transport}.respondingTimeouts.readTimeout={seconds}s",
            f"{transport}.lifeCycle.graceTimeOut={seconds}s",
        ],
        # The pod's own grace, 60 s in the chart, would end it before that.
        "deployment": {"terminationGracePeriodSeconds": seconds + 10},
    }
    if tailnet_only:
        ours["service"] = {"spec": {"loadBalancerSourceRanges": [TAILNET_ADDRESSES]}}
    return _over(ours, own)


def _over(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Both; lists one after the other; where each says something else, ours.

    >>> _over({"a": {"x": 1}, "l": [3]}, {"a": {"x": 2, "y": 2}, "l": [1], "b": 4})
    {'a': {'x': 1, 'y': 2}, 'l': [1, 3], 'b': 4}
    """
    merged = dict(theirs)
    for name, value in ours.items():
        other = theirs.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            value = _over(cast("dict[str, Any]", value), cast("dict[str, Any]", other))  # noqa: PLW2901
        elif isinstance(value, list) and isinstance(other, list):
            value = [*cast("list[Any]", other), *cast("list[Any]", value)]  # noqa: PLW2901
        merged[name] = value
    return merged


@dataclass(frozen=True, kw_only=True)
class EntryArgs:
    """Inputs to :class:`Entry`."""

    requests_per_minute: int
    burst: int
    in_flight: int
    tailnet_only: bool
    """Close the node's ports 80 and 443, every Ingress's, to all but the tailnet."""
    traefik_values: Mapping[str, Any]
    """The person's own values for K3s' Traefik chart."""
    gateway_key: pulumi.Input[str]
    service: k8s.core.v1.Service


class Entry(pulumi.ComponentResource):
    """Traefik's settings, the gateway's key, the limits, and the Ingress to the model server."""

    ingress: k8s.networking.v1.Ingress

    def __init__(
        self, name: str, args: EntryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:k3s:Entry", name, {}, opts)
        values = chart_values(args.traefik_values, tailnet_only=args.tailnet_only)
        k8s.apiextensions.CustomResource(
            f"{name}-traefik",
            api_version="helm.cattle.io/v1",
            kind="HelmChartConfig",
            metadata=metadata("traefik", namespace=SYSTEM),
            spec={"valuesContent": yaml.safe_dump(values, sort_keys=False)},
            opts=retained(self),
        )
        k8s.apiextensions.CustomResource(
            f"{name}-transport",
            api_version=TRAEFIK,
            kind="ServersTransport",
            # vLLM closes a connection after a 500 without saying so: the next request on it, of
            # any client, would fail. To a pod of the same node a new connection costs 0.1 ms.
            metadata=metadata(FRESH),
            spec={"maxIdleConnsPerHost": -1},
            opts=retained(self),
        )
        k8s.core.v1.Secret(
            f"{name}-gateway-key",
            metadata=metadata("gateway-key"),
            string_data={"users": pulumi.Output.secret(args.gateway_key).apply(password_line)},
            opts=retained(self),
        )
        per_key = {"sourceCriterion": {"requestHeaderName": KEY_ID_HEADER}}
        limits = {
            # Traefik reads a changed Secret at once, so a new key restarts nothing.
            "gateway-only": {"basicAuth": {"secret": "gateway-key", "removeHeader": True}},
            "rate": {
                "rateLimit": {
                    "average": args.requests_per_minute,
                    "period": "1m",
                    "burst": args.burst,
                    **per_key,
                }
            },
            "in-flight": {"inFlightReq": {"amount": args.in_flight, **per_key}},
        }
        middlewares = [
            k8s.apiextensions.CustomResource(
                f"{name}-{limit}",
                api_version=TRAEFIK,
                kind="Middleware",
                metadata=metadata(limit),
                spec=spec,
                opts=retained(self),
            )
            for limit, spec in limits.items()
        ]
        names = ",".join(f"{NAMESPACE}-{limit}@kubernetescrd" for limit in limits)
        self.ingress = k8s.networking.v1.Ingress(
            f"{name}-ingress",
            metadata=metadata(
                MODEL,
                annotations={"traefik.ingress.kubernetes.io/router.middlewares": names},
            ),
            spec=k8s.networking.v1.IngressSpecArgs(
                ingress_class_name="traefik",
                rules=[
                    k8s.networking.v1.IngressRuleArgs(
                        http=k8s.networking.v1.HTTPIngressRuleValueArgs(
                            paths=[_path("/v1", args), _path("/health", args)]
                        )
                    )
                ],
            ),
            opts=retained(self, after=[*middlewares, args.service]),
        )
        self.register_outputs({})


def _path(path: str, args: EntryArgs) -> k8s.networking.v1.HTTPIngressPathArgs:
    return k8s.networking.v1.HTTPIngressPathArgs(
        path=path,
        path_type="Prefix",
        backend=k8s.networking.v1.IngressBackendArgs(
            service=k8s.networking.v1.IngressServiceBackendArgs(
                name=args.service.metadata.name,
                port=k8s.networking.v1.ServiceBackendPortArgs(name="http"),
            )
        ),
    )
