"""The GPU's time divided: NVIDIA's device plugin with time slicing.

Only time is divided. Each pod sees the whole memory and a crash of one is a crash of all, so the
memory is budgeted in the settings and one model server owns most of it. The RuntimeClass
``nvidia`` is K3s' own and deliberately not declared here.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s
import yaml

from infra.home_k3s.names import DEVICE_PLUGINS, NVIDIA_PLUGIN, SYSTEM, TIME_SLICING
from infra.home_k3s.retained import metadata, restarted_by, retained

# renovate: datasource=docker depName=nvcr.io/nvidia/k8s-device-plugin
IMAGE = "nvcr.io/nvidia/k8s-device-plugin:v0.20.0"
LABELS = {"app.kubernetes.io/name": NVIDIA_PLUGIN}


def time_slicing(slices: int) -> str:
    """The device plugin's configuration file."""
    return yaml.safe_dump(
        {
            "version": "v1",
            "sharing": {
                "timeSlicing": {
                    # Two slices are not twice the GPU; asking for two is a misunderstanding.
                    "failRequestsGreaterThanOne": True,
                    "resources": [{"name": "nvidia.com/gpu", "replicas": slices}],
                }
            },
        },
        sort_keys=False,
    )


@dataclass(frozen=True, kw_only=True)
class GpuSharingArgs:
    """Inputs to :class:`GpuSharing`."""

    slices: int


class GpuSharing(pulumi.ComponentResource):
    """The node shows ``nvidia.com/gpu: slices``."""

    def __init__(
        self, name: str, args: GpuSharingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:k3s:GpuSharing", name, {}, opts)
        config = time_slicing(args.slices)
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-time-slicing",
            metadata=metadata(TIME_SLICING, namespace=SYSTEM),
            data={"config.yaml": config},
            opts=retained(self),
        )
        self.device_plugin = k8s.apps.v1.DaemonSet(
            f"{name}-device-plugin",
            metadata=metadata(NVIDIA_PLUGIN, namespace=SYSTEM, labels=LABELS),
            spec=k8s.apps.v1.DaemonSetSpecArgs(
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=LABELS),
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(
                        labels=LABELS, annotations=restarted_by(config)
                    ),
                    spec=_pod(),
                ),
            ),
            opts=retained(self, after=[config_map]),
        )
        self.register_outputs({})


def _pod() -> k8s.core.v1.PodSpecArgs:
    return k8s.core.v1.PodSpecArgs(
        runtime_class_name="nvidia",
        priority_class_name="system-node-critical",
        containers=[
            k8s.core.v1.ContainerArgs(
                name=NVIDIA_PLUGIN,
                image=IMAGE,
                env=[k8s.core.v1.EnvVarArgs(name="CONFIG_FILE", value="/config/config.yaml")],
                security_context=k8s.core.v1.SecurityContextArgs(
                    allow_privilege_escalation=False,
                    capabilities=k8s.core.v1.CapabilitiesArgs(drop=["ALL"]),
                ),
                volume_mounts=[
                    k8s.core.v1.VolumeMountArgs(name="config", mount_path="/config"),
                    k8s.core.v1.VolumeMountArgs(name="plugins", mount_path=DEVICE_PLUGINS),
                ],
            )
        ],
        volumes=[
            k8s.core.v1.VolumeArgs(
                name="config",
                config_map=k8s.core.v1.ConfigMapVolumeSourceArgs(name=TIME_SLICING),
            ),
            k8s.core.v1.VolumeArgs(
                name="plugins",
                host_path=k8s.core.v1.HostPathVolumeSourceArgs(path=DEVICE_PLUGINS),
            ),
        ],
    )
