"""How the gateway becomes a member of the tailnet: by an auth key, or by a trust without one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import pulumi
import pulumi_tailscale as tailscale

from infra.tailnet.policy import GATEWAY_TAG
from infra.tailnet.renewal import SECONDS_PER_DAY, written_on

DESCRIPTION = "home-gateway on Cloud Run"
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
class AuthKeyArgs:
    """Inputs to :class:`AuthKey`."""

    days: int
    today: date


class AuthKey(pulumi.ComponentResource):
    """A key that any instance of the gateway joins with, until it expires.

    Every `up` in a new period replaces it: the description names the period, and a key cannot be
    described anew (terraform-provider-tailscale 0.29.2, ``resource_tailnet_key.go``).
    """

    key: pulumi.Output[str]
    """Secret; reusable, ephemeral, pre-approved, tagged."""
    expires: pulumi.Output[str]
    """When instances cannot join with it any more, RFC 3339."""

    def __init__(
        self, name: str, args: AuthKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:tailnet:AuthKey", name, {}, opts)
        made = tailscale.TailnetKey(
            f"{name}-gateway-key",
            description=f"{DESCRIPTION} from {written_on(args.today, args.days)}",
            reusable=True,
            ephemeral=True,
            preauthorized=True,
            expiry=args.days * SECONDS_PER_DAY,
            # For one that was revoked by hand; noticed when the state is refreshed.
            recreate_if_invalid="always",
            tags=[GATEWAY_TAG],
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["key"]),
        )
        self.key = pulumi.Output.secret(made.key.apply(usable_auth_key))
        self.expires = made.expires_at
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class TrustedAccountArgs:
    """Inputs to :class:`TrustedAccount`."""

    subject: pulumi.Input[str]
    """Numeric id of the Google service account."""


class TrustedAccount(pulumi.ComponentResource):
    """The control server trusts the gateway's service account: no key is stored, none expires."""

    client_id: pulumi.Output[str]
    audience: pulumi.Output[str]

    def __init__(
        self, name: str, args: TrustedAccountArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:tailnet:TrustedAccount", name, {}, opts)
        identity = tailscale.FederatedIdentity(
            f"{name}-gateway-identity",
            description=DESCRIPTION,
            # Every Google account shares this issuer; the subject is what tells ours apart.
            issuer="https://accounts.google.com",
            subject=args.subject,
            scopes=["auth_keys"],
            tags=[GATEWAY_TAG],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.client_id, self.audience = identity.id, identity.audience
        self.register_outputs({})
