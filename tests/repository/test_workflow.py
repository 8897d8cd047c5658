"""The workflow on GitHub runs what a person runs, and cannot write."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.repository.make_targets import described_targets

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
CACHE = ".cache/personal-cloud-hub"
"""Below the home of the runner's own user, who keeps and restores what root builds there."""
AS_ROOT = f'sudo env "PATH=$PATH" "HUB_CACHE=$HOME/{CACHE}" '
GIVE_BACK = f'sudo chown -R "$USER" ~/{CACHE}'
COMMANDS = [
    step["run"].removeprefix(AS_ROOT) for step in STEPS if step.get("run", GIVE_BACK) != GIVE_BACK
]


def test_the_workflow_may_read_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert [name for name, job in JOBS.items() if "permissions" in job] == []


@pytest.mark.parametrize("action", [step["uses"] for step in STEPS if "uses" in step])
def test_every_action_is_pinned_by_a_commit(action: str) -> None:
    assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40}", action)


def test_the_checkout_leaves_no_credentials_behind() -> None:
    checkouts = [s for s in STEPS if s.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == len(JOBS)
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_command_is_a_make_target_that_exists() -> None:
    assert COMMANDS
    for command in COMMANDS:
        found = re.fullmatch(r"make (\w+)", command)
        assert found, command
        assert found[1] in described_targets()


def test_each_job_that_starts_the_system_keeps_what_it_builds() -> None:
    """Under a name of all that decides what is built there."""
    for name in ("test", "conformance"):
        python, cache, start, give_back = JOBS[name]["steps"][-4:]
        assert start["run"] == f"{AS_ROOT}make {name}"
        assert give_back["run"] == GIVE_BACK
        assert python["uses"].startswith("actions/setup-python@")
        assert cache["uses"].startswith("actions/cache@")
        assert cache["with"]["path"] == f"~/{CACHE}"
        key: str = cache["with"]["key"]
        assert f"steps.{python['id']}.outputs.python-version" in key
        files = re.findall(r"'([^']+)'", key)
        assert {"twin/tools/**", "twin/toolchain/**"} <= set(files)
        assert all(any(ROOT.glob(pattern)) for pattern in files)


def test_the_workflow_runs_on_pull_requests_what_continuous_integration_runs() -> None:
    # YAML 1.1 reads the key `on` as true.
    assert "pull_request" in WORKFLOW[True]
    own = re.findall(r"^make \w+$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
    assert own
    assert set(own) <= set(COMMANDS)
    assert "make check" in COMMANDS
