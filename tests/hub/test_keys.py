"""`hub keys`, with a fake `pulumi` that knows what was deployed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app

runner = CliRunner()
STACK_FILE = """\
config:
  personal-cloud-hub:settings:
    apiKeys: [laptop, robot]  # mine
    cloud:
      project: my-project
"""
ROBOTS = "r" * 43
DEPLOYED = {
    "acceptedKeys": ["laptop", "robot"],
    "apiKeys": {"laptop": "l" * 43, "robot": ROBOTS},
}
Deployed = Callable[[dict[str, Any]], None]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack's file; the stack is deployed as it says."""
    chosen = tmp_path / "Pulumi.dev.yaml"
    chosen.write_text(STACK_FILE)
    monkeypatch.setenv("PULUMI_OPTION_CONFIG_FILE", str(chosen))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "160")
    return chosen


@pytest.fixture
def deployed(file: Path) -> Deployed:
    """Tell the fake `pulumi` what the stack's outputs are."""

    def are(outputs: dict[str, Any]) -> None:
        hidden = {**outputs, "apiKeys": "[secret]"} if outputs else {}
        pulumi = file.with_name("pulumi")
        pulumi.write_text(
            "#!/bin/sh\n"
            f'echo "$@" >> {file.parent}/called\n'
            f"case \"$*\" in *--show-secrets*) echo '{json.dumps(outputs)}' ;; "
            f"*) echo '{json.dumps(hidden)}' ;; esac\n"
        )
        pulumi.chmod(0o755)

    are(DEPLOYED)
    return are


def keys(*arguments: str) -> Result:
    return runner.invoke(app, ["keys", *arguments])


def on_dev(*arguments: str) -> str:
    done = keys(*arguments, "--stack", "dev")
    assert done.exit_code == 0, done.output
    return done.output


def test_the_names_are_listed_and_no_key_is_ever_asked_for(file: Path, deployed: Deployed) -> None:
    for arguments in ([], ["list"], ["--json"]):
        shown = on_dev(*arguments)
        assert "laptop" in shown
        assert ROBOTS not in shown
    assert "--show-secrets" not in (file.parent / "called").read_text()


def test_the_list_tells_what_the_next_deployment_changes(file: Path, deployed: Deployed) -> None:
    file.write_text(STACK_FILE.replace("[laptop, robot]", "[robot, robot.2, phone]"))
    assert [tuple(row.values()) for row in json.loads(on_dev("--json"))] == [
        ("robot", "robot", "accepted", False),
        ("robot", "robot.2", "new", True),
        ("phone", "phone", "new", True),
        ("laptop", "laptop", "revoked", True),
    ]
    shown = [" ".join(line.split()) for line in on_dev().splitlines()]
    assert shown[1:] == [
        "robot robot accepted until `hub keys revoke robot --old --stack dev`",
        "robot robot.2 accepted after `pulumi up --stack dev`",
        "phone phone accepted after `pulumi up --stack dev`",
        "laptop laptop revoked, accepted until `pulumi up --stack dev`",
    ]


def test_one_key_is_shown_alone_on_its_line(deployed: Deployed) -> None:
    done = keys("show", "robot", "--stack", "dev")
    assert (done.stdout, done.stderr) == (f"{ROBOTS}\n", "")


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("[robot, robot.2]", "This is the older key: `pulumi up --stack dev` makes robot.2."),
        ("[laptop]", "robot is revoked: `pulumi up --stack dev` puts that into effect."),
    ],
)
def test_a_key_that_the_next_deployment_replaces_is_shown_with_a_word(
    file: Path, deployed: Deployed, listed: str, told: str
) -> None:
    file.write_text(STACK_FILE.replace("[laptop, robot]", listed))
    done = keys("show", "robot", "--stack", "dev")
    assert (done.stdout, done.stderr) == (f"{ROBOTS}\n", f"{told}\n")


def test_what_each_command_makes_of_the_file(file: Path, deployed: Deployed) -> None:
    told = on_dev("add", "phone")
    assert "apiKeys is now [laptop, robot, phone]" in told
    assert "`pulumi up --stack dev` makes the key of phone" in told
    assert "`hub keys show phone --stack dev` prints it" in told
    told = on_dev("rotate", "robot")
    assert "`pulumi up --stack dev` makes robot.2" in told
    assert "robot stays accepted until `hub keys revoke robot --old --stack dev`" in told
    told = on_dev("revoke", "laptop")
    assert "Until `pulumi up --stack dev`, laptop can still be used." in told
    assert "The key of phone was never deployed." in on_dev("revoke", "phone")
    told = on_dev("revoke", "robot", "--old")
    assert "Until `pulumi up --stack dev`, robot can still be used." in told
    assert file.read_text() == STACK_FILE.replace("[laptop, robot]", "[robot.2]")


