"""The public door: one Cloud Run service, scaled to zero while nobody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.gcp import containers
from infra.gcp.caddyfile import caddyfile, keys_file
from infra.gcp.crossing import crossing, script
from infra.gcp.fallback import KEY_ENV, Elsewhere
from infra.gcp.joining import ByAuthKey, ByIdentity
from infra.gcp.names import SERVICE
from infra.gcp.secret import Env, Secret, kept
from infra.gcp.waking import Waker

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
    allowed_origins: Sequence[str]
    fallback: Elsewhere | None
    home: str
    waker: Waker | None
    control_url: str | None
    mtu: int
    api_keys: pulumi.Input[Mapping[str, str]]
    """Every accepted key, by its name in the list."""
    upstream_authorization: pulumi.Input[str]
    """What the gateway says at home in place of the client's ``Authorization``."""
    join: ByAuthKey | ByIdentity


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
        after_apis = pulumi.ResourceOptions(parent=self, depends_on=identity.apis)

        def secret(suffix: str, value: pulumi.Input[str]) -> Secret:
            id_ = f"{SERVICE}-{suffix}"
            return kept(f"{name}-{suffix}", id_, value, identity.account, after_apis)

        config = caddyfile(
            body_mb=args.body_mb,
            origins=args.allowed_origins,
            fallback=args.fallback,
            waker=args.waker,
        )
        caddy_config = secret("caddyfile", config)
        start = script(
            public=f"{containers.CADDYFILE_FOLDER}/Caddyfile",
            crossing=crossing(
                home=args.home,
                timeout_seconds=args.timeout_seconds,
                hold_seconds=args.hold_seconds,
                waker=args.waker,
            ),
            hold_seconds=args.hold_seconds,
        )
        keys = secret("api-keys", pulumi.Output.from_input(args.api_keys).apply(keys_file))
        upstream = secret("upstream-authorization", args.upstream_authorization)
        secrets = [caddy_config, keys, upstream]
        caddys_secrets = [upstream.as_env("UPSTREAM_AUTHORIZATION")]
        if args.fallback is not None:
            fallback_key = secret("fallback-key", args.fallback.key)
            secrets.append(fallback_key)
            caddys_secrets.append(fallback_key.as_env(KEY_ENV))
        up_arguments = [f"--login-server={args.control_url}"] if args.control_url else []
        match args.join:
            case ByAuthKey(key=key):
                auth_key = secret("tailscale-auth-key", key)
                secrets.append(auth_key)
                credentials = [auth_key.as_env("TS_AUTHKEY")]
            case ByIdentity() as join:
                credentials = _identity(join)
                up_arguments.append(f"--advertise-tags={join.tag}")

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
            opts=after_apis,
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
                service_account=identity.account.email,
                timeout=f"{args.timeout_seconds}s",
                execution_environment="EXECUTION_ENVIRONMENT_GEN2",
                max_instance_request_concurrency=args.concurrency,
                # One instance: it bounds the bill, and its limits are the whole service's.
                scaling=gcp.cloudrunv2.ServiceTemplateScalingArgs(
                    min_instance_count=0, max_instance_count=1
                ),
                containers=[
                    containers.caddy(mirrored(args.caddy_image), start, caddys_secrets),
                    containers.tailscale(
                        mirrored(args.tailscale_image),
                        mtu=args.mtu,
                        credentials=credentials,
                        up_arguments=up_arguments,
                    ),
                ],
                volumes=[
                    caddy_config.as_volume("caddyfile", "Caddyfile"),
                    keys.as_volume("keys", "keys.caddy"),
                ],
            ),
            # The account must be able to read the secrets before the first instance starts.
            opts=pulumi.ResourceOptions(
                parent=self, depends_on=[*identity.apis, *(one.readable for one in secrets)]
            ),
        )
        self.url = service.uri
        self.register_outputs({"url": self.url})


def _identity(join: ByIdentity) -> list[Env]:
    # With any `?` an omitted ephemeral means false, so both are written.
    client = pulumi.Output.format("{0}?ephemeral=true&preauthorized=true", join.client_id)
    return [
        Env(name="TS_CLIENT_ID", value=client),
        Env(name="TS_AUDIENCE", value=join.audience),
    ]
