"""A text in Google's Secret Manager that the gateway's account, and nobody else, may read."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

Env = gcp.cloudrunv2.ServiceTemplateContainerEnvArgs


@dataclass(frozen=True, kw_only=True)
class Secret:
    """A secret at one version, so that a new value makes a new revision."""

    secret: pulumi.Input[str]
    version: pulumi.Input[str]
    readable: pulumi.Resource
    """What uses the secret must wait for this: before it the account may not read it."""

    def as_env(self, name: str) -> Env:
        return Env(
            name=name,
            value_source=gcp.cloudrunv2.ServiceTemplateContainerEnvValueSourceArgs(
                secret_key_ref=gcp.cloudrunv2.ServiceTemplateContainerEnvValueSourceSecretKeyRefArgs(
                    secret=self.secret, version=self.version
                )
            ),
        )

    def as_volume(self, name: str, file: str) -> gcp.cloudrunv2.ServiceTemplateVolumeArgs:
        return gcp.cloudrunv2.ServiceTemplateVolumeArgs(
            name=name,
            secret=gcp.cloudrunv2.ServiceTemplateVolumeSecretArgs(
                secret=self.secret,
                items=[
                    gcp.cloudrunv2.ServiceTemplateVolumeSecretItemArgs(
                        path=file, version=self.version
                    )
                ],
            ),
        )


def kept(
    name: str,
    secret_id: str,
    value: pulumi.Input[str],
    reader: gcp.serviceaccount.Account,
    opts: pulumi.ResourceOptions,
) -> Secret:
    """The secret, one version of it with this value, and the right of one account to read it."""
    secret = gcp.secretmanager.Secret(
        name,
        secret_id=secret_id,
        replication=gcp.secretmanager.SecretReplicationArgs(
            auto=gcp.secretmanager.SecretReplicationAutoArgs()
        ),
        opts=opts,
    )
    child = pulumi.ResourceOptions(parent=opts.parent)
    version = gcp.secretmanager.SecretVersion(
        f"{name}-version",
        secret=secret.id,
        secret_data=value,  # the SDK marks it secret
        opts=child,
    )
    readable = gcp.secretmanager.SecretIamMember(
        f"{name}-reader",
        secret_id=secret.id,
        role="roles/secretmanager.secretAccessor",
        member=reader.member,
        opts=child,
    )
    return Secret(secret=secret.secret_id, version=version.version, readable=readable)
