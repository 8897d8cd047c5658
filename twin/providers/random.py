"""pulumi-random's RandomPassword.

Promises: length and the four classes of characters with their minima, kept until an input changes.
Leaves out: the other random types, and ``bcryptHash``.
"""

from __future__ import annotations

import secrets
import string

from twin.providers.properties import Properties
from twin.providers.protocol import Created, Operation, ProviderError

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
"""The provider's own default."""
CLASSES = ("lower", "upper", "numeric", "special")
DEFAULTS = {**dict.fromkeys(CLASSES, True), **{f"min{name.capitalize()}": 0 for name in CLASSES}}
"""Of the provider's schema; ``number`` is the old name of ``numeric``."""


class RandomPassword:
    """``random:index/randomPassword:RandomPassword``."""

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        length = inputs.get("length")
        if not isinstance(length, int) or length < 1:
            return [("length", "must be a whole number from 1")]
        if length < sum(_minimum(inputs, name) for name in CLASSES):
            return [
                ("length", "is less than minLower, minUpper, minNumeric and minSpecial together")
            ]
        if not any(inputs.get(name, True) for name in CLASSES):
            return [("length", "no characters to draw from: every class is switched off")]
        return []

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        return True

    def live_inputs(
        self, inputs: Properties, outputs: Properties, planned: Properties
    ) -> Properties:
        return inputs

    def create(self, inputs: Properties, operation: Operation) -> Created:
        if operation.preview:
            return Created("", inputs)
        said = {**DEFAULTS, "number": inputs.get("numeric", True), **inputs}
        return Created("none", {**said, "id": "none", "result": password(inputs)})

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        raise ProviderError("a random password is replaced, never updated")

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        return outputs

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        """Nothing exists outside the state."""


def _minimum(inputs: Properties, name: str) -> int:
    return int(inputs.get(f"min{name.capitalize()}", 0))


def password(inputs: Properties) -> str:
    """Random characters of the classes that are on, each at least as often as its minimum."""
    classes = {
        "lower": string.ascii_lowercase,
        "upper": string.ascii_uppercase,
        "numeric": string.digits,
        "special": inputs.get("overrideSpecial") or SPECIAL,
    }
    used = {name: chars for name, chars in classes.items() if inputs.get(name, True)}
    drawn = [
        secrets.choice(chars) for name, chars in used.items() for _ in range(_minimum(inputs, name))
    ]
    pool = "".join(used.values())
    drawn += [secrets.choice(pool) for _ in range(int(inputs["length"]) - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)
