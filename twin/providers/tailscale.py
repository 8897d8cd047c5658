"""pulumi-tailscale against headscale.

Promises: auth keys are created and revoked in the control server, and an expired or revoked key is
kept as invalid at refresh and replaced by the next update, as terraform-provider-tailscale 0.29.2
does it in ``tailscale/resource_tailnet_key.go``; ``docs/providers.md`` has it rule by rule.
Leaves out: federated identities (headscale exchanges no tokens), every other type, and keys without
tags, which headscale makes only for a user.
headscale 0.29 has no API v2, so its command line over its own unix socket is used.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from twin.providers.properties import Properties
from twin.providers.protocol import Created, Operation, ProviderError, ResourceType

DESCRIPTION_LIMIT = 50
"""Characters: Tailscale's API reference, ``POST /tailnet/{tailnet}/keys``, and its provider."""

DEFAULTS: Properties = {
    "description": "",
    "ephemeral": False,
    "expiry": 90 * 86_400,
    "preauthorized": False,
    "reusable": False,
}
"""Of the provider's schema, ``tailscale/resource_tailnet_key.go``; they stand in the state."""
CHANGED_IN_PLACE = ("recreateIfInvalid", "userId")
"""All other attributes have ``RequiresReplace`` in the provider's schema."""
RECREATE = ("", "always", "never")
"""The validator ``OneOf`` of ``recreate_if_invalid`` in the provider's schema."""


class Headscale:
    """The control server's command line."""

    def __init__(self, config: Path) -> None:
        self._config = config

    def __call__(self, *arguments: str) -> Any:
        done = subprocess.run(
            ["headscale", "--config", str(self._config), *arguments, "--output", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ProviderError(
                f"the control server refused `{' '.join(arguments[:2])}`: "
                f"{(done.stdout + done.stderr).strip()}"
            )
        # Some commands answer in prose whatever output they are asked for.
        return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else None


class TailnetKey:
    """``tailscale:index/tailnetKey:TailnetKey``."""

    def __init__(self, headscale: Headscale) -> None:
        self._headscale = headscale

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        if len(str(inputs.get("description", ""))) > DESCRIPTION_LIMIT:
            return [("description", f"may have {DESCRIPTION_LIMIT} characters")]
        if inputs.get("recreateIfInvalid", "") not in RECREATE:
            return [("recreateIfInvalid", "must be always or never")]
        return []

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        return path not in CHANGED_IN_PLACE

    def live_inputs(
        self, inputs: Properties, outputs: Properties, planned: Properties
    ) -> Properties:
        """A key that was found invalid is replaced where the plan says so (``ModifyPlan``)."""
        is_replaced = outputs.get("invalid") and _is_recreated(planned)
        return {**inputs, "invalid": True} if is_replaced else inputs

    def create(self, inputs: Properties, operation: Operation) -> Created:
        if operation.preview:
            return Created("", inputs)
        flags = [f"--{name}" for name in ("reusable", "ephemeral") if inputs.get(name)]
        tags = [f"--tags={','.join(inputs['tags'])}"] if inputs.get("tags") else []
        seconds = inputs.get("expiry", DEFAULTS["expiry"])
        made = self._headscale("preauthkeys", "create", *flags, *tags, f"--expiration={seconds}s")
        stamps = {"createdAt": _iso(made["created_at"]), "expiresAt": _iso(made["expiration"])}
        outputs = _state(inputs, {"key": made["key"], **stamps, "invalid": False})
        return Created(str(made["id"]), outputs)

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        kept = {name: old[name] for name in ("key", "createdAt", "expiresAt", "invalid")}
        after = _state(inputs, kept)
        return after if operation.preview else self.read(id_, after)

    def read(self, id_: str, outputs: Properties) -> Properties:
        return {**outputs, "invalid": not self._is_valid(id_)}

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        if self._is_valid(id_):
            self._headscale("preauthkeys", "expire", "--id", id_)

    def _is_valid(self, id_: str) -> bool:
        """Whether the control server knows the key and would take it."""
        keys: list[Properties] = self._headscale("preauthkeys", "list") or []
        expiry = {str(key["id"]): _seconds(key["expiration"]) for key in keys}
        return expiry.get(id_, 0) > time.time()


def _state(inputs: Properties, told: Properties) -> Properties:
    """The attributes of a key; one with tags belongs to nobody in headscale."""
    return {**DEFAULTS, **inputs, **told, "userId": ""}


def _is_recreated(planned: Properties) -> bool:
    """Whether an invalid key is replaced (``shouldRecreateIfInvalid``)."""
    wish = planned.get("recreateIfInvalid")
    return wish == "always" or (wish != "never" and bool(planned.get("reusable")))


def type_of(token: str, config: Path) -> ResourceType:
    """The resource type for a Pulumi type token.

    Raises:
        ProviderError: the twin has nothing for it.
    """
    headscale = Headscale(config)
    if token == "tailscale:index/tailnetKey:TailnetKey":
        return TailnetKey(headscale)
    if token == "tailscale:index/federatedIdentity:FederatedIdentity":
        raise ProviderError(
            "the twin's control server, headscale, does not exchange identity tokens; "
            "write tailnet.joinWith: authKey for the twin"
        )
    raise ProviderError(f"the twin has no {token}")


def _seconds(stamp: Any) -> float:
    """headscale prints timestamps as ``{"seconds": …}``."""
    return float(stamp["seconds"])


def _iso(stamp: Any) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_seconds(stamp)))
