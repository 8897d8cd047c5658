"""What the scenario's reader makes of a state that is older than the cluster."""

from __future__ import annotations

from typing import Any

from tests.conformance.running import flat, lagging

KINDS = ("Ingress", "Service")


def ingress(path: str) -> dict[str, Any]:
    rule = {"http": {"paths": [{"path": path}]}}
    return {"kind": "Ingress", "metadata": {"name": "echo"}, "spec": {"rules": [rule]}}


def objects(path: str) -> dict[str, Any]:
    return dict(flat(ingress(path), "objects/Ingress echo"))


def test_a_state_from_before_the_update_lags() -> None:
    state = [{"urn": "urn:ingress", "outputs": ingress("/one")}]
    assert lagging(state, objects("/two"), KINDS) == ["urn:ingress"]


def test_a_state_of_what_the_cluster_holds_does_not_lag() -> None:
    state = [{"urn": "urn:ingress", "outputs": ingress("/two")}]
    assert lagging(state, objects("/two"), KINDS) == []


def test_another_kind_is_never_read_again() -> None:
    state = [{"urn": "urn:ingress", "outputs": ingress("/one")}]
    assert lagging(state, objects("/two"), ["Service"]) == []


def test_what_varies_from_run_to_run_does_not_count() -> None:
    service = {"kind": "Service", "metadata": {"name": "echo"}, "spec": {"port": 80}}
    ours = {**service, "spec": {"port": 80, "clusterIP": "10.43.0.7"}}
    facts = {"objects/Service echo/spec/port": 80}
    assert lagging([{"urn": "urn:service", "outputs": ours}], facts, KINDS) == []


def test_a_resource_without_outputs_is_no_object() -> None:
    assert lagging([{"urn": "urn:stack"}], objects("/two"), KINDS) == []
