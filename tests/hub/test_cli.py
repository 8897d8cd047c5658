"""The command line, where no twin runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from hub.cli import app
from hub.status import Row, table
from twin.errors import TwinError
from twin.settings import TwinSettings

runner = CliRunner()


@pytest.fixture(autouse=True)
def _no_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "120")


def test_help_names_every_command_with_what_it_is_for() -> None:
    shown = runner.invoke(app, ["--help"]).output
    for command in ("up", "down", "clean", "status", "ask", "detect", "eval", "logs", "env"):
        assert command in shown
    assert "the cloud's side goes, home keeps running" in shown


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
