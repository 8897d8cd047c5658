"""What the program declares of Traefik's and K3s' kinds, held against their own schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.infra.golden import FOLDER
from twin.node.k3s_objects import kinds

SCHEMAS = {
    kind["spec"]["names"]["kind"]: kind["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for kind in kinds()
}
GOLDEN = sorted(FOLDER.glob("*.yaml"))


def closed(schema: Any) -> Any:
    """A field that no schema knows is an error; the API server would drop it without a word."""
    if isinstance(schema, list):
        return [closed(one) for one in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    fields = cast("dict[str, Any]", schema)
    made = {name: closed(one) for name, one in fields.items()}
    if isinstance(fields.get("properties"), dict) and "additionalProperties" not in fields:
        made["additionalProperties"] = False
    if fields.get("x-kubernetes-int-or-string"):
        made.pop("anyOf", None)
    return made


def declared(golden: Path) -> dict[str, dict[str, Any]]:
    """The program's objects of kinds that have a schema."""
    registered = yaml.safe_load(golden.read_text())
    inputs: dict[str, dict[str, Any]] = {
        name: one.get("inputs") or {} for name, one in registered.items()
    }
    return {name: one for name, one in inputs.items() if one.get("kind") in SCHEMAS}


def problems(kind: str, spec: Any) -> list[str]:
    schema = closed(SCHEMAS[kind]["properties"]["spec"])
    found = Draft202012Validator(schema).iter_errors(spec)  # pyright: ignore[reportUnknownMemberType]
    return [problem.message for problem in found]


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda file: file.stem)
def test_every_field_is_one_of_the_kind_and_has_its_type(golden: Path) -> None:
    objects = declared(golden)
    assert {one["kind"] for one in objects.values()} == {
        *("HelmChartConfig", "Middleware", "ServersTransport")
    }
    for name, one in objects.items():
        assert problems(one["kind"], one["spec"]) == [], name


def test_a_field_that_the_kind_does_not_have_would_be_found() -> None:
    [problem] = problems("Middleware", {"inFlightReq": {"amount": 1, "amuont": 2}})
    assert "'amuont' was unexpected" in problem
