"""The public door: one Cloud Run service, scaled to zero while nobody asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pulumi
import pulumi_gcp as gcp

from infra.api_keys import ApiKeys
from infra.config import Settings
from infra.gcp import containers
from infra.gcp.caddyfile import caddyfile, keys_file
from infra.gcp.containers import SecretRef
from infra.home_k3s.entry import authorization
from infra.tailnet.membership import Tailnet

SERVICE = "home-gateway"
APIS = ("run", "secretmanager", "artifactregistry", "iam")


@dataclass(frozen=True, kw_only=True)
class GatewayArgs:
    """Inputs to :class:`Gateway`."""

    project: str
    region: str
    timeout_seconds: int
    hold_seconds: int
    concurrency: int
    caddy_image: str
    tailscale_image: str
    body_mb: int
    home: str
    control_url: str | None
    mtu: int
    api_keys: pulumi.Input[Mapping[str, str]]
    upstream_key: pulumi.Input[str]
    auth_key: pulumi.Input[str] | None
    identity_client: tuple[pulumi.Input[str], pulumi.Input[str]] | None
    """Client id and audience of the federated identity, where no auth key is used."""

    @classmethod
    def from_settings(cls, settings: Settings, keys: ApiKeys, tailnet: Tailnet) -> Self:
        identity = tailnet.identity
        return cls(
            project=settings.cloud.project,
            region=settings.cloud.region,
            timeout_seconds=settings.cloud.timeout_seconds,
            hold_seconds=settings.cloud.hold_seconds,
            concurrency=settings.cloud.concurrency,
            caddy_image=settings.cloud.caddy_image,
            tailscale_image=settings.cloud.tailscale_image,
            body_mb=settings.limits.body_mb,
            home=settings.home.host,
            control_url=settings.tailnet.control_url,
            mtu=settings.tailnet.mtu,
            api_keys=keys.by_name,
            upstream_key=keys.upstream,
            auth_key=tailnet.auth_key,
            identity_client=(identity.id, identity.audience) if identity else None,
        )


class GatewayAccount(pulumi.ComponentResource):
    """Google's APIs switched on, and the account the gateway runs as.

    Apart from the gateway because the tailnet may have to trust the account first.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("personal-cloud-hub:gcp:GatewayAccount", name, {}, opts)
        self.apis = [
            # Left on by destroy: another program of this project may have come to need them.
            gcp.projects.Service(
                f"{name}-{api}-api",
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in APIS
        ]
        self.account = gcp.serviceaccount.Account(
            f"{name}-account",
            account_id=SERVICE,
            display_name="home-gateway on Cloud Run; may read its own secrets only",
            opts=pulumi.ResourceOptions(parent=self, depends_on=self.apis),
        )
        self.register_outputs({})


class Gateway(pulumi.ComponentResource):
    """Secrets, image mirror and the service itself."""

    url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: GatewayArgs,
        identity: GatewayAccount,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("personal-cloud-hub:gcp:Gateway", name, {}, opts)
        self._name = name
        self._account = identity.account
        self._apis = identity.apis
        self._readable: list[pulumi.Resource] = []
        config = caddyfile(
            home=args.home,
            body_mb=args.body_mb,
            timeout_seconds=args.timeout_seconds,
            hold_seconds=args.hold_seconds,
        )
        caddy_config = self._secret("caddyfile", config)
        keys = self._secret("api-keys", pulumi.Output.from_input(args.api_keys).apply(keys_file))
        upstream_key = self._secret(
            "upstream-authorization",
            pulumi.Output.from_input(args.upstream_key).apply(authorization),
        )

        mirror = gcp.artifactregistry.Repository(
            f"{name}-images",
            repository_id="docker-hub",
            location=args.region,
            format="DOCKER",
            mode="REMOTE_REPOSITORY",
            description="Docker Hub, read through: its rate limits and outages stay outside",
            remote_repository_config=gcp.artifactregistry.RepositoryRemoteRepositoryConfigArgs(
                docker_repository=gcp.artifactregistry.RepositoryRemoteRepositoryConfigDockerRepositoryArgs(
                    public_repository="DOCKER_HUB"
                )
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=self._apis),
        )

        def mirrored(image: str) -> pulumi.Output[str]:
            registry = f"{args.region}-docker.pkg.dev"
            return pulumi.Output.format(
                "{0}/{1}/{2}/{3}", registry, args.project, mirror.repository_id, image
            )

        service = gcp.cloudrunv2.Service(
            f"{name}-service",
            name=SERVICE,
            location=args.region,
            ingress="INGRESS_TRAFFIC_ALL",
            # Public: Caddy asks for the key. Works where allUsers is not allowed, too.
            invoker_iam_disabled=True,
            deletion_protection=False,
            template=gcp.cloudrunv2.ServiceTemplateArgs(
                service_account=self._account.email,
                timeout=f"{args.timeout_seconds}s",
                execution_environment="EXECUTION_ENVIRONMENT_GEN2",
                max_instance_request_concurrency=args.concurrency,
                # One instance: it bounds the bill, and its limits are the whole service's.
                scaling=gcp.cloudrunv2.ServiceTemplateScalingArgs(
                    min_instance_count=0, max_instance_count=1
                ),
                containers=[
                    containers.caddy(mirrored(args.caddy_image), upstream_key),
                    containers.tailscale(
                        mirrored(args.tailscale_image),
                        control_url=args.control_url,
                        mtu=args.mtu,
                        join=self._join(args),
                    ),
                ],
                volumes=[
                    caddy_config.as_volume("caddyfile", "Caddyfile"),
                    keys.as_volume("keys", "keys.caddy"),
                ],
            ),
            # The account must be able to read the secrets before the first instance starts.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*self._apis, *self._readable]),
        )
        self.url = service.uri
        self.register_outputs({"url": self.url})

    def _join(self, args: GatewayArgs) -> list[containers.Env]:
        if args.identity_client is not None:
            client_id, audience = args.identity_client
            # With any `?` an omitted ephemeral means false, so both are written.
            client = pulumi.Output.format("{0}?ephemeral=true&preauthorized=true", client_id)
            return [
                containers.Env(name="TS_CLIENT_ID", value=client),
                containers.Env(name="TS_AUDIENCE", value=audience),
            ]
        if args.auth_key is None:
            raise ValueError("the gateway has neither an auth key nor an identity to join with")
        return [self._secret("tailscale-auth-key", args.auth_key).as_env("TS_AUTHKEY")]

    def _secret(self, suffix: str, value: pulumi.Input[str]) -> SecretRef:
        """A secret with one version that the gateway's account, and nobody else, may read."""
        child = pulumi.ResourceOptions(parent=self, depends_on=self._apis)
        resource = f"{self._name}-{suffix}"
        secret = gcp.secretmanager.Secret(
            resource,
            secret_id=f"{SERVICE}-{suffix}",
            replication=gcp.secretmanager.SecretReplicationArgs(
                auto=gcp.secretmanager.SecretReplicationAutoArgs()
            ),
            opts=child,
        )
        version = gcp.secretmanager.SecretVersion(
            f"{resource}-version",
            secret=secret.id,
            secret_data=value,  # the SDK marks it secret
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._readable.append(
            gcp.secretmanager.SecretIamMember(
                f"{resource}-reader",
                secret_id=secret.id,
                role="roles/secretmanager.secretAccessor",
                member=self._account.member,
                opts=pulumi.ResourceOptions(parent=self),
            )
        )
        return SecretRef(secret=secret.secret_id, version=version.version)
