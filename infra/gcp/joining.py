"""What the gateway shows the control server to join the tailnet."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class ByAuthKey:
    """A key, which says itself which tag its nodes carry."""

    key: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class ByIdentity:
    """A token of the service account, which the control server trusts; no key is stored."""

    client_id: pulumi.Input[str]
    audience: pulumi.Input[str]
    tag: str
    """Has to be asked for, unlike with a key (Tailscale 1.102.3, feature/identityfederation)."""
