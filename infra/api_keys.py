"""One random key for each client's name, and one that only the gateway knows."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_random as random

LETTERS = 43
"""Of 62: more than 256 bits, so that guessing and timing are out of question."""


class ApiKeys(pulumi.ComponentResource):
    """Keys live in the state, encrypted; removing a name revokes its key."""

    by_name: pulumi.Output[dict[str, str]]
    upstream: pulumi.Output[str]
    """What the gateway says at home in place of the client's key."""

    def __init__(
        self, name: str, names: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("personal-cloud-hub:index:ApiKeys", name, {}, opts)
        keys = {one: self._key(f"{name}-{one}") for one in names}
        self.by_name = pulumi.Output.secret(pulumi.Output.all(**keys))
        self.upstream = self._key(f"{name}_upstream")  # no client's name has an underscore
        self.register_outputs({})

    def _key(self, name: str) -> pulumi.Output[str]:
        password = random.RandomPassword(
            name, length=LETTERS, special=False, opts=pulumi.ResourceOptions(parent=self)
        )
        return password.result
