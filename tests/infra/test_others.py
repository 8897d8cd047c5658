from __future__ import annotations

from dataclasses import replace

import pytest

from infra.home_k3s.cluster import MADE, NotReachedError
from infra.home_k3s.others import Found, OthersError, refuse_others
from tests.support.home_cluster import FakeHome
from tests.support.stacks import ROOT, deploy_stack

DEV = ROOT / "Pulumi.dev.yaml"
VALUES = Found(
    kind="HelmChartConfig",
    namespace="kube-system",
    name="traefik",
    managers=frozenset({"kubectl-client-side-apply"}),
    content="dashboard:\n  enabled: true\n",
)
PLUGIN = Found(
    kind="DaemonSet",
    namespace="kube-system",
    name="nvidia-device-plugin",
    managers=frozenset({"helm"}),
    content="",
)
SECOND = replace(
    PLUGIN,
    namespace="nvidia",
    name="nvdp-nvidia-device-plugin",
    content="nvcr.io/nvidia/k8s-device-plugin:v0.17.0",
)
SLICING = replace(PLUGIN, kind="ConfigMap", name="nvidia-time-slicing")
FOLDER = replace(PLUGIN, kind="Namespace", namespace="", name="vlm")


def ours(found: Found) -> Found:
    return replace(found, managers=frozenset({"personal-cloud-hub", "k3s"}))


def refusal(*found: Found, take_over: bool = False) -> str:
    with pytest.raises(OthersError) as raised:
        refuse_others(found, take_over=take_over)
    return str(raised.value)


def test_this_programs_own_objects_are_nobody_elses() -> None:
    refuse_others([ours(VALUES), ours(PLUGIN)], take_over=False)


def test_values_that_would_be_lost_are_shown_with_where_to_keep_them() -> None:
    told = refusal(VALUES)
    assert "HelmChartConfig kube-system/traefik (by kubectl-client-side-apply)" in told
    assert "    dashboard:\n      enabled: true\n" in told
    assert "home.traefikValues" in told
    assert "home.takeOver: true" in told


@pytest.mark.parametrize(
    ("found", "whose", "look"),
    [
        (PLUGIN, "DaemonSet kube-system/nvidia-device-plugin", "daemonset nvidia-device-plugin"),
        (SLICING, "ConfigMap kube-system/nvidia-time-slicing", "configmap nvidia-time-slicing"),
    ],
)
def test_an_object_of_a_name_of_ours_would_be_replaced(found: Found, whose: str, look: str) -> None:
    told = refusal(found)
    assert f"{whose} (by helm) has the name of an object of this program" in told
    assert f"kubectl -n kube-system get {look} -o yaml" in told
    assert "home.takeOver: true" in told


def test_a_namespace_is_in_no_namespace() -> None:
    told = refusal(replace(FOLDER, managers=frozenset()))
    assert "- Namespace vlm (by nobody named)" in told
    assert "kubectl get namespace vlm -o yaml" in told


def test_each_object_that_the_program_makes_at_home_is_looked_for() -> None:
    made = {
        (
            one.inputs["kind"],
            one.inputs["metadata"].get("namespace"),
            one.inputs["metadata"]["name"],
        )
        for one in deploy_stack(DEV).resources
        if one.typ.startswith("kubernetes:")
    }
    assert {(kind.__name__, namespace, name) for kind, name, namespace in MADE} == made


def test_a_person_who_agrees_is_taken_at_their_word() -> None:
    refuse_others([VALUES, PLUGIN, SLICING, FOLDER], take_over=True)


def test_a_second_device_plugin_is_refused_even_then() -> None:
    told = refusal(VALUES, SECOND, take_over=True)
    assert "k8s-device-plugin:v0.17.0" in told
    assert "kubectl -n nvidia delete daemonset nvdp-nvidia-device-plugin" in told
    assert "HelmChartConfig" not in told


def test_all_that_is_in_the_way_is_told_at_once() -> None:
    assert refusal(VALUES, PLUGIN, SLICING, SECOND).count("\n- ") == 4


def test_the_program_looks_before_it_declares_anything() -> None:
    with pytest.raises(OthersError):
        deploy_stack(DEV, FakeHome(others=[VALUES]))
    deploy_stack(DEV, FakeHome(others=[VALUES]), home={"takeOver": True})
    deploy_stack(DEV, FakeHome(others=[ours(VALUES)]))


def test_a_preview_stops_at_what_somebody_else_has_at_home() -> None:
    with pytest.raises(OthersError):
        deploy_stack(DEV, FakeHome(others=[VALUES]), preview=True)


def test_a_home_that_is_off_is_told_and_the_cloud_is_declared_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    home = FakeHome(others=NotReachedError("Connection refused"))
    assert "gateway-service" in deploy_stack(DEV, home).names()
    assert any("Connection refused" in r.getMessage() for r in caplog.records)
