"""How the gateway becomes a member of the tailnet."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_tailscale as tailscale

from infra.tailnet.policy import GATEWAY_TAG, policy

SECONDS_PER_DAY = 86_400
USABLE = re.compile(r"tskey-auth-\S+|hskey-auth-\S+|[0-9a-f]{48,}")
"""Tailscale's auth keys, headscale's, and headscale's before 0.28."""


def usable_auth_key(key: str) -> str:
    """The key as the gateway may use it, without the line end that copying adds.

    Raises:
        pulumi.RunError: it is another kind of key, which the control server would refuse later, at
            the first request.
    """
    key = key.strip()
    if not USABLE.fullmatch(key):
        kind = "-".join(key.split("-")[:2]) if key.startswith("tskey-") else "something else"
        raise pulumi.RunError(
            f"the gateway needs an auth key (tskey-auth-... or hskey-auth-...), this is {kind}; "
            "create it with the Tailscale provider, or check what the control server answers"
        )
    return key


@dataclass(frozen=True, kw_only=True)
class TailnetArgs:
    """Inputs to :class:`Tailnet`."""

    key_days: int
    owns_policy: bool
    identity_subject: pulumi.Input[str] | None
    """Numeric id of the Google service account that joins without a key; ``None``: by auth key."""


class Tailnet(pulumi.ComponentResource):
    """An auth key for the gateway, or a trust that needs none.

    The tailnet's policy is left alone unless asked for: the resource replaces the whole file.
    """

    auth_key: pulumi.Output[str] | None = None
    """Secret; reusable, ephemeral, pre-approved, tagged."""
    identity: tailscale.FederatedIdentity | None = None

    def __init__(
        self, name: str, args: TailnetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:tailnet:Tailnet", name, {}, opts)
        needed: list[pulumi.Resource] = []
        if args.owns_policy:
            # A tailnet has one policy: taking it away would close everything else on it.
            kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
            text = pulumi.Output.json_dumps(policy())
            needed.append(tailscale.Acl(f"{name}-policy", acl=text, opts=kept))
        child = pulumi.ResourceOptions(
            parent=self, depends_on=needed, additional_secret_outputs=["key"]
        )
        if args.identity_subject is not None:
            self.identity = tailscale.FederatedIdentity(
                f"{name}-gateway-identity",
                description="home-gateway on Cloud Run",
                # Every Google account shares this issuer; the subject is what tells ours apart.
                issuer="https://accounts.google.com",
                subject=args.identity_subject,
                scopes=["auth_keys"],
                tags=[GATEWAY_TAG],
                opts=pulumi.ResourceOptions(parent=self, depends_on=needed),
            )
        else:
            key = tailscale.TailnetKey(
                f"{name}-gateway-key",
                description="home-gateway on Cloud Run",
                reusable=True,
                ephemeral=True,
                preauthorized=True,
                expiry=args.key_days * SECONDS_PER_DAY,
                # Noticed when state is refreshed: `pulumi up --refresh` renews an expired key.
                recreate_if_invalid="always",
                tags=[GATEWAY_TAG],
                opts=child,
            )
            self.auth_key = pulumi.Output.secret(key.key.apply(usable_auth_key))
        self.register_outputs({})
