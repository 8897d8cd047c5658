"""What the owner of a running hub looks at, and does."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import suppress

import psutil
import pytest
import yaml

from infra.home_k3s.names import MODEL_CACHE
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, ROOT, HubUnderTest
from tests.twin.questions import first_key
from twin.parts.part import records
from twin.paths import TwinPaths
from twin.toolchain import vllm
from twin.toolchain.pins import PINS
from twin.toolchain.toolchain import Toolchain

pytestmark = pytest.mark.twin


def test_every_hop_is_up_in_hub_status(hub: HubUnderTest) -> None:
    rows = json.loads(hub.ok("status", "--json"))
    assert [row for row in rows if row["state"] == "down"] == []
    assert {row["hop"] for row in rows} == {
        "network",
        "part",
        "provider",
        "gateway",
        "cloud run",
        "tailnet",
        "kubernetes",
        "pod",
    }
    assert {"what": "GPU", "detail": "nvidia.com/gpu: 10"}.items() <= next(
        row for row in rows if row["what"] == "GPU"
    ).items()
    versions = {row["what"]: row["version"] for row in rows if row["hop"] == "part"}
    assert versions["kine"] == PINS["kine"]
    assert versions["node"] == f"vllm {vllm.VERSION}"
    assert versions["cloud-run"] == f"caddy {PINS['caddy']}, tailscaled {PINS['tailscaled']}"


def test_the_health_lines_of_the_operations_page_work_as_written(hub: HubUnderTest) -> None:
    text = (ROOT / "docs/operations.md").read_text()
    [block] = re.findall(r"<!-- health -->\n```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for line in block.splitlines() if line and not line.startswith("#")]
    assert len(lines) >= 5
    for line in lines:
        done = hub.shell(line)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        assert done.stdout.strip(), line


def test_vllm_starts_from_what_it_noted_at_its_first_look(hub: HubUnderTest) -> None:
    paths = TwinPaths(hub.state)
    environment = Toolchain.of_running_twin(paths).vllm_python.parent.parent
    noted = [one for one in (environment / "noted/modelinfos").iterdir() if one.is_file()]
    volume = paths.of_the_node(MODEL_CACHE) / "vllm/modelinfos"
    assert noted
    for file in noted:
        # vLLM writes the file anew where it had to look again.
        assert (volume / file.name).stat().st_mtime_ns == file.stat().st_mtime_ns


def test_the_eleventh_gpu_pod_stays_pending(hub: HubUnderTest) -> None:
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"gpu-{i}", "labels": {"test": "eleven"}},
            "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "pause",
                        "image": "registry.k8s.io/pause:3.10",
                        "resources": {"limits": {"nvidia.com/gpu": "1"}},
                    }
                ],
            },
        }
        for i in range(10)  # the model's own pod is the eleventh
    ]
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": pods})
    env = hub.shell_env
    subprocess.run(["kubectl", "apply", "-f", "-"], input=manifest, text=True, env=env, check=True)
    try:

        def phases() -> list[str]:
            found = hub.kubectl("get", "pods", "-l", "test=eleven")["items"]
            return sorted(pod["status"].get("phase", "") for pod in found)

        until(lambda: phases() == ["Pending", *["Running"] * 9], seconds=PATIENCE, shown=phases)
        found = hub.kubectl("get", "pods", "-l", "test=eleven")["items"]
        [waiting] = [pod for pod in found if pod["status"]["phase"] == "Pending"]
        assert "Insufficient nvidia.com/gpu" in waiting["status"]["conditions"][0]["message"]
    finally:
        subprocess.run(
            ["kubectl", "delete", "pods", "-l", "test=eleven", "--wait=true"], env=env, check=True
        )


def test_a_second_up_changes_nothing(hub: HubUnderTest) -> None:
    said = hub.ok("up")
    assert re.search(r"\d+ unchanged", said)
    assert not re.search(r"\d+ (created|updated|replaced|deleted)", said)


def test_pulumi_typed_by_hand_previews_no_change(hub: HubUnderTest) -> None:
    done = hub.shell("pulumi preview --stack twin --non-interactive --expect-no-changes")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dead_part_is_reported_and_started_again_only_when_asked(hub: HubUnderTest) -> None:
    record = json.loads((hub.state / "parts" / "kube-scheduler.json").read_text())
    psutil.Process(record["pid"]).kill()
    until(
        lambda: not psutil.pid_exists(record["pid"]) or is_zombie(record["pid"]), seconds=PATIENCE
    )
    looked = hub.run("status", "--json")
    assert looked.returncode == 1
    [row] = [row for row in json.loads(looked.stdout) if row["what"] == "kube-scheduler"]
    assert row["state"] == "down"
    assert "kube-scheduler had ended; starting it again" in hub.ok("up")


def is_zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_no_command_line_of_the_twin_shows_a_secret(hub: HubUnderTest) -> None:
    paths = TwinPaths(hub.state)
    token = yaml.safe_load(paths.kubeconfig.read_text())["users"][0]["user"]["token"]
    parts = [record.process for record in records(paths)]
    running = [child for one in parts if one for child in (one, *one.children(recursive=True))]
    lines: list[str] = []
    for one in running:
        with suppress(psutil.NoSuchProcess):  # a probe's command that has ended meanwhile
            lines.append(" ".join(one.cmdline()))
    assert any("--providers.kubernetescrd" in line for line in lines), "Traefik is among them"
    for secret in (token, first_key(hub)):
        assert [line for line in lines if secret in line] == []
    assert (paths.kubeconfig.stat().st_mode & 0o777) == 0o600
