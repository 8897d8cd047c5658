"""The Pulumi stack that is selected tells the commands where the service is."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.client import ClientError, Connection
from doctor.observations import NotSeen
from hub.connection import connection
from hub.stack import Service, Stack
from twin.errors import TwinError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


def pulumi_that(does: str, folder: Path) -> None:
    program = folder / "pulumi"
    program.write_text(f"#!/bin/sh\n{does}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_the_stacks_outputs_come_last(tmp_path: Path) -> None:
    pulumi_that(
        f'echo "$@" > {tmp_path}/asked\n'
        """echo '{"gatewayUrl": "https://door.example", "apiKeys": {"robot": "k1", "b": "k2"}}'""",
        tmp_path,
    )
    assert connection() == Connection("https://door.example/v1", "k1")
    asked = (tmp_path / "asked").read_text()
    assert asked == "stack output --json --show-secrets --non-interactive\n"


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("echo '{}'", "The selected Pulumi stack is not deployed."),
        ("echo 'error: no stack selected' >&2; exit 255", "failed: error: no stack selected."),
    ],
)
def test_a_stack_that_does_not_tell_is_told_with_what_to_do(
    tmp_path: Path, does: str, words: str
) -> None:
    pulumi_that(does, tmp_path)
    with pytest.raises(ClientError) as error:
        connection()
    assert words in str(error.value)
    assert "OPENAI_BASE_URL" in str(error.value)


def test_the_environment_may_name_one_of_the_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi_that(
        """echo '{"gatewayUrl": "https://door.example", "apiKeys": {"a": "k1"}}'""", tmp_path
    )
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    assert connection() == Connection("https://door.example/v1", "mine")


def test_without_pulumi_the_environment_names_the_service_of_a_stack_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_dev = Stack("dev", tmp_path / "Pulumi.dev.yaml", os.environ)
    with pytest.raises(TwinError, match="`pulumi` is not on PATH"):
        of_dev.service()
    monkeypatch.setenv("OPENAI_BASE_URL", "https://door.example/v1/")
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    found = of_dev.service()
    assert found == Service("https://door.example", "mine", NotSeen(why="`pulumi` is not on PATH"))
    told = " ".join(capsys.readouterr().err.split())
    assert told == "`pulumi` is not on PATH: OPENAI_BASE_URL and OPENAI_API_KEY name the service."
    assert of_dev.auth_key() == NotSeen(why="`pulumi` is not on PATH")


def test_with_pulumi_its_outputs_name_the_service_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pulumi_that(
        """echo '{"gatewayUrl": "https://door.example", "apiKeys": {"a": "k1"}, """
        """"authKeyExpires": "2026-03-01T00:00:00+00:00"}'""",
        tmp_path,
    )
    monkeypatch.setenv("OPENAI_BASE_URL", "https://other.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "mine")
    of_dev = Stack("dev", tmp_path / "Pulumi.dev.yaml", os.environ)
    expires = datetime(2026, 3, 1, tzinfo=UTC)
    assert of_dev.service() == Service("https://door.example", "k1", expires)
    assert of_dev.auth_key() == expires
    pulumi_that("echo no backend >&2; exit 1", tmp_path)
    unseen = of_dev.auth_key()
    assert isinstance(unseen, NotSeen)
    assert "stack output" in unseen.why
    assert "no backend" in unseen.why


def test_without_pulumi_the_reader_learns_what_to_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClientError, match=r"No address or no API key is set\. Set OPENAI_BASE_URL"):
        connection()
