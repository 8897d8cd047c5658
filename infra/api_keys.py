"""The random keys of the clients, and one that only the gateway knows."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_random as random

from infra.key_names import newest

KEY_LENGTH = 43
"""Each character is one of 62, which makes more than 256 bits: too many to guess a key."""


class ApiKeys(pulumi.ComponentResource):
    """Keys live in the state, encrypted; removing one from the list revokes it."""

    accepted: pulumi.Output[dict[str, str]]
    """Every key, by its spelling in the list."""
    by_name: pulumi.Output[dict[str, str]]
    """The newest key of each client."""
    upstream: pulumi.Output[str]
    """What the gateway says at home in place of the client's key."""

    def __init__(
        self, name: str, keys: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:index:ApiKeys", name, {}, opts)
        values = {key: self._key(f"{name}-{key}") for key in keys}
        current = {client: values[key] for client, key in newest(keys).items()}
        self.accepted = pulumi.Output.secret(pulumi.Output.all(**values))
        self.by_name = pulumi.Output.secret(pulumi.Output.all(**current))
        self.upstream = self._key(f"{name}_upstream")  # no client's name has an underscore
        self.register_outputs({})

    def _key(self, name: str) -> pulumi.Output[str]:
        password = random.RandomPassword(
            name, length=KEY_LENGTH, special=False, opts=pulumi.ResourceOptions(parent=self)
        )
        return password.result
