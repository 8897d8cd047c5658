"""Writes ``configuration.md`` and ``stack.schema.json`` from the settings.

``python -m docs.generate``
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from infra.config import Settings

PAGE = Path(__file__).with_name("configuration.md")
SCHEMA = Path(__file__).with_name("stack.schema.json")
INTRODUCTION = """\
# Configuration

Generated from `infra/config.py` by `python -m docs.generate`; a test fails when it is
stale.

All settings stand under one key, `personal-cloud-hub:settings`, in `Pulumi.<stack>.yaml`. An
unknown key is refused, so a misspelled one is found. Secrets are keys of their own:
`pulumi config set --secret personal-cloud-hub:kubeconfig` where KUBECONFIG is not to be used.

| setting | default | meaning |
|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(f"{row}\n" for row in _rows(Settings, "")).replace("``", "`")


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        if section := _section(field):
            yield f"| **`{path}`** | | {(section.__doc__ or '').strip()} |"
            yield from _rows(section, f"{path}.")
        else:
            allowed = _allowed(model, field.alias or name)
            meaning = " ".join([*(field.description or "").split(), *allowed.split()])
            yield f"| `{path}` | {_default(field)} | {meaning} |"


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """The class of a setting that has settings below it, optional or not."""
    for type_ in (field.annotation, *get_args(field.annotation)):
        if inspect.isclass(type_) and issubclass(type_, BaseModel):
            return type_
    return None


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default in (None, {}):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _allowed(model: type[BaseModel], alias: str) -> str:
    schema: dict[str, Any] = model.model_json_schema()["properties"][alias]
    if "enum" in schema:
        return f"One of {', '.join(f'`{value}`' for value in schema['enum'])}."
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}."
    return ""


def schema() -> str:
    """Of a whole stack file, for editors: they complete its settings and mark what is wrong."""
    settings = Settings.model_json_schema()
    definitions = settings.pop("$defs")
    return (
        json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "title": "A stack of personal-cloud-hub",
                "type": "object",
                "properties": {
                    "config": {
                        "type": "object",
                        "properties": {"personal-cloud-hub:settings": settings},
                    }
                },
                "$defs": definitions,
            },
            indent=1,
        )
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(page())
    SCHEMA.write_text(schema())
