"""Stack configuration, parsed once at the edge of the program.

``Pulumi.<stack>.yaml`` is hand-written input: the program parses it here, and reads it nowhere
else.
"""

from __future__ import annotations

import pulumi
from pydantic import ValidationError

from infra.config import SETTINGS_KEY, Settings


class ConfigError(pulumi.RunError):
    """A problem in the stack file. ``RunError`` prints the message, not a traceback."""


def load(config: pulumi.Config) -> Settings:
    """Parse this stack's settings.

    Raises:
        ConfigError: naming every key at fault, as the YAML spells it, and what to write.
    """
    raw = config.get_object(SETTINGS_KEY)
    if raw is None:
        raise ConfigError(
            f"{config.full_key(SETTINGS_KEY)} is missing from this stack's file; "
            "copy it from Pulumi.dev.yaml and change cloud.project"
        )
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        key = config.full_key(SETTINGS_KEY)
        problems = [
            f"  {'.'.join([key, *map(str, e['loc'])])}: {_in_words(e['msg'])}"
            for e in error.errors()
        ]
        raise ConfigError("\n".join(["This stack's settings are not right:", *problems])) from error


def _in_words(message: str) -> str:
    if message == "Extra inputs are not permitted":
        return "no such setting; docs/configuration.md lists them all"
    return message.removeprefix("Value error, ")
