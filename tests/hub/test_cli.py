"""The command line, where no twin runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hub.cli import app
from infra.tailnet.policy import policy
from twin.errors import TwinError
from twin.settings import TwinSettings
from twin.status import Row, auth_key, deployment, ingress, pod, table

runner = CliRunner()


@pytest.fixture(autouse=True)
def _no_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")


COMMANDS = {
    "Run the twin": ["up", "down", "clean"],
    "Ask": ["ask", "detect", "eval"],
    "Look": ["plan", "status", "doctor", "logs", "usage", "policy", "env"],
    "Give access": ["keys"],
    "The home server": ["home"],
}


def test_hub_alone_shows_the_commands_in_groups_and_the_first_three_to_type() -> None:
    shown = runner.invoke(app, []).output
    groups: dict[str, list[str]] = {}
    for line in shown.splitlines():
        if title := re.match(r"╭─ ([\w ]+?) ─", line):
            groups[title[1]] = []
        elif command := re.match(r"│ (\w+) ", line):
            groups[list(groups)[-1]].append(command[1])
    del groups["Options"]
    assert groups == COMMANDS
    first = re.findall(r"^ (hub \w+)", shown, re.MULTILINE)
    assert first == ["hub up", "hub detect", "hub status"]


def test_the_version_is_the_installed_one() -> None:
    assert runner.invoke(app, ["--version"]).output == f"hub {version('personal-cloud-hub')}\n"


@pytest.mark.parametrize(
    ("command", "example", "variable"),
    [
        (["up"], "HUB_GATEWAY_PORT=8090 hub up", "HUB_CACHE"),
        (["down"], "hub down && hub up", "HUB_STATE"),
        (["clean"], "hub clean && hub up", "HUB_CACHE"),
        (["ask"], 'hub ask "What is in this picture?" --image', "OPENAI_API_KEY"),
        (["detect"], 'hub detect table.jpg "red cup"', "OPENAI_API_KEY"),
        (["eval", "run"], "hub eval drawn --limit 60", "OPENAI_API_KEY"),
        (["eval", "compare"], "hub eval compare evaluations/", "No environment variable"),
        (["plan"], "hub plan --profile 7b --users 8", "KUBECONFIG"),
        (["status"], "hub status --json |", "HUB_STATE"),
        (["logs"], "hub logs traefik -n 200", "HUB_STATE"),
        (["env"], 'eval "$(hub env)"', "HUB_STATE"),
        (["keys", "list"], "hub keys --stack dev --json |", "PULUMI_OPTION_CONFIG_FILE"),
        (["home", "install"], "hub home install --host me@192.168.0.7 --dry-run", "KUBECONFIG"),
    ],
)
def test_the_help_of_a_command_has_an_example_and_its_environment(
    command: list[str], example: str, variable: str
) -> None:
    shown = runner.invoke(app, [*command, "--help"]).output
    assert example in shown
    assert variable in shown


def test_every_port_and_its_default_is_in_the_help_of_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [f"HUB_{name}_PORT" for name in ("GATEWAY", "CLIENT", "KUBERNETES", "PROVIDERS")]
    for name in ports:
        monkeypatch.delenv(name, raising=False)
    shown = " ".join(runner.invoke(app, ["up", "--help"]).output.split())
    settings = asdict(TwinSettings.from_environment())
    for name in ports:
        assert f"{name} ({settings[name.removeprefix('HUB_').lower()]})" in shown


def test_bash_completes_the_commands() -> None:
    script = """eval "$(hub --show-completion bash)"
        COMP_WORDS=(hub sta)
        COMP_CWORD=1
        _hub_completion hub
        echo "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "status\n"


@pytest.mark.parametrize("command", ["down", "status", "env"])
def test_without_a_twin_a_command_says_how_to_start_one(command: str) -> None:
    done = runner.invoke(app, [command])
    assert done.exit_code == 1
    assert "make up" in done.output


def test_cleaning_nothing_is_no_error() -> None:
    done = runner.invoke(app, ["clean"])
    assert done.exit_code == 0
    assert "no twin to remove" in done.output


