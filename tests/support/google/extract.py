"""Write ``interface.json`` anew, from the discovery documents in Google's Go client.

    python -m tests.support.google.extract

Google publishes a description of each interface (https://developers.google.com/discovery); its Go
client, google.golang.org/api (BSD 3-Clause), carries them. The module is one of those that the
twin's tools are built with, at the version that ``twin/tools/go/go.mod`` pins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.support.go_modules import downloaded
from tests.support.google.interface import FILE

GO_MOD = Path(__file__).parents[3] / "twin/tools/go/go.mod"
MODULE = "google.golang.org/api"
WANTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "run": ("run/v2/run-api.json", ("GoogleCloudRunV2Service",)),
    "run-v1": ("run/v1/run-api.json", ("Service",)),
    "secretmanager": ("secretmanager/v1/secretmanager-api.json", ("Secret",)),
    "artifactregistry": ("artifactregistry/v1/artifactregistry-api.json", ("Repository",)),
    "iam": ("iam/v1/iam-api.json", ("ServiceAccount",)),
    "billingbudgets": (
        "billingbudgets/v1/billingbudgets-api.json",
        ("GoogleCloudBillingBudgetsV1Budget",),
    ),
    "monitoring": ("monitoring/v3/monitoring-api.json", ("ListTimeSeriesResponse",)),
    "logging": ("logging/v2/logging-api.json", ("LogEntry",)),
}
"""Each interface's document in the module, and the schemas that are met."""
FORMATS = {
    "google-duration": r"^\d+(\.\d{1,9})?s$",
    "google-datetime": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$",
    "int64": r"^-?\d+$",
}
"""Of strings (https://developers.google.com/discovery/v1/type-format)."""


def version() -> str:
    """The module's, as the twin's tools pin it."""
    [pinned] = re.findall(rf"\t{re.escape(MODULE)} (v\S+)", GO_MOD.read_text())
    return pinned


def extracted(folder: Path) -> dict[str, dict[str, Any]]:
    """The wanted schemas and all that they refer to, as JSON Schemas, without words."""
    found: dict[str, dict[str, Any]] = {}
    for api, (file, roots) in WANTED.items():
        schemas: dict[str, Any] = json.loads((folder / file).read_text())["schemas"]
        found[api] = {name: _as_json_schema(schemas[name]) for name in _reached(schemas, roots)}
    return found


def _reached(schemas: Mapping[str, Any], roots: tuple[str, ...]) -> list[str]:
    reached, left = set[str](), [*roots]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += _references(schemas[name])
    return sorted(reached)


def _references(schema: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"]
    inner = [schema[key] for key in ("items", "additionalProperties") if key in schema]
    for each in (*inner, *schema.get("properties", {}).values()):
        yield from _references(each)


def _as_json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        told: dict[str, Any] = {"$ref": f"#/$defs/{schema['$ref']}"}
    else:
        told = {key: schema[key] for key in ("type", "enum") if schema.get(key, "any") != "any"}
    if schema.get("readOnly"):
        told["readOnly"] = True
    if schema.get("type") == "string" and schema.get("format") in FORMATS:
        told["pattern"] = FORMATS[schema["format"]]
    for key in ("items", "additionalProperties"):
        if key in schema:
            told[key] = _as_json_schema(schema[key])
    if "properties" in schema:
        fields = schema["properties"].items()
        told["properties"] = {name: _as_json_schema(each) for name, each in fields}
        told.setdefault("additionalProperties", False)
    return told


def documents() -> Path:
    """The module's folder."""
    return downloaded(MODULE, version())


def main() -> None:
    FILE.write_text(json.dumps(extracted(documents()), indent=1) + "\n")


if __name__ == "__main__":
    main()
