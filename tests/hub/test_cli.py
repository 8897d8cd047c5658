"""The command line, where no twin runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn
from unittest.mock import Mock

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hub.cli import app
from infra.tailnet.policy import policy
from twin.errors import TwinError
from twin.lifecycle import locked
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.status.rows import Row

runner = CliRunner()


@pytest.fixture(autouse=True)
def _no_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")


def interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


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


def test_clean_deletes_and_ends_nothing_in_a_folder_that_is_no_twins(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "letters.txt").write_text("dear")
    with (
        (state / "out.log").open("w") as log,
        subprocess.Popen(["sleep", "60"], stdout=log) as somebody_elses,
    ):
        done = runner.invoke(app, ["clean"])
        still_runs = somebody_elses.poll() is None
        somebody_elses.kill()
    assert done.exit_code == 1
    assert f"{state} is no twin's folder" in done.output
    assert "HUB_STATE" in done.output
    assert still_runs
    assert (state / "letters.txt").read_text() == "dear"


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

    monkeypatch.setattr("hub.running.ensure", ask_for_tools)
    done = runner.invoke(app, ["up"])
    assert done.exit_code == 1
    assert "HUB_GATEWAY_PORT=8080" in done.output


@pytest.mark.parametrize("command", ["up", "clean"])
def test_beside_another_command_on_the_same_twin_a_second_one_says_so_and_does_nothing(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untouched = Mock()
    monkeypatch.setattr(TwinSettings, "refuse_taken_ports", untouched)
    monkeypatch.setattr("hub.running.ensure", untouched)
    monkeypatch.setattr("hub.running.lifecycle.remove", untouched)
    with locked(TwinPaths(tmp_path / "state")):
        done = runner.invoke(app, [command])
    assert done.exit_code == 1
    assert "Another hub command works on this twin" in done.output
    untouched.assert_not_called()


def test_up_refuses_a_folder_that_is_no_twins_before_it_builds_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "letters.txt").write_text("dear")
    tools = Mock()
    monkeypatch.setattr("hub.running.ensure", tools)
    done = runner.invoke(app, ["up"])
    assert done.exit_code == 1
    assert f"{state} is no twin's folder" in done.output
    tools.assert_not_called()


@pytest.mark.parametrize(
    ("command", "within", "hint"),
    [
        (["up"], "hub.running.ensure", " The same command takes up where this one stopped."),
        (["home", "install"], "hub.home.commands.look", " The same command takes up"),
        (["ask", "Hello"], "hub.asking.connection", "\n"),
        (["home", "wake", "--through", "pi", "--mac", "a"], "hub.home.wake.status", "\n"),
    ],
)
def test_after_ctrl_c_only_a_command_that_resumes_says_so(
    command: list[str], within: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(within, interrupt)
    monkeypatch.setattr(TwinSettings, "refuse_taken_ports", Mock())
    done = runner.invoke(app, command)
    assert done.exit_code == 130
    assert f"\nInterrupted.{hint}" in done.output


def test_ctrl_c_ends_a_watched_status_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([[Row("pod", "a", "down", "x")]])

    def look(*_: object) -> list[Row]:
        return next(looks, None) or interrupt()

    monkeypatch.setattr("hub.status.Engine.of_running_twin", Mock())
    monkeypatch.setattr("hub.status.look", look)
    monkeypatch.setattr("hub.status.WATCH_SECONDS", 0)
    done = runner.invoke(app, ["status", "--watch"])
    assert done.exit_code == 0
    assert "Interrupted" not in done.output


def test_policy_prints_the_rules_without_a_stack_or_an_account() -> None:
    assert json.loads(runner.invoke(app, ["policy"]).output) == policy("grants")
    assert json.loads(runner.invoke(app, ["policy", "--form", "acls"]).output) == policy("acls")
    told = runner.invoke(app, ["policy", "--waker", "100.1.2.3"]).output
    assert json.loads(told) == policy("grants", "100.1.2.3")
