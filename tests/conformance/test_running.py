"""What the scenario's reader makes of a state that is older than the cluster."""

from __future__ import annotations

from typing import Any

from tests.conformance.running import caught_up, flat

STATE = "state/way-in/outputs"


def ingress(path: str) -> dict[str, Any]:
    rule = {"http": {"paths": [{"path": path}]}}
    metadata = {"name": "echo", "annotations": {"example.com/path": path}}
    return {"kind": "Ingress", "metadata": metadata, "spec": {"rules": [rule]}}


def noted(path: str) -> dict[str, Any]:
    return {"state/other/id": "o", **dict(flat(ingress(path), STATE))}


def test_a_state_from_before_the_update_is_read_as_the_cluster_has_it() -> None:
    objects = dict(flat(ingress("/two"), "objects/Ingress echo"))
    resource = {"outputs": ingress("/one")}
    assert caught_up(noted("/one"), STATE, resource, objects) == noted("/two")


def test_what_the_cluster_has_not_stays_as_the_state_says() -> None:
    objects = dict(flat(ingress("/two"), "objects/Ingress another"))
    resource = {"outputs": ingress("/one")}
    assert caught_up(noted("/one"), STATE, resource, objects) == noted("/one")
