"""Everything at home, in the order it depends on each other."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from app.model.profiles import PROFILES
from infra.config import Settings
from infra.home_k3s.entry import Entry, EntryArgs
from infra.home_k3s.gpu_sharing import GpuSharing, GpuSharingArgs
from infra.home_k3s.isolation import Isolation, IsolationArgs
from infra.home_k3s.model_server import ModelServer, ModelServerArgs


@dataclass(frozen=True, kw_only=True)
class Home:
    """What was declared, as far as others wait for it."""

    model: ModelServer
    way_in: k8s.networking.v1.Ingress


def home(
    settings: Settings, upstream_key: pulumi.Input[str], provider: pulumi.ProviderResource
) -> Home:
    """Declare the GPU's sharing, the namespace, the model server and the way to it."""
    here = pulumi.ResourceOptions(provider=provider)
    sharing = GpuSharing("gpu", GpuSharingArgs(slices=settings.home.gpu_slices), here)
    isolation = Isolation("isolation", IsolationArgs(gpu_slices=settings.home.gpu_slices), here)
    inside = pulumi.ResourceOptions(provider=provider, depends_on=[isolation.namespace])
    server = ModelServer(
        "model",
        ModelServerArgs(
            image=settings.model.image,
            profile=PROFILES[settings.model.profile],
            revision=settings.model.commit,
            line_mbits=settings.home.line_mbits,
            gpu=sharing.device_plugin,
        ),
        inside,
    )
    entry = Entry(
        "entry",
        EntryArgs(
            requests_per_minute=settings.limits.requests_per_minute,
            burst=settings.limits.burst,
            in_flight=settings.limits.in_flight,
            tailnet_only=settings.home.tailnet_only,
            traefik_values=settings.home.traefik_values,
            gateway_key=upstream_key,
            service=server.service,
        ),
        inside,
    )
    return Home(model=server, way_in=entry.ingress)
