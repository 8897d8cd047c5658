"""What a person copies out of the pages of the real deployment, tried as far as it can be here."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from hub.cli import app
from infra.tailnet.policy import policy
from tests.support import pages
from tests.support.kubectl import complaint
from tests.support.pages import PAGES, blocks, called, unknown
from tests.support.shellcheck import findings
from tests.support.stacks import ROOT, deploy_stack

KUBECTL = {"cordon", "delete", "drain", "get", "logs", "rollout", "scale", "uncordon"}
"""Commands that the pages may use."""
PULUMI = {"config", "destroy", "import", "login", "preview", "refresh", "stack", "up"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_shell_can_be_parsed(page: Path) -> None:
    for block in blocks(page, "sh"):
        done = subprocess.run(
            ["bash", "-n"], input=block, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"


AT_A_PROMPT = "SC1091,SC2155"
"""Other files are not followed; and of `export A=$(b)` a person sees that b failed."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_shellcheck_finds_nothing_in_a_block_of_shell(page: Path) -> None:
    told = [findings(block, "bash", excluded=AT_A_PROMPT) for block in blocks(page, "sh")]
    assert "".join(told) == ""


def test_every_hub_command_and_option_exists() -> None:
    group = typer.main.get_group(app)
    commands: dict[str, Any] = {
        name: group.get_command(None, name)  # pyright: ignore[reportArgumentType]
        for name in group.list_commands(None)  # pyright: ignore[reportArgumentType]
    }
    everywhere = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    seen = [words.split() for words in called("hub", everywhere)]
    seen = [words for words in seen if not words[0].startswith("-") and not words[0].isupper()]
    assert len(seen) > 5
    for name, *rest in seen:
        assert name in commands
        below: dict[str, Any] = getattr(commands[name], "commands", {})
        # `hub eval SET` is `hub eval run SET`.
        if below and rest and not rest[0].startswith("-") and name != "eval":
            assert rest[0] in below, f"{name} {rest[0]}"
        called_one = below.get(rest[0]) if rest else None
        candidates = [called_one] if called_one else [commands[name], *below.values()]
        options: set[str] = {
            option for one in candidates for parameter in one.params for option in parameter.opts
        }
        assert {word for word in rest if word.startswith("--")} <= {*options, "--help"}, name


@pytest.mark.parametrize(("program", "known"), [("kubectl", KUBECTL), ("pulumi", PULUMI)])
def test_only_commands_that_exist_are_called(program: str, known: set[str]) -> None:
    for words in called(program):
        first = re.sub(r"^(-n \S+|--context \S+) ", "", words).split()[0]
        assert first in known, f"{program} {words}"


def test_kubectl_takes_each_command_with_its_options(tmp_path: Path) -> None:
    # A single word is a mention, such as `kubectl scale`.
    commands = {words for words in called("kubectl") if " " in words}
    assert len(commands) > 5
    assert {
        words: told for words in commands if (told := complaint(shlex.split(words), tmp_path))
    } == {}


def test_gcloud_where_it_is_installed_has_each_command_with_its_options(tmp_path: Path) -> None:
    if not shutil.which("gcloud"):
        pytest.skip("needs gcloud")
    # Every command takes these, and its own help does not list them.
    of_all = {"--format", "--project"}
    environment = {**os.environ, "CLOUDSDK_CONFIG": str(tmp_path)}
    assert unknown("gcloud", environment, taken_by_all=of_all) == {}


HELP = """case "$*" in
    "config set "*) echo "  cobra config set <key> [flags] [--] [value]" ;;
    "config "*) printf '  cobra config [flags]\\n  cobra config [command]\\n' ;;
    "stack rm "*) printf '  cobra stack remove [name] [flags]\\n --yes' ;;
    "whoami "*) echo "  cobra whoami [flags]" ;;
    *) echo "  cobra [command]" ;;
esac
"""
"""Usages as `pulumi` prints them; it exits with 0 whatever it is asked."""


def test_a_command_that_a_program_lacks_is_seen_though_it_shows_the_help_of_the_group_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "cobra"
    program.write_text(f"#!/bin/sh\n{HELP}")
    program.chmod(0o755)
    good = ["config", "config set key", "stack rm dev --yes", "whoami"]
    bad = {"typo": "typo", "config typo key": "typo, key", "whoami me --yes": "me, --yes"}

    def both(_: str) -> list[str]:
        return [*good, *bad]

    monkeypatch.setattr(pages, "called", both)
    assert unknown("cobra", {"PATH": str(tmp_path)}) == bad


def test_every_object_that_is_named_is_one_that_the_program_makes() -> None:
    deployed = deploy_stack(ROOT / "Pulumi.dev.yaml")
    names: set[str] = {
        resource.inputs["metadata"]["name"]
        for resource in deployed.resources
        if "metadata" in resource.inputs
    }
    text = "\n".join(called("kubectl"))
    kinds = "deployment|daemonset|configmap|helmchartconfig|namespace|resourcequota|ingress"
    named: list[str] = re.findall(rf"\b(?:{kinds})[/ ]([a-z][a-z-]+)", text)
    assert len(named) > 5
    assert set(named) <= names
    outputs: set[str] = set(re.findall(r"stack output (\w+)", "\n".join(called("pulumi"))))
    assert outputs
    assert outputs <= set(deployed.outputs)


def test_as_many_resources_are_made_as_the_page_says() -> None:
    told = re.search(
        r"(\d+) resources to create \((\d+) with `workloadIdentity`\)", PAGES[1].read_text()
    )
    assert told
    dev = ROOT / "Pulumi.dev.yaml"
    by_identity = deploy_stack(dev, tailnet={"joinWith": "workloadIdentity"})
    made = [len(deployed.resources) + 1 for deployed in (deploy_stack(dev), by_identity)]
    assert made == [int(told[1]), int(told[2])]  # the stack itself is one, too


def test_the_rule_to_write_instead_of_the_old_one_has_the_form_of_the_printed_policy() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| `(.+?)` \|$", PAGES[1].read_text(), re.MULTILINE)
    assert [row[0] for row in rows] == ["grants", "acls"]
    for form, *rules in rows:
        for rule in map(json.loads, rules):
            # Without `proto` the older form's rule is for all of them, as the one it replaces.
            assert rule.keys() == policy(form)[form][0].keys() - {"proto"}


def test_every_api_of_the_program_is_switched_on_some_steps_before_it_is_used() -> None:
    """Google may refuse an API for minutes after that, and the program is the last step."""
    [enabled] = [words for words in called("gcloud") if words.startswith("services enable")]
    declared = {
        resource.inputs["service"]
        for resource in deploy_stack(ROOT / "Pulumi.dev.yaml").resources
        if resource.typ == "gcp:projects/service:Service"
    }
    assert declared
    assert declared | {"cloudresourcemanager.googleapis.com"} <= set(enabled.split())
