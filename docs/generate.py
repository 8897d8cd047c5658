"""Writes ``configuration.md`` and ``stack.schema.json`` from the settings, the table of versions in
``twin.md``, the table of readings in ``forecast.md`` and the differences in ``conformance.md``.

``python -m docs.generate``
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.model.forecast import published
from hub.home.steps import K3S
from infra.config import Cloud, Model, Settings
from infra.home_k3s import gpu_sharing
from twin.toolchain import vllm
from twin.toolchain.pins import PINS

PAGE = Path(__file__).with_name("configuration.md")
TWIN = Path(__file__).with_name("twin.md")
FORECAST = Path(__file__).with_name("forecast.md")
CONFORMANCE = Path(__file__).with_name("conformance.md")
SUITE = Path(__file__).parents[1] / "tests" / "conformance"
DIFFERENCES = {
    "differences": SUITE / "differences.yaml",
    "node-differences": SUITE / "node" / "differences.yaml",
}
"""By the mark that the list has on the page."""
SCHEMA = Path(__file__).with_name("stack.schema.json")
INTRODUCTION = """\
# Configuration

Generated from `infra/config.py` by `python -m docs.generate`; a test fails when it is
stale.

All settings stand under one key, `personal-cloud-hub:settings`, in `Pulumi.<stack>.yaml`. An
unknown key is refused, so a misspelled one is found. Secrets are keys of their own:
`pulumi config set --secret personal-cloud-hub:kubeconfig` where KUBECONFIG is not to be used,
and `personal-cloud-hub:fallbackKey` for `cloud.fallback`.

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
            yield f"| **`{path}`** | | {' '.join((section.__doc__ or '').split())} |"
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


def versions() -> str:
    """What a real deployment runs, and what the twin is tested with."""
    cloud, model = Cloud.model_fields, Model.model_fields
    tailscale, kubernetes = PINS["tailscaled"], PINS["kube-apiserver"]
    k3s = f"Kubernetes {kubernetes}, kine {PINS['kine']}, emulated kubelet"
    rows = (
        ("Caddy", _tag(cloud["caddy_image"].default), PINS["caddy"]),
        ("Tailscale at the gateway", _tag(cloud["tailscale_image"].default), tailscale),
        ("Tailscale at home", "as installed there", tailscale),
        ("vLLM", f"{_tag(model['image'].default)}, CUDA", f"{vllm.VERSION}, CPU"),
        ("K3s", K3S.removeprefix("v"), k3s),
        ("Traefik", "K3s' own", PINS["traefik"]),
        ("NVIDIA's device plugin", _tag(gpu_sharing.IMAGE), "emulated"),
        ("Pulumi", "as installed", PINS["pulumi"]),
    )
    head = "| part | deployed | tested on the twin |\n|---|---|---|\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_versions(text: str) -> str:
    """The twin's page with its table of versions anew."""
    return _between("versions", text, versions())


def with_readings(text: str) -> str:
    """The forecast's page with its tables of readings anew."""
    return _between("readings", text, published.shown())


def with_differences(text: str) -> str:
    """The page about conformance with its lists of known differences anew."""
    for mark, file in DIFFERENCES.items():
        known: list[dict[str, str]] = yaml.safe_load(file.read_text())
        text = _between(mark, text, "".join(f"- **{o['what']}.** {o['why']}\n" for o in known))
    return text


def _between(mark: str, text: str, table: str) -> str:
    """The text with what stands between a mark's two comments replaced."""
    begin, end = f"<!-- {mark} -->", f"<!-- end of {mark} -->"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}{end}{after}"


def _tag(image: str) -> str:
    return image.rpartition(":")[2].removeprefix("v")


if __name__ == "__main__":
    TWIN.write_text(with_versions(TWIN.read_text()))
    FORECAST.write_text(with_readings(FORECAST.read_text()))
    CONFORMANCE.write_text(with_differences(CONFORMANCE.read_text()))
    PAGE.write_text(page())
    SCHEMA.write_text(schema())
