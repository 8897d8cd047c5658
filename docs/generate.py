"""Writes ``docs/configuration.md`` from the settings: ``python -m docs.generate``."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.config import Settings

PAGE = Path(__file__).with_name("configuration.md")
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
    notes = _attribute_docs(model)
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        section = field.annotation
        if inspect.isclass(section) and issubclass(section, BaseModel):
            yield f"| **`{path}`** | | {(section.__doc__ or '').strip()} |"
            yield from _rows(section, f"{path}.")
        else:
            allowed = _allowed(model, field.alias or name)
            meaning = " ".join(part for part in (notes.get(name, ""), allowed) if part)
            yield f"| `{path}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _allowed(model: type[BaseModel], alias: str) -> str:
    schema: dict[str, Any] = model.model_json_schema()["properties"][alias]
    if "enum" in schema:
        return f"One of {', '.join(f'`{value}`' for value in schema['enum'])}."
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum")
    if low is not None and high is not None:
        return f"{low} to {high}."
    return ""


def _attribute_docs(model: type[BaseModel]) -> dict[str, str]:
    """The text below each field, which Python itself throws away."""
    [class_] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(class_, ast.ClassDef)  # noqa: S101  # what getsource gives for a class
    notes: dict[str, str] = {}
    for field, after in zip(class_.body, class_.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            notes[field.target.id] = " ".join(str(after.value.value).split())
    return notes


if __name__ == "__main__":
    PAGE.write_text(page())
