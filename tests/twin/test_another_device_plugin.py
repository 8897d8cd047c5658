"""Somebody else's object at home, met by the program through the real API server."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.twin

PLUGIN = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "nvdp", "namespace": "default"},
    "spec": {
        "selector": {"matchLabels": {"app": "nvdp"}},
        "template": {
            "metadata": {"labels": {"app": "nvdp"}},
            "spec": {
                "nodeSelector": {"no": "such"},
                "containers": [{"name": "c", "image": "nvcr.io/nvidia/k8s-device-plugin:v0.17.0"}],
            },
        },
    },
}


def test_it_stops_the_preview_with_what_to_do_and_nothing_is_changed(hub: HubUnderTest) -> None:
    subprocess.run(
        ["kubectl", "apply", "-f", "-"],
        env=hub.shell_env,
        input=json.dumps(PLUGIN),
        text=True,
        check=True,
        capture_output=True,
    )
    try:
        done = hub.shell("pulumi preview --stack twin --non-interactive")
    finally:
        assert hub.shell("kubectl delete daemonset nvdp").returncode == 0
    assert done.returncode != 0
    assert "DaemonSet default/nvdp (by kubectl-client-side-apply)" in done.stdout
    assert "kubectl -n default delete daemonset nvdp" in done.stdout
    assert hub.kubectl("get", "nodes")["items"][0]["status"]["capacity"]["nvidia.com/gpu"] == "10"
