"""A value held against one of several JSON Schemas that refer to each other by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator


def misfits(schemas: Mapping[str, Any], name: str, value: object) -> list[str]:
    """What the named schema does not allow in the value, in the validator's words."""
    validator = Draft202012Validator({"$defs": schemas, "$ref": f"#/$defs/{name}"})
    errors = validator.iter_errors(cast("Any", value))  # pyright: ignore[reportUnknownMemberType]
    return sorted(f"{error.json_path}: {error.message}" for error in errors)
