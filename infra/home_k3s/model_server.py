"""One model, served by vLLM on the home GPU."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from inspect import getsource
from math import ceil

import pulumi
import pulumi_kubernetes as k8s

from app.model import alive
from app.model.profiles import SERVED_NAME, Profile
from app.model.serving import (
    CACHE,
    DRAIN_SECONDS,
    HTTP_PORT,
    MODULE_FILES,
    MODULES,
    NOTHING,
    environment,
    serve_args,
)
from infra.home_k3s.names import FRESH, MODEL, MODEL_CACHE, NAMESPACE
from infra.home_k3s.retained import metadata, restarted_by, retained

LABELS = {"app": MODEL}
LEAVE_SECONDS = 10
"""Between leaving the Service and SIGTERM: vLLM refuses new requests with 500 while it drains."""
MARGIN_SECONDS = 20
IMAGE_GB = 12
"""The vLLM image, compressed; 25 to 28 GB unpacked (vllm-project/vllm#27154)."""
MODULES_NAME = "vllm-modules"
START_MINUTES = 15
"""To unpack the image, load the weights, and compile."""


@dataclass(frozen=True, kw_only=True)
class ModelServerArgs:
    """Inputs to :class:`ModelServer`."""

    image: str
    profile: Profile
    revision: str
    line_mbits: int
    gpu: pulumi.Resource
    """What makes the node have a GPU to give."""


class ModelServer(pulumi.ComponentResource):
    """The vLLM Deployment (one pod, one GPU slice) and its Service.

    The server has no key: it would read it at its start only, and every new key would mean loading
    the model again. Traefik, the only one that may reach it, asks for the key instead.

    ``Recreate``, because the GPU's memory holds one model at a time. The cache is a folder of the
    one node: it survives everything and needs no provisioner.
    """

    service: k8s.core.v1.Service
    deployment: k8s.apps.v1.Deployment
    minutes_to_start: int
    """The longest that a first start may take: image and weights at half of the line's speed."""

    def __init__(
        self, name: str, args: ModelServerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:k3s:ModelServer", name, {}, opts)
        gigabytes = IMAGE_GB + args.profile.weights_gib * 2**30 / 1e9
        download_minutes = ceil(gigabytes * 8000 / (args.line_mbits / 2) / 60)
        self.minutes_to_start = START_MINUTES + download_minutes
        self.service = k8s.core.v1.Service(
            f"{name}-service",
            metadata=metadata(
                MODEL,
                labels=LABELS,
                # Its endpoints come with the model's pod, which `model_wait` waits for.
                annotations={
                    "pulumi.com/skipAwait": "true",
                    "traefik.ingress.kubernetes.io/service.serverstransport": (
                        f"{NAMESPACE}-{FRESH}@kubernetescrd"
                    ),
                },
            ),
            spec=k8s.core.v1.ServiceSpecArgs(
                selector=LABELS,
                ports=[k8s.core.v1.ServicePortArgs(name="http", port=80, target_port="http")],
            ),
            opts=retained(self),
        )
        # Read and not imported: one changes Pillow, which `pulumi up` does not need.
        modules = {
            name: files("app.model").joinpath(file).read_text()
            for name, file in MODULE_FILES.items()
        }
        config_map = k8s.core.v1.ConfigMap(
            f"{name}-modules",
            metadata=metadata(MODULES_NAME),
            data=modules,
            opts=retained(self),
        )
        self.deployment = k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata=metadata(
                MODEL,
                labels=LABELS,
                # Pulumi's wait takes a broken change for done: `model_wait` waits.
                annotations={"pulumi.com/skipAwait": "true"},
            ),
            # Without `replicas`, which is 1 then and stays what somebody scales it to by hand.
            spec=k8s.apps.v1.DeploymentSpecArgs(
                strategy=k8s.apps.v1.DeploymentStrategyArgs(type="Recreate"),
                progress_deadline_seconds=self.minutes_to_start * 60,
                selector=k8s.meta.v1.LabelSelectorArgs(match_labels=LABELS),
                template=k8s.core.v1.PodTemplateSpecArgs(
                    metadata=k8s.meta.v1.ObjectMetaArgs(
                        labels=LABELS, annotations=restarted_by(json.dumps(modules))
                    ),
                    spec=_pod(args, self.minutes_to_start),
                ),
            ),
            opts=retained(self, after=[args.gpu, config_map]),
        )
        self.register_outputs({})


def _pod(args: ModelServerArgs, minutes_to_start: int) -> k8s.core.v1.PodSpecArgs:
    return k8s.core.v1.PodSpecArgs(
        runtime_class_name="nvidia",
        enable_service_links=False,
        automount_service_account_token=False,
        termination_grace_period_seconds=LEAVE_SECONDS + DRAIN_SECONDS + MARGIN_SECONDS,
        containers=[_container(args, minutes_to_start)],
        volumes=[
            k8s.core.v1.VolumeArgs(
                name="cache",
                host_path=k8s.core.v1.HostPathVolumeSourceArgs(
                    path=MODEL_CACHE, type="DirectoryOrCreate"
                ),
            ),
            k8s.core.v1.VolumeArgs(
                name="nothing", empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs()
            ),
            k8s.core.v1.VolumeArgs(
                name="modules",
                config_map=k8s.core.v1.ConfigMapVolumeSourceArgs(name=MODULES_NAME),
            ),
            k8s.core.v1.VolumeArgs(
                name="shm",
                empty_dir=k8s.core.v1.EmptyDirVolumeSourceArgs(medium="Memory", size_limit="2Gi"),
            ),
        ],
    )


def _container(args: ModelServerArgs, minutes_to_start: int) -> k8s.core.v1.ContainerArgs:
    return k8s.core.v1.ContainerArgs(
        name="vllm",
        image=args.image,
        args=serve_args(args.profile, args.revision),
        ports=[k8s.core.v1.ContainerPortArgs(name="http", container_port=HTTP_PORT)],
        env=[
            k8s.core.v1.EnvVarArgs(name=name, value=value) for name, value in environment().items()
        ],
        resources=k8s.core.v1.ResourceRequirementsArgs(limits={"nvidia.com/gpu": "1"}),
        security_context=k8s.core.v1.SecurityContextArgs(allow_privilege_escalation=False),
        volume_mounts=[
            k8s.core.v1.VolumeMountArgs(name="cache", mount_path=CACHE),
            k8s.core.v1.VolumeMountArgs(name="nothing", mount_path=NOTHING, read_only=True),
            k8s.core.v1.VolumeMountArgs(name="modules", mount_path=MODULES, read_only=True),
            k8s.core.v1.VolumeMountArgs(name="shm", mount_path="/dev/shm"),  # noqa: S108
        ],
        # The first start downloads the weights: 16.6 GB for the 7B model.
        startup_probe=_probe(period=5, failures=minutes_to_start * 12, timeout=2),
        readiness_probe=_probe(period=5, failures=3, timeout=3),
        liveness_probe=_computes(),
        lifecycle=k8s.core.v1.LifecycleArgs(
            pre_stop=k8s.core.v1.LifecycleHandlerArgs(
                sleep=k8s.core.v1.SleepActionArgs(seconds=LEAVE_SECONDS)
            )
        ),
    )


def _computes() -> k8s.core.v1.ProbeArgs:
    """Restart a server whose engine stands still although it says that it is healthy.

    After five to seven minutes; it asks for 30 tokens an hour.
    """
    return k8s.core.v1.ProbeArgs(
        # The program itself is the argument.
        exec_=k8s.core.v1.ExecActionArgs(
            command=["python3", "-c", getsource(alive), str(HTTP_PORT), SERVED_NAME]
        ),
        period_seconds=120,
        failure_threshold=3,
        timeout_seconds=alive.LONGEST_SECONDS + 10,
    )


def _probe(*, period: int, failures: int, timeout: int) -> k8s.core.v1.ProbeArgs:
    return k8s.core.v1.ProbeArgs(
        http_get=k8s.core.v1.HTTPGetActionArgs(path="/health", port="http"),
        period_seconds=period,
        failure_threshold=failures,
        timeout_seconds=timeout,
    )
