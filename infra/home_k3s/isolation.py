"""What the model server may reach, who may reach it, and how many GPU slices the namespace gets.

The pod stands in somebody's home network. It answers Traefik; it asks DNS and, for weights, the
public Internet by HTTPS; it never reaches the home network, the tailnet or the metadata address.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.home_k3s.model_server import LABELS
from infra.home_k3s.names import NAMESPACE, SYSTEM
from infra.home_k3s.retained import metadata, retained

PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
)

Peer = k8s.networking.v1.NetworkPolicyPeerArgs
Port = k8s.networking.v1.NetworkPolicyPortArgs
Selector = k8s.meta.v1.LabelSelectorArgs


@dataclass(frozen=True, kw_only=True)
class IsolationArgs:
    """Inputs to :class:`Isolation`."""

    gpu_slices: int


class Isolation(pulumi.ComponentResource):
    """The namespace with its quota and its network policies."""

    namespace: k8s.core.v1.Namespace

    def __init__(
        self, name: str, args: IsolationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:k3s:Isolation", name, {}, opts)
        self.namespace = k8s.core.v1.Namespace(
            f"{name}-namespace", metadata=metadata(NAMESPACE, namespace=None), opts=retained(self)
        )
        after = retained(self, after=[self.namespace])
        k8s.core.v1.ResourceQuota(
            f"{name}-gpu-quota",
            metadata=metadata("gpu"),
            spec=k8s.core.v1.ResourceQuotaSpecArgs(
                hard={"requests.nvidia.com/gpu": str(args.gpu_slices)}
            ),
            opts=after,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-ingress",
            metadata=metadata("vllm-from-traefik-only"),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=Selector(match_labels=LABELS),
                policy_types=["Ingress"],
                ingress=[
                    k8s.networking.v1.NetworkPolicyIngressRuleArgs(
                        from_=[_pods(SYSTEM, {"app.kubernetes.io/name": "traefik"})],
                        ports=[Port(protocol="TCP", port="http")],
                    )
                ],
            ),
            opts=after,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-egress",
            metadata=metadata("vllm-to-model-hub-only"),
            spec=k8s.networking.v1.NetworkPolicySpecArgs(
                pod_selector=Selector(match_labels=LABELS),
                policy_types=["Egress"],
                egress=[
                    k8s.networking.v1.NetworkPolicyEgressRuleArgs(
                        to=[_pods(SYSTEM, {"k8s-app": "kube-dns"})],
                        ports=[Port(protocol="UDP", port=53), Port(protocol="TCP", port=53)],
                    ),
                    # Network policies know addresses, not names: HTTPS to all that is public.
                    k8s.networking.v1.NetworkPolicyEgressRuleArgs(
                        to=[
                            Peer(
                                ip_block=k8s.networking.v1.IPBlockArgs(
                                    cidr="0.0.0.0/0", except_=list(PRIVATE)
                                )
                            )
                        ],
                        ports=[Port(protocol="TCP", port=443)],
                    ),
                ],
            ),
            opts=after,
        )
        self.register_outputs({})


def _pods(namespace: str, labels: dict[str, str]) -> Peer:
    return Peer(
        namespace_selector=Selector(match_labels={"kubernetes.io/metadata.name": namespace}),
        pod_selector=Selector(match_labels=labels),
    )
