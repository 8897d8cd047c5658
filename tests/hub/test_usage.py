from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from doctor.instances import entries
from hub.cli import app
from hub.usage import Used, requests, summed

runner = CliRunner()
NEW_YEAR = 1_767_225_599  # 2025-12-31T23:59:59Z


def line(key: str, status: int, ts: float = NEW_YEAR, **more: Any) -> dict[str, Any]:
    return {
        "level": "info",
        "ts": ts,
        "msg": "handled request",
        "request": {"method": "POST", "uri": "/v1/chat/completions"},
        "duration": 0,
        "arrived_ms": str(int(ts * 1000) - 1500),
        "size": 2000,
        "status": status,
        "key": key,
        "request_id": "r",
        **more,
    }


LINES = [
    line("robot", 200, tunnel="relayed"),
    line("robot", 429, tunnel="direct"),
    line("robot", 503, ts=NEW_YEAR + 2),
    line("", 401),
    {"level": "info", "ts": NEW_YEAR, "msg": "serving initial configuration"},
]


def caddys() -> str:
    return "not JSON\n" + "\n".join(map(json.dumps, LINES))


def googles() -> str:
    return json.dumps([{"timestamp": "x", "jsonPayload": one} for one in LINES])


@pytest.mark.parametrize("text", [caddys(), googles()], ids=["Caddy's lines", "Google's list"])
def test_requests_are_summed_by_day_and_key(text: str) -> None:
    assert summed(requests(entries(text))) == [
        Used("2025-12-31", "(no key)", 0, 1, 0, 0.002, 0.025),
        Used("2025-12-31", "robot", 1, 1, 0, 0.004, 0.05, relayed=1),
        Used("2026-01-01", "robot", 0, 0, 1, 0.002, 0.025),
    ]


def test_a_line_of_an_older_gateway_has_caddys_own_duration() -> None:
    older = {**line("robot", 200), "duration": 3.0}
    del older["arrived_ms"]
    [asked] = requests([older])
    assert asked.seconds == 3.0


def test_a_log_is_read_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(caddys())
    from_file = runner.invoke(app, ["usage", str(file), "--json"])
    piped = runner.invoke(app, ["usage", "-", "--json"], input=googles())
    assert json.loads(from_file.output) == json.loads(piped.output)
    assert len(json.loads(piped.output)["requests"]) == 3
    assert "2026-01-01" in runner.invoke(app, ["usage", str(file)]).output


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"request_id": 1, "status": "x"}', "has no 'ts'"),
        ("[1]", "is not in its form"),
        ("{broken", "is not in its form"),
    ],
)
def test_what_is_no_log_is_told_with_where_one_is(text: str, what: str) -> None:
    done = runner.invoke(app, ["usage", "-"], input=text)
    assert done.exit_code == 1
    assert f"This is no log of the gateway: an entry {what}. Give it the lines" in done.output
    assert "`gcloud logging read … --format=json`" in done.output


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = runner.invoke(app, ["usage", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "cannot be read: No such file" in done.output


def test_a_log_of_others_is_shown_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text(json.dumps(line("[/bold] [robot]", 200)))
    shown = runner.invoke(app, ["usage", str(file)])
    assert shown.exit_code == 0, shown.exception
    assert "[/bold] [robot]" in shown.output
