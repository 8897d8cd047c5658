"""What `hub doctor` shows a person."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from doctor.diagnosis import diagnose
from doctor.hops import HOPS, Hop
from doctor.observations import NotSeen, Observations
from hub import doctor, stack
from hub.cli import app
from tests.doctor.observed import WELL, unready_pod
from twin.errors import TwinError

CRASH = unready_pod(restarts=2, reason="Error (exit code 1)", last_words="no [model] in [/cache]")


def printed(seen: Observations) -> list[str]:
    findings = diagnose(seen)
    console = Console(file=io.StringIO(), width=200, highlight=False)
    console.print(doctor.table(findings))
    console.print(doctor.verdict(findings))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_each_hop_has_a_line_with_its_time_and_what_was_seen() -> None:
    lines = printed(replace(WELL, seconds={"cloud run": 1.26}))
    assert [line.partition(" ")[0] for line in lines[: len(HOPS)]] == ["✓"] * len(HOPS)
    assert lines[1] == "✓ cloud run 1.3 s home-gateway-00001, 1 instance(s)"
    assert lines[2] == "✓ gateway 0.1 s GET /health: 200 in 0.1 s"
    assert lines[-1] == "Nothing is broken."


def test_the_broken_hop_stands_below_with_its_cause_and_what_to_do() -> None:
    lines = printed(CRASH)
    assert "✗ pod p Running, 2 restarts" in lines
    assert "? model not reached" in lines
    assert lines[-2].startswith("pod: The pod cannot start: p: Error (exit code 1), restarted 2")
    assert lines[-1] == "→ kubectl -n vlm logs deployment/vllm-qwen --tail=50"


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (CRASH, "its last words: no [model] in [/cache]"),
        (
            replace(WELL, service=NotSeen(why="gcloud: no access to [my-project]")),
            "✓ cloud run gcloud: no access to [my-project]",
        ),
        (
            replace(WELL, service=NotSeen(why="gcloud: Unable to read file [/home/me/.config]")),
            "gcloud: Unable to read file [/home/me/.config]",
        ),
        (
            replace(WELL, drift=NotSeen(why="pulumi preview failed: [red]no[/red]")),
            "What is not as declared was not seen: pulumi preview failed: [red]no[/red].",
        ),
    ],
)
def test_square_brackets_of_others_are_shown_as_they_are(seen: Observations, words: str) -> None:
    assert any(words in line for line in printed(seen)), printed(seen)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose sides are looked at one after the other."""

    def examined(
        _: object, *, told: Callable[[Mapping[Hop, str]], None], **_more: Any
    ) -> Observations:
        told({"gateway": "GET /health: [200]"})
        return CRASH

    def nobody(_stack: str) -> None: ...

    monkeypatch.setattr(doctor, "_patient", nobody)
    monkeypatch.setattr(doctor, "examine", examined)


@pytest.mark.usefixtures("patient")
def test_a_hops_line_is_drawn_as_soon_as_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Console(file=io.StringIO(), width=100, height=50, force_terminal=True)
    monkeypatch.setattr(doctor, "console", screen)
    CliRunner().invoke(app, ["doctor"])
    assert isinstance(screen.file, io.StringIO)
    drawn, _, answered = screen.file.getvalue().partition("✗")
    assert "GET /health: [200]" in drawn
    assert "Asking each hop, half a minute at most" in drawn
    assert "cannot start" not in drawn
    assert "cannot start" in answered


@pytest.mark.usefixtures("patient")
def test_where_there_is_no_terminal_the_answer_alone_is_printed() -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 1
    assert "Asking" not in done.output
    assert "[200]" not in done.output


def test_programs_get_the_time_and_the_evidence_of_each_hop() -> None:
    told = json.loads(json.dumps(doctor.answer(diagnose(WELL))))
    gateway = next(one for one in told["hops"] if one["hop"] == "gateway")
    assert (gateway["seconds"], gateway["evidence"]) == (0.1, "GET /health: 200 in 0.1 s")


def test_a_pulumi_that_does_not_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pulumi = tmp_path / "pulumi"
    pulumi.write_text("#!/bin/sh\nexec sleep 60\n")
    pulumi.chmod(0o755)
    monkeypatch.setattr(stack, "OUTPUTS_SECONDS", 0.2)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    of_dev = stack.Stack("dev", tmp_path / "Pulumi.dev.yaml", os.environ)
    with pytest.raises(TwinError, match=r"did not end in 0.2 s.*pulumi whoami --verbose"):
        of_dev.accepted()