def test_an_unknown_log_is_told_with_the_known_ones(tmp_path: Path) -> None:
    logs = tmp_path / "state" / "logs"
    (logs / "pods").mkdir(parents=True)
    (logs / "traefik.log").write_text("one\ntwo\nthree\n")
    (logs / "pods" / "vllm.log").write_text("")
    done = runner.invoke(app, ["logs", "nginx"])
    assert done.exit_code == 1
    assert "pods/vllm, traefik" in done.output
    assert runner.invoke(app, ["logs", "traefik", "-n", "2"]).output == "two\nthree\n"


def test_a_taken_port_stops_up_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: TwinSettings) -> None:
        raise TwinError("HUB_GATEWAY_PORT=8080")

    monkeypatch.setattr(TwinSettings, "refuse_taken_ports", refuse)

    def ask_for_tools(_console: Console) -> None:
        pytest.fail("tools were asked for")

    monkeypatch.setattr("hub.cli.ensure", ask_for_tools)
    done = runner.invoke(app, ["up"])
    assert done.exit_code == 1
    assert "HUB_GATEWAY_PORT=8080" in done.output


def test_the_table_names_a_hop_once() -> None:
    rows = [Row("pod", "a", "ok", "x"), Row("pod", "b", "down", "y")]
    assert list(table(rows).columns[0].cells) == ["pod", ""]


@pytest.mark.parametrize(
    ("expires", "state", "words"),
    [
        (date(2026, 4, 1), "ok", "expires on 2026-04-01, in 31 days"),
        (date(2026, 3, 15), "idle", "in 14 days; `hub up` renews it"),
        (date(2026, 2, 27), "down", "expired on 2026-02-27: the gateway cannot start"),
    ],
)
def test_status_tells_when_the_auth_key_expires(expires: date, state: str, words: str) -> None:
    row = auth_key(datetime.combine(expires, time(1), UTC), date(2026, 3, 1))
    assert row.state == state
    assert words in row.detail


@pytest.mark.parametrize(
    ("wanted", "ready", "state", "words"),
    [
        (1, 1, "ok", "1 of 1 ready"),
        (1, 0, "down", "0 of 1 ready"),
        (0, 0, "idle", "0 of 0 ready; scaled by hand"),
    ],
)
def test_status_tells_the_replicas_that_are_ready_of_those_wanted(
    wanted: int, ready: int, state: str, words: str
) -> None:
    counted = {"readyReplicas": ready} if ready else {}
    seen: dict[str, Any] = {
        "metadata": {"name": "m"},
        "spec": {"replicas": wanted},
        "status": counted,
    }
    row = deployment(seen)
    assert (row.what, row.state, row.detail) == ("deployment m", state, words)


def test_status_takes_no_pod_for_down_that_the_kubelet_put_out() -> None:
    container = {"image": "vllm/vllm-openai:v0.33.0", "name": "vllm"}
    seen: dict[str, Any] = {
        "metadata": {"name": "vllm-qwen-0"},
        "spec": {"containers": [container]},
        "status": {"phase": "Failed", "reason": "OutOfnvidia.com/gpu"},
    }
    row = pod(seen)
    assert (row.what, row.state) == ("vllm-qwen-0", "idle")
    assert row.detail == "OutOfnvidia.com/gpu; another was made in its place"
    seen["status"] = {"phase": "Failed", "containerStatuses": [{"ready": False, "restartCount": 2}]}
    assert (pod(seen).state, pod(seen).detail) == (
        "down",
        "Failed, 2 restarts, vllm/vllm-openai:v0.33.0",
    )


def test_status_tells_whether_traefik_serves_the_ingress() -> None:
    seen: dict[str, Any] = {"metadata": {"name": "m"}, "status": {}}
    assert (ingress(seen).state, ingress(seen).detail) == ("down", "Traefik does not serve it")
    seen["status"] = {"loadBalancer": {"ingress": [{"ip": "10.99.0.4"}]}}
    assert ingress(seen).detail == "Traefik serves it at 10.99.0.4"


def test_status_tells_that_there_is_no_auth_key() -> None:
    assert auth_key(None, date(2026, 3, 1)).state == "down"


def test_policy_prints_the_rules_without_a_stack_or_an_account() -> None:
    assert json.loads(runner.invoke(app, ["policy"]).output) == policy("grants")
    assert json.loads(runner.invoke(app, ["policy", "--form", "acls"]).output) == policy("acls")
    told = runner.invoke(app, ["policy", "--waker", "100.1.2.3"]).output
    assert json.loads(told) == policy("grants", "100.1.2.3")