def test_a_second_rotation_tells_which_key_it_ends(file: Path, deployed: Deployed) -> None:
    file.write_text(STACK_FILE.replace("[laptop, robot]", "[robot, robot.2]"))
    deployed({"acceptedKeys": ["robot", "robot.2"], "apiKeys": {"robot": "k"}})
    assert "robot is refused from then on." in on_dev("rotate", "robot").splitlines()
    assert "[robot.2, robot.3]" in file.read_text()


def test_before_the_first_deployment_names_are_declared_and_no_key_is_shown(
    file: Path, deployed: Deployed
) -> None:
    deployed({})
    assert on_dev().count("accepted after `pulumi up --stack dev`") == 2
    on_dev("add", "phone")
    done = keys("show", "phone", "--stack", "dev")
    assert done.exit_code == 1
    assert "The key of phone is not made yet. `pulumi up --stack dev` makes it." in done.output


def test_a_twin_that_was_never_started_needs_no_pulumi(file: Path) -> None:
    done = keys("add", "phone")
    assert done.exit_code == 0, done.output
    assert "`hub up` makes the key of phone, then `hub keys show phone` prints it." in done.output
    assert "[laptop, robot, phone]" in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "rbot"], "No API key is named 'rbot'; there are: laptop, robot"),
        (["rotate", "rbot"], "No API key is named 'rbot'; there are: laptop, robot"),
        (["revoke", "rbot"], "No API key is named 'rbot'; there are: laptop, robot"),
        (["add", "Phone"], "'Phone' is no name for a key"),
        (["add", "robot"], "robot has a key already"),
        (["revoke", "robot", "--old"], "robot has one key, no older one"),
    ],
)
def test_a_refused_command_says_why_and_leaves_the_file(
    file: Path, deployed: Deployed, arguments: list[str], told: str
) -> None:
    done = keys(*arguments, "--stack", "dev")
    assert done.exit_code == 1
    assert told in done.output
    assert file.read_text() == STACK_FILE


def test_a_stack_that_pulumi_does_not_know_is_told_and_its_file_left(
    file: Path, deployed: Deployed
) -> None:
    file.with_name("pulumi").write_text(
        "#!/bin/sh\necho \"error: no stack named 'dev' found\" >&2\nexit 255\n"
    )
    done = keys("revoke", "robot", "--stack", "dev")
    assert done.exit_code == 1
    assert "error: no stack named 'dev' found" in done.output
    assert "docs/deployment.md creates one" in done.output
    assert file.read_text() == STACK_FILE


def test_without_pulumi_its_installation_is_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(file.parent))
    done = keys("--stack", "dev")
    assert done.exit_code == 1
    assert "`pulumi` is not on PATH" in done.output
    assert "docs/deployment.md" not in done.output


def test_a_stack_without_a_file_is_told_with_those_that_have_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PULUMI_OPTION_CONFIG_FILE", raising=False)
    done = keys("--stack", "dve")
    assert done.exit_code == 1
    assert "there are: Pulumi.dev.yaml, Pulumi.twin.yaml" in done.output


def test_a_name_that_the_program_would_refuse_is_told_with_the_file(
    file: Path, deployed: Deployed
) -> None:
    file.write_text(STACK_FILE.replace("[laptop, robot]", "[My Laptop]"))
    done = keys("add", "phone", "--stack", "dev")
    assert done.exit_code == 1
    assert f"{file}: 'My Laptop' is no name for a key" in done.output


def test_up_on_the_twin_is_hub_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_GATEWAY_PORT", "none")  # which `hub up` refuses before it does anything
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "keys", "add", "phone", "--up"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "HUB_GATEWAY_PORT is 'none'" in done.stderr
    assert "[laptop, robot, phone]" in file.read_text()


def test_up_becomes_the_deployment_of_the_changed_file(file: Path, deployed: Deployed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub.cli", "keys", "revoke", "robot", "--stack", "dev", "--up"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(f"{file}: apiKeys is now [laptop]")
    assert (file.parent / "called").read_text().splitlines()[-1] == "up --stack dev"
