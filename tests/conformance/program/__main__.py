"""An object of each kind that the program has at home, with what the step changes about them.

``CONFORMANCE`` in the environment is JSON of :class:`tests.conformance.steps.Wish`.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random

from infra.home_k3s.names import FIELD_MANAGER
from tests.conformance.steps import NAMESPACE, Wish

WISH = Wish(**json.loads(os.environ["CONFORMANCE"]))
LABELS = {"app": "echo"}
CHANGED = WISH.changed


def metadata(name: str, **annotations: str) -> k8s.meta.v1.ObjectMetaArgs:
    """As the program's own objects have it."""
    owner = {"pulumi.com/patchFieldManager": FIELD_MANAGER}
    return k8s.meta.v1.ObjectMetaArgs(
        name=name, namespace=NAMESPACE, annotations={**owner, **annotations}
    )


def pod(*, image: str, **container: Any) -> k8s.core.v1.PodTemplateSpecArgs:
    return k8s.core.v1.PodTemplateSpecArgs(
        metadata=k8s.meta.v1.ObjectMetaArgs(labels=LABELS),
        spec=k8s.core.v1.PodSpecArgs(
            termination_grace_period_seconds=1,
            automount_service_account_token=False,
            containers=[k8s.core.v1.ContainerArgs(name="echo", image=image, **container)],
        ),
    )


k3s = k8s.Provider(
    "k3s",
    upsert_existing_objects=WISH.upsert,
    enable_patch_force=True,
    enable_config_map_mutable=True,
    enable_secret_mutable=True,
)
chance = random.Provider("chance")
options = pulumi.ResourceOptions(provider=k3s, retain_on_delete=WISH.retain)

password = random.RandomPassword(
    "password",
    length=24 if CHANGED else 20,
    special=False,
    opts=pulumi.ResourceOptions(provider=chance),
)
namespace = k8s.core.v1.Namespace(
    "namespace",
    metadata=k8s.meta.v1.ObjectMetaArgs(
        name=NAMESPACE,
        labels={"changed": "yes"} if CHANGED else None,
        annotations={"pulumi.com/patchFieldManager": FIELD_MANAGER},
    ),
    opts=options,
)
inside = pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[namespace]))

data = {"kept": "2" if CHANGED else "1"} | ({} if WISH.dropped else {"dropped": "1"})
k8s.core.v1.ConfigMap("config", metadata=metadata(WISH.config_name), data=data, opts=inside)
k8s.core.v1.Secret(
    "secret",
    metadata=metadata("secret"),
    string_data={"password": password.result},
    opts=inside,
)
k8s.core.v1.ResourceQuota(
    "quota",
    metadata=metadata("quota"),
    spec=k8s.core.v1.ResourceQuotaSpecArgs(hard={"pods": "9" if CHANGED else "8"}),
    opts=inside,
)
k8s.networking.v1.NetworkPolicy(
    "policy",
    metadata=metadata("policy"),
    spec=k8s.networking.v1.NetworkPolicySpecArgs(
        pod_selector=k8s.meta.v1.LabelSelectorArgs(match_labels=LABELS),
        policy_types=["Ingress", "Egress"] if CHANGED else ["Ingress"],
    ),
    opts=inside,
)
deployment = k8s.apps.v1.Deployment(
    "deployment",
    metadata=metadata("echo", **({} if WISH.dropped else {"example.com/dropped": "1"})),
    spec=k8s.apps.v1.DeploymentSpecArgs(
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=LABELS),
        template=pod(
            image=WISH.image,
            args=["respond", "--listen", ":8000", "two" if CHANGED else "one"],
            ports=[k8s.core.v1.ContainerPortArgs(name="http", container_port=8000)],
            readiness_probe=k8s.core.v1.ProbeArgs(
                http_get=k8s.core.v1.HTTPGetActionArgs(path="/", port="http"), period_seconds=1
            ),
        ),
    ),
    opts=pulumi.ResourceOptions.merge(
        inside,
        pulumi.ResourceOptions(
            custom_timeouts=pulumi.CustomTimeouts(create=WISH.timeout, update=WISH.timeout)
        ),
    ),
)
k8s.apps.v1.DaemonSet(
    "daemons",
    metadata=metadata("daemons"),
    spec=k8s.apps.v1.DaemonSetSpecArgs(
        selector=k8s.meta.v1.LabelSelectorArgs(match_labels=LABELS),
        template=pod(
            image="registry.k8s.io/pause:3.10",
            env=[k8s.core.v1.EnvVarArgs(name="N", value="2" if CHANGED else "1")],
        ),
    ),
    opts=inside,
)
service = k8s.core.v1.Service(
    "service",
    metadata=metadata("echo"),
    spec=k8s.core.v1.ServiceSpecArgs(
        selector=LABELS,
        ports=[
            k8s.core.v1.ServicePortArgs(name="http", port=81 if CHANGED else 80, target_port="http")
        ],
    ),
    opts=inside,
)
middleware = k8s.apiextensions.CustomResource(
    "middleware",
    api_version="traefik.io/v1alpha1",
    kind="Middleware",
    metadata=metadata("slow-down"),
    spec={"rateLimit": {"average": 20 if CHANGED else 10}},
    opts=inside,
)
k8s.apiextensions.CustomResource(
    "transport",
    api_version="traefik.io/v1alpha1",
    kind="ServersTransport",
    metadata=metadata("fresh"),
    spec={"maxIdleConnsPerHost": 5 if CHANGED else -1},
    opts=inside,
)
k8s.apiextensions.CustomResource(
    "chart",
    api_version="helm.cattle.io/v1",
    kind="HelmChartConfig",
    metadata=metadata("traefik"),
    spec={"valuesContent": f"a: {2 if CHANGED else 1}\n"},
    opts=inside,
)
k8s.networking.v1.Ingress(
    "ingress",
    metadata=metadata("echo"),
    spec=k8s.networking.v1.IngressSpecArgs(
        ingress_class_name="traefik",
        rules=[
            k8s.networking.v1.IngressRuleArgs(
                host="conformance.invalid",
                http=k8s.networking.v1.HTTPIngressRuleValueArgs(
                    paths=[
                        k8s.networking.v1.HTTPIngressPathArgs(
                            path="/two" if CHANGED else "/one",
                            path_type="Prefix",
                            backend=k8s.networking.v1.IngressBackendArgs(
                                service=k8s.networking.v1.IngressServiceBackendArgs(
                                    name="echo",
                                    port=k8s.networking.v1.ServiceBackendPortArgs(name="http"),
                                )
                            ),
                        )
                    ]
                ),
            )
        ],
    ),
    opts=pulumi.ResourceOptions.merge(
        inside, pulumi.ResourceOptions(depends_on=[service, middleware])
    ),
)
if WISH.theirs:
    k8s.core.v1.ConfigMap("theirs", metadata=metadata("theirs"), data={"ours": "1"}, opts=inside)
