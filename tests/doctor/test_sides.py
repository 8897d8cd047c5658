"""What Google's and Tailscale's own tools print, read into observations."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from doctor.google_side import answers, described, listed, nodes, service
from doctor.observations import NotSeen, Service
from doctor.twin_side import peers
from tests.support.google.interface import misfits

# `tailscale status --json` (ipn/ipnstate/ipnstate.go, 1.102.3), cut to what is read.
STATUS: dict[str, Any] = {
    "Self": {
        "HostName": "laptop",
        "DNSName": "laptop.tail1234.ts.net.",
        "Online": True,
        "TailscaleIPs": ["100.64.0.9"],
    },
    "Peer": {
        "nodekey:1": {
            "HostName": "ubuntu",
            "DNSName": "home.tail1234.ts.net.",
            "Online": True,
            "Tags": ["tag:llm-home"],
            "TailscaleIPs": ["100.64.0.1", "fd7a::1"],
            "CurAddr": "192.0.2.7:41641",
            "Relay": "tok",
            "Active": True,
        },
        "nodekey:2": {
            "HostName": "home-gateway",
            "DNSName": "home-gateway.tail1234.ts.net.",
            "Online": False,
            "Tags": ["tag:llm-gateway"],
            "TailscaleIPs": ["100.64.0.2"],
            "CurAddr": "",
            "Relay": "tok",
            "Active": True,
        },
    },
}


def test_a_machine_is_called_as_the_tailnet_calls_it_and_not_as_it_calls_itself() -> None:
    seen = {node.name: node for node in listed(STATUS).nodes}
    assert list(seen) == ["laptop", "home", "home-gateway"]
    assert (seen["home"].online, seen["home"].tags) == (True, ("tag:llm-home",))


def test_one_computer_tells_neither_the_pairs_route_nor_of_every_machine() -> None:
    seen = listed(STATUS)
    assert {node.path for node in seen.nodes} == {""}
    assert not seen.whole


def test_the_twins_home_tells_the_way_to_each_address() -> None:
    assert peers(STATUS) == {
        **dict.fromkeys(("100.64.0.1", "fd7a::1"), "direct"),
        "100.64.0.2": "relayed by tok",
    }


def test_a_peer_that_is_not_active_has_no_path_yet() -> None:
    quiet = {"Peer": {"k": {"TailscaleIPs": ["100.64.0.1"], "CurAddr": "", "Relay": "tok"}}}
    assert peers(quiet) == {"100.64.0.1": ""}
    assert peers({"Peer": None}) == {}


# `gcloud run services describe --format=json`, Knative's form.
DESCRIBED: dict[str, Any] = {
    "status": {
        "latestReadyRevisionName": "home-gateway-00003-abc",
        "conditions": [
            {"type": "RoutesReady", "status": "True"},
            {"type": "Ready", "status": "False", "message": "Secret version 4 was not found"},
        ],
    }
}


def test_google_could_describe_a_service_like_this() -> None:
    assert misfits("run-v1", "Service", DESCRIBED, sent=False) == []


def test_the_services_first_condition_that_failed_is_its_failure() -> None:
    failure = "Secret version 4 was not found"
    assert described(DESCRIBED) == Service(
        deployed=True, revision="home-gateway-00003-abc", failure=failure
    )


def tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_tool_that_is_not_here_is_told(bin_folder: Path) -> None:
    assert service("home-gateway", "p", "r", not_started=False) == NotSeen(
        why="gcloud is not installed here"
    )
    assert nodes("home") == NotSeen(why="tailscale is not installed here")


def test_a_service_that_does_not_exist_is_not_deployed(bin_folder: Path) -> None:
    words = "ERROR: (gcloud.run.services.describe) Cannot find service [home-gateway]"
    tool(bin_folder, "gcloud", f"echo '{words}' >&2; exit 1")
    assert service("home-gateway", "p", "r", not_started=False) == Service(deployed=False)


def test_a_tool_that_refuses_is_quoted(bin_folder: Path) -> None:
    tool(bin_folder, "gcloud", "echo 'ERROR: you do not have an account' >&2; exit 1")
    assert service("home-gateway", "p", "r", not_started=False) == NotSeen(
        why="gcloud: ERROR: you do not have an account"
    )


def test_the_service_is_asked_for_by_name_project_and_region(bin_folder: Path) -> None:
    asked = bin_folder / "asked"
    tool(bin_folder, "gcloud", f"echo \"$@\" > {asked}; echo '{json.dumps({'status': {}})}'")
    service("home-gateway", "my-project", "asia-northeast3", not_started=False)
    assert asked.read_text().split() == [
        *("run", "services", "describe", "home-gateway"),
        *("--project=my-project", "--region=asia-northeast3", "--format=json"),
    ]


# `gcloud logging read --format=json`: the newest first.
LOG = [
    {"textPayload": "boot: 2026/11/29 16:11:39 failed to auth tailscale: exit status 1"},
    {"textPayload": "backend error: invalid key: API key kXyz not valid"},
    {"jsonPayload": {"level": "info", "msg": "admin endpoint disabled"}},
]


def test_why_no_instance_started_is_read_from_its_log_once_google_answers_in_its_place(
    bin_folder: Path,
) -> None:
    described_well, log = json.dumps({"status": {}}), json.dumps(LOG)
    asked = bin_folder / "asked"
    script = f"echo \"$@\" >> {asked}; [ $1 = run ] && echo '{described_well}' || echo '{log}'"
    tool(bin_folder, "gcloud", script)
    where = ("home-gateway", "my-project", "asia-northeast3")
    assert service(*where, not_started=False) == Service(deployed=True)
    assert "logging" not in asked.read_text()
    assert service(*where, not_started=True) == Service(
        deployed=True, last_words="backend error: invalid key: API key kXyz not valid"
    )
    [read] = [line for line in asked.read_text().splitlines() if line.startswith("logging")]
    assert read == (
        'logging read resource.type="cloud_run_revision" '
        'AND resource.labels.service_name="home-gateway" '
        'AND resource.labels.location="asia-northeast3" '
        "--project=my-project --freshness=15m --limit=300 --format=json"
    )


def test_google_could_log_lines_like_these() -> None:
    assert [misfits("logging", "LogEntry", line, sent=False) for line in LOG] == [[]] * 3


def test_home_is_asked_for_an_answer_of_the_tailnet_itself(bin_folder: Path) -> None:
    asked = bin_folder / "asked"
    status, pong = json.dumps(STATUS), "pong from home (100.64.0.1) via 192.0.2.7:41641 in 9ms"
    tool(
        bin_folder,
        "tailscale",
        f"echo \"$@\" >> {asked}; [ $1 = status ] && echo '{status}' || echo '{pong}'",
    )
    seen = nodes("home")
    assert not isinstance(seen, NotSeen)
    assert seen.home_answers is True
    assert asked.read_text().splitlines()[1] == "ping --c=1 --timeout=3s --until-direct=false home"


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ("pong from home (100.64.0.1) via DERP(tok) in 38ms\n", True),
        (NotSeen(why="tailscale: no reply"), False),
        ("100.64.0.1 is local Tailscale IP\n", None),
        (NotSeen(why='tailscale: error looking up IP of "home": no such host'), None),
        (NotSeen(why="tailscale is not installed here"), None),
    ],
)
def test_only_a_ping_without_a_reply_says_that_home_does_not_answer(
    said: str | NotSeen, answered: bool | None
) -> None:
    assert answers(said) is answered
