"""`hub home check`: what is down, and what it says to do."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hub.cli import app
from hub.home import check as looking
from hub.home.check import ask_gateway, rows
from hub.home.cluster import Cluster
from hub.home.rows import Row, table
from infra.home_k3s.crash import LOG_LINES
from tests.support.home_facts import ADDRESS, facts, tailscale
from tests.support.home_server import Server, server
from tests.support.ports import free_port

__all__ = ["server"]
NOW = datetime(2026, 11, 26, tzinfo=UTC)
NODE: dict[str, Any] = {
    "metadata": {"name": "home"},
    "spec": {},
    "status": {
        "conditions": [{"type": "Ready", "status": "True", "message": ""}],
        "addresses": [{"type": "InternalIP", "address": ADDRESS}],
        "allocatable": {"nvidia.com/gpu": "10"},
    },
}


def pod(name: str, namespace: str = "kube-system", **changes: Any) -> dict[str, Any]:
    well: dict[str, Any] = {
        "phase": "Running",
        "containerStatuses": [{"ready": True, "restartCount": 0, "state": {"running": {}}}],
    }
    labels = {"app": "vllm-qwen"} if name.startswith("vllm") else {}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "status": {**well, **changes},
    }


def container(**changes: Any) -> list[dict[str, Any]]:
    return [{"ready": False, "restartCount": 0, "state": {"running": {}}, **changes}]


MODEL = pod("vllm-qwen-1", "vlm")
TRAEFIK = pod("traefik-1")
WELL = Cluster(
    node=NODE,
    pods=(MODEL, TRAEFIK),
    model={"spec": {"replicas": 1}},
    slices=10,
    has_ingress=True,
    log="INFO: ready",
    entry="401",
    certificate_ends=NOW + timedelta(days=200),
    pings={"100.64.0.9": "pong from home-gateway (100.64.0.9) via DERP(tok) in 40ms"},
)


def seen(cluster: Cluster = WELL, **changes: Any) -> list[Row]:
    return rows(facts(**changes), cluster, NOW)


def down(cluster: Cluster = WELL, **changes: Any) -> tuple[str, str, str]:
    """The one row that is down: what, how, and what to do."""
    [row] = [row for row in seen(cluster, **changes) if row.state == "down"]
    return row.what, row.detail, row.remedy


def of(what: str, cluster: Cluster) -> Row:
    [row] = [row for row in seen(cluster) if row.what == what]
    return row


def node(**changes: Any) -> Cluster:
    return replace(WELL, node={**NODE, **changes})


def test_a_server_that_is_well_shows_each_hop_once() -> None:
    assert [(row.hop, row.what, row.state) for row in seen()] == [
        ("tailnet", "address", "ok"),
        ("tailnet", "identity", "ok"),
        ("tailnet", "home-gateway", "ok"),
        ("K3s", "service", "ok"),
        ("K3s", "node", "ok"),
        ("GPU", "driver", "ok"),
        ("GPU", "nvidia.com/gpu", "ok"),
        ("pods", "vllm-qwen", "ok"),
        ("pods", "its last line", "ok"),
        ("pods", "the others", "ok"),
        ("ingress", "port 80", "ok"),
        ("machine", "disk", "ok"),
        ("machine", "certificates", "ok"),
        ("machine", "sleep", "ok"),
        ("machine", "wake-on-LAN", "ok"),
    ]


NOTHING = Cluster(
    node={},
    pods=(),
    model={},
    slices=None,
    has_ingress=False,
    log="",
    entry="000",
    certificate_ends=None,
    pings={"100.64.0.9": ""},
)


def test_everything_that_is_down_has_a_remedy() -> None:
    """Each in two servers: one whose cluster answers, and one whose does not."""
    ill = facts(
        driver="",
        k3s_active=False,
        masked=frozenset(),
        free_percent=3,
        wakes=False,
        tailscale=tailscale(tags=(), name="home-1.tail1234.ts.net"),
    )
    for cluster in (NOTHING, replace(NOTHING, node={"spec": {"unschedulable": True}})):
        shown = rows(ill, cluster, NOW)
        assert [row.what for row in shown if row.state != "down"] == ["address"]
        assert [row.what for row in shown if not row.remedy] == ["address"]


def test_what_only_follows_from_something_that_is_down_is_not_shown() -> None:
    """On a server where nothing is installed yet."""
    bare = facts(k3s="", wakes=None, tailscale=tailscale(state="", address="", tags=()))
    shown = rows(bare, replace(NOTHING, pings={}), NOW)
    assert [(row.what, row.remedy) for row in shown if row.state == "down"] == [
        ("address", "hub home install"),
        ("service", "hub home install"),
    ]
    assert "port 80" not in {row.what for row in shown}


@pytest.mark.parametrize(
    ("changes", "what", "detail", "remedy"),
    [
        ({"k3s_active": False}, "service", "v1.36.4+k3s1, does not run", "hub home start; "),
        ({"k3s_enabled": False}, "service", "will not start at boot", "hub home install"),
        ({"masked": frozenset[str]()}, "sleep", "may suspend", "hub home install"),
        ({"wakes": False}, "wake-on-LAN", "off", "hub home install"),
        ({"free_percent": 14, "free_gb": 60}, "disk", "60 GB free", "crictl rmi --prune"),
        (
            {"module_file": "580.105.08", "driver": ""},
            "driver",
            "upgraded to 580.105.08, and the kernel still runs 580.95.05",
            "Reboot.",
        ),
    ],
)
def test_what_is_wrong_with_the_machine_is_told_with_its_remedy(
    changes: dict[str, Any], what: str, detail: str, remedy: str
) -> None:
    found = down(**changes)
    assert found[0] == what
    assert detail in found[1]
    assert remedy in found[2]


@pytest.mark.parametrize(
    ("cluster", "what", "detail", "remedy"),
    [
        (node(spec={"unschedulable": True}), "node", "cordoned", "kubectl uncordon home"),
        (
            node(
                status={
                    **NODE["status"],
                    "conditions": [{"type": "Ready", "status": "False", "message": "no network"}],
                }
            ),
            "node",
            "not ready: no network",
            "journalctl -u k3s",
        ),
        (
            node(
                status={
                    **NODE["status"],
                    "addresses": [{"type": "InternalIP", "address": "192.168.0.7"}],
                }
            ),
            "node",
            "at 192.168.0.7, which is not the tailnet address",
            "hub home install",
        ),
        (
            node(status={**NODE["status"], "allocatable": {}}),
            "nvidia.com/gpu",
            "0 of 10",
            "systemctl restart k3s",
        ),
        (replace(WELL, entry="000"), "port 80", "does not answer", "kube-system get pods,svc"),
        (
            replace(WELL, entry="404", has_ingress=False),
            "port 80",
            "no Ingress vllm-qwen",
            "pulumi up --refresh",
        ),
        (replace(WELL, entry="200"), "port 80", "200 without the gateway's key", "--refresh"),
        (
            replace(WELL, certificate_ends=NOW - timedelta(days=1)),
            "certificates",
            "have ended",
            "restart k3s",
        ),
        (
            replace(WELL, certificate_ends=None),
            "certificates",
            "the API server's cannot be read",
            "sudo k3s certificate check",
        ),
        (replace(WELL, pings={"100.64.0.9": ""}), "home-gateway", "no answer", "`hub policy`"),
        (replace(WELL, model={}), "vllm-qwen", "not deployed", "pulumi up --refresh"),
        (replace(WELL, pods=(TRAEFIK,)), "vllm-qwen", "no pod", "describe deployment vllm-qwen"),
        (
            replace(WELL, pods=(MODEL, pod("traefik-1", phase="Pending", containerStatuses=[]))),
            "the others",
            "traefik-1 (Pending)",
            "describe pod",
        ),
    ],
)
def test_what_is_wrong_in_the_cluster_is_told_with_its_remedy(
    cluster: Cluster, what: str, detail: str, remedy: str
) -> None:
    found = down(cluster)
    assert found[0] == what
    assert detail in found[1]
    assert remedy in found[2]


def test_a_model_that_crashes_is_told_with_its_last_line() -> None:
    waiting = container(restartCount=4, state={"waiting": {"reason": "CrashLoopBackOff"}})
    bad = pod("vllm-qwen-1", "vlm", containerStatuses=waiting)
    what, detail, remedy = down(
        replace(WELL, pods=(bad, TRAEFIK), log="INFO: a\nValueError: No available memory")
    )
    assert what == "vllm-qwen"
    assert detail == "CrashLoopBackOff, restarted 4 times: ValueError: No available memory"
    assert remedy == "kubectl -n vlm logs deployment/vllm-qwen --tail=50"


REJECTED = pod(
    "vllm-qwen-0",
    "vlm",
    phase="Failed",
    reason="OutOfnvidia.com/gpu",
    message="Pod was rejected: Node didn't have enough resource: nvidia.com/gpu",
    containerStatuses=[],
)
"""A restart of the machine leaves it: its pods were there before the device plugin was."""


def test_a_model_whose_engine_failed_is_told_with_the_engines_error() -> None:
    waiting = container(restartCount=4, state={"waiting": {"reason": "CrashLoopBackOff"}})
    bad = pod("vllm-qwen-1", "vlm", containerStatuses=waiting)
    log = "OSError: [Errno 28] No space left\nRuntimeError: It failed. See root cause above."
    assert down(replace(WELL, pods=(bad, TRAEFIK), log=log))[1].endswith("No space left")


def test_as_many_slices_of_the_gpu_as_are_declared_are_well() -> None:
    eight = replace(WELL, slices=8)
    assert down(eight)[:2] == ("nvidia.com/gpu", "10 of 8")
    status = {**NODE["status"], "allocatable": {"nvidia.com/gpu": "8"}}
    row = of("nvidia.com/gpu", replace(node(status=status), slices=8))
    assert (row.state, row.detail) == ("ok", "8")


def test_certificates_that_end_soon_are_told_and_are_not_down() -> None:
    row = of("certificates", replace(WELL, certificate_ends=NOW + timedelta(days=29)))
    assert (row.state, row.detail) == ("idle", "29 days left")
    assert "restart k3s" in row.remedy


def test_what_a_restart_of_the_machine_left_is_told_and_nothing_is_down() -> None:
    stopped = pod("traefik-0", phase="Failed", reason="Terminated", containerStatuses=[])
    after = replace(WELL, pods=(REJECTED, stopped, MODEL, TRAEFIK))
    assert [row.what for row in seen(after) if row.state == "down"] == []
    assert of("vllm-qwen", after).detail == "ready"
    assert of("the others", after).detail == (
        "2 in all namespaces; 2 that ended with the machine's last restart are still listed: "
        "kubectl delete pods -A --field-selector status.phase=Failed"
    )


def test_a_model_that_no_node_takes_any_more_is_told_why() -> None:
    what, detail, _ = down(replace(WELL, pods=(REJECTED, TRAEFIK)))
    assert what == "vllm-qwen"
    assert detail == (
        "OutOfnvidia.com/gpu: Pod was rejected: Node didn't have enough resource: nvidia.com/gpu"
    )


def test_a_pod_that_failed_by_itself_is_down() -> None:
    failed = pod("helm-install-traefik-1", phase="Failed", containerStatuses=container())
    what, detail, _ = down(replace(WELL, pods=(MODEL, TRAEFIK, failed)))
    assert (what, detail) == ("the others", "helm-install-traefik-1 (Failed)")


def test_a_model_that_loads_is_not_down() -> None:
    loading = pod("vllm-qwen-1", "vlm", containerStatuses=container())
    row = of("vllm-qwen", replace(WELL, pods=(loading, TRAEFIK), log="Loading weights: 40%"))
    assert (row.state, row.detail) == ("idle", "loading the model: Loading weights: 40%")


def test_a_gpu_that_was_given_away_is_not_down_and_it_says_how_to_take_it_back() -> None:
    row = of("vllm-qwen", replace(WELL, model={"spec": {"replicas": 0}}, pods=(TRAEFIK,)))
    assert row.state == "idle"
    assert "`hub home take`" in row.detail


def test_a_pod_that_has_done_its_work_is_no_trouble() -> None:
    job = pod("helm-install-1", phase="Succeeded", containerStatuses=container())
    assert all(row.state == "ok" for row in seen(replace(WELL, pods=(MODEL, job))))


def test_a_gateway_that_sleeps_is_not_down() -> None:
    row = of("gateway", replace(WELL, pings={}))
    assert (row.state, row.detail) == ("idle", "no instance is awake: nobody asks")


def test_a_gateway_that_does_not_answer_is_down() -> None:
    row = ask_gateway(f"http://127.0.0.1:{free_port()}/v1")
    assert (row.hop, row.state) == ("gateway", "down")
    assert "/health: " in row.detail
    assert row.remedy == "is the address right?"


def test_a_gateway_that_is_too_slow_has_the_right_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "GATEWAY_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        row = ask_gateway(f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
    assert (row.state, row.remedy) == ("down", "hub doctor --stack NAME")


def test_the_remedy_stands_beside_what_is_down() -> None:
    console = Console(width=110, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
    console.print(table(seen(node(spec={"unschedulable": True}))))
    console.file.close()
    [line] = [one for one in console.export_text().splitlines() if "cordoned" in one]
    assert "down" in line
    assert "kubectl uncordon home" in line


def test_the_command_reads_a_server_and_its_exit_code_tells(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Facts, cluster, and the ping to the gateway, as the scripts print them."""
    monkeypatch.setenv("COLUMNS", "160")

    server.stands_for_each_host(monkeypatch)
    status = {
        "BackendState": "Running",
        "Self": {
            "HostName": "home",
            "DNSName": "home.tail1234.ts.net.",
            "Tags": ["tag:llm-home"],
            "TailscaleIPs": [ADDRESS],
        },
        "Peer": {
            "a": {
                "HostName": "home-gateway'; touch /state/gotcha; echo '[/red]",
                "Tags": ["tag:llm-gateway"],
                "TailscaleIPs": ["100.64.0.9"],
                "Online": True,
            },
            "b": {
                "HostName": "home-gateway-1",
                "Tags": ["tag:llm-gateway"],
                "TailscaleIPs": ["100.64.0.8"],
                "Online": False,
            },
            "c": {"HostName": "laptop", "Tags": None, "Online": True},
        },
    }
    state = server.root / "state"
    (state / "tailscale").write_text(json.dumps(status))
    (state / "k3s").write_text("v1.36.4+k3s1\n")
    (state / "wake-on").write_text("g\n")
    for name in ("active/k3s.service", "enabled/k3s.service"):
        (state / name).touch()
    for unit in ("sleep", "suspend", "hibernate", "hybrid-sleep"):
        (state / "masked" / f"{unit}.target").touch()
    for name in ("k3s", "tailscale"):
        (server.root / "usr/local/bin" / name).symlink_to("/standin/any")
    cluster = {
        "node": json.dumps(NODE),
        "pods": json.dumps({"items": [MODEL, TRAEFIK]}),
        "model": json.dumps(WELL.model),
        "slices": json.dumps({"data": {"config.yaml": "resources:\n- replicas: 10\n"}}),
        "ingress": "ingress.networking.k8s.io/vllm-qwen\n",
        "log": "INFO: ready\n",
        "entry": "401",
        "certificate": "notAfter=Nov 26 02:24:42 2126 GMT\n",
    }
    (state / "cluster").mkdir()
    (server.root / "etc/rancher/k3s").mkdir(parents=True)
    (server.root / "etc/rancher/k3s/config.yaml").write_text("node-name: home\n")
    for name, text in cluster.items():
        (state / "cluster" / name).write_text(text)
    done = CliRunner().invoke(app, ["home", "check"])
    assert done.exit_code == 0, done.output
    assert "pong from home-gateway (100.64.0.9)" in done.stdout
    assert "home-gateway-1" not in done.stdout
    assert "[/red]" in done.stdout, "a gateway's name was read as markup"
    assert not (state / "gotcha").exists(), "a gateway's name was run as a command"
    assert "http://100.101.102.103 asks for the gateway's key" in done.stdout
    assert "04:42:1a:00:00:01 on enp5s0" in done.stdout
    (state / "cluster/entry").write_text("000")
    assert CliRunner().invoke(app, ["home", "check"]).exit_code == 1
    assert server.changes() == []
    assert server.calls(*IN_THE_CLUSTER) == 2 * LOOKS
    for name in ("node", "pods", "model", "certificate"):
        (state / "cluster" / name).write_text('{"items": [{"metadata": {"name"')
    (state / "secure-boot").write_text("EFI variables are not supported on this system\n")
    done = CliRunner().invoke(app, ["home", "check"])
    assert isinstance(done.exception, SystemExit), "what breaks off is no traceback"
    assert "the API server does not answer" in done.stdout
    assert "the API server's cannot be read" in done.stdout


IN_THE_CLUSTER = ("k3s kubectl", "curl", "openssl", "tailscale ping")
LOOKS = [
    "k3s kubectl --request-timeout=5s get node home -o json",
    "k3s kubectl --request-timeout=5s get pods --all-namespaces -o json",
    "k3s kubectl --request-timeout=5s -n vlm get deployment vllm-qwen -o json",
    "k3s kubectl --request-timeout=5s -n kube-system get configmap nvidia-time-slicing -o json",
    "k3s kubectl --request-timeout=5s -n vlm get ingress vllm-qwen -o name",
    f"k3s kubectl --request-timeout=5s -n vlm logs deployment/vllm-qwen --tail={LOG_LINES}",
    f"curl -s -o /dev/null -w %{{http_code}} --max-time 5 http://{ADDRESS}/health",
    ("openssl x509 -noout -enddate -in /var/lib/rancher/k3s/server/tls/serving-kube-apiserver.crt"),
    "tailscale ping -c 1 --timeout 3s 100.64.0.9",
]
"""Of one check: none waits for longer than 5 s, whatever has fallen silent."""
