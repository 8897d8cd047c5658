"""What all objects at home have in common: `pulumi destroy` leaves them, the next up adopts them.

For that it has a fixed name (a generated one would make a second model server beside the first)
and a fixed field manager (a generated one would leave the old fields owned by nobody).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from infra.home_k3s.names import FIELD_MANAGER, MANAGER_ANNOTATION, NAMESPACE


def metadata(
    name: str,
    *,
    namespace: str | None = NAMESPACE,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> k8s.meta.v1.ObjectMetaArgs:
    """Name, namespace and the field manager's annotation."""
    return k8s.meta.v1.ObjectMetaArgs(
        name=name,
        namespace=namespace,
        labels=labels,
        annotations={MANAGER_ANNOTATION: FIELD_MANAGER, **(annotations or {})},
    )


def restarted_by(config: str) -> dict[str, str]:
    """Annotations of a pod that reads a mounted file once: a changed one must restart it."""
    return {"personal-cloud-hub/config": hashlib.sha256(config.encode()).hexdigest()[:16]}


def retained(
    parent: pulumi.Resource,
    *,
    after: Sequence[pulumi.Resource] = (),
) -> pulumi.ResourceOptions:
    """Options of a child that destroy leaves running."""
    return pulumi.ResourceOptions(
        parent=parent,
        retain_on_delete=True,
        depends_on=list(after),
    )
