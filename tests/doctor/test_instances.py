from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from doctor import twin_side
from doctor.instances import Day, Life, by_day, by_month, lives, still_running
from hub.cli import app
from tests.support.google.interface import misfits
from twin.paths import TwinPaths

runner = CliRunner()
SEOUL, IOWA = "asia-northeast3", "us-central1"


def entry(instance: str, at: str, region: str = IOWA, **more: Any) -> dict[str, Any]:
    return {
        "timestamp": at,
        "labels": {"instanceId": instance},
        "resource": {"labels": {"location": region}},
        **more,
    }


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # pyright: ignore[reportArgumentType]


def test_google_could_log_an_entry_like_this() -> None:
    logged = entry("b", "2026-01-02T10:00:00.123456789Z", textPayload="Starting new instance.")
    assert misfits("logging", "LogEntry", logged, sent=False) == []


def test_an_instance_lives_from_its_first_line_to_its_last_in_any_order() -> None:
    logged = [
        entry("b", "2026-01-02T10:00:00.123456789Z", SEOUL),
        entry("a", "2026-01-01T10:15:00Z"),
        {"severity": "INFO", "timestamp": "2025-01-01T00:00:00Z"},
        entry("a", "2026-01-01T10:00:00Z"),
        entry("a", "2026-01-01T10:05:00Z"),
    ]
    second = utc(2026, 1, 2, 10, 0, 0, 123456)
    assert lives(logged) == [
        Life("a", IOWA, utc(2026, 1, 1, 10), utc(2026, 1, 1, 10, 15)),
        Life("b", SEOUL, second, second),
    ]


def test_an_instance_that_runs_has_not_ended_with_its_last_line() -> None:
    ended = Life("a", IOWA, utc(2026, 1, 1, 10), utc(2026, 1, 1, 11))
    runs = Life("b", IOWA, utc(2026, 1, 1, 12), utc(2026, 1, 1, 12))
    now = utc(2026, 1, 1, 12, 30)
    assert still_running([ended, runs], {"b"}, now) == [ended, Life("b", IOWA, runs.begun, now)]


def test_a_night_counts_for_each_of_its_days_and_one_start() -> None:
    through = Life("a", IOWA, utc(2025, 12, 31, 23, 50), utc(2026, 1, 2, 0, 10))
    short = Life("b", IOWA, utc(2026, 1, 2, 8), utc(2026, 1, 2, 8, 5))
    abroad = Life("c", SEOUL, utc(2026, 1, 2, 8), utc(2026, 1, 2, 8, 5))
    days = by_day([through, short, abroad])
    assert days == [
        Day("2025-12-31", IOWA, 1, 10),
        Day("2026-01-01", IOWA, 0, 1440),
        Day("2026-01-02", SEOUL, 1, 5),
        Day("2026-01-02", IOWA, 1, 15),
    ]
    months = by_month(days)
    assert [(one.month, one.region, one.minutes) for one in months] == [
        ("2025-12", IOWA, 10),
        ("2026-01", SEOUL, 5),
        ("2026-01", IOWA, 1455),
    ]


def test_a_month_tells_what_was_taken_of_the_free_tiers() -> None:
    [month] = by_month([Day("2026-01-01", IOWA, 1, 1000), Day("2026-01-31", IOWA, 1, 2000)])
    # 180,000 s of 2 vCPU and 1 GiB; 120,000 vCPU-seconds are above the 240,000 that are free.
    assert month.free_cpu == pytest.approx(1.5)
    assert month.free_memory == pytest.approx(0.4)
    assert month.tailnet == pytest.approx(3)
    assert month.usd == pytest.approx(120_000 * 0.000018)


def test_the_tables_of_a_log_of_googles() -> None:
    log = [
        entry("a", f"2026-01-01T{time}Z", jsonPayload={"msg": "x"})
        for time in ("10:00:00", "18:20:00")
    ]
    shown = runner.invoke(app, ["usage", "-"], input=json.dumps(log)).output
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "2026-01-01 us-central1 1 500.0" in lines
    assert "2026-01 us-central1 500.0 25.0% 6.7% 50.0% $0.00" in lines
    told = " ".join(lines)
    assert "240,000 vCPU-seconds and 450,000 GiB-seconds of Cloud Run, 1,000 minutes" in told


def test_the_twins_instances_are_read_from_its_system_log_and_one_that_runs_until_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_STATE", str(tmp_path))
    logs = tmp_path / "logs" / "run"
    logs.mkdir(parents=True)
    begun = datetime.now(UTC).isoformat()
    written = [
        entry("a", "2026-01-01T10:00:00+00:00", SEOUL),
        entry("a", "2026-01-01T10:02:00+00:00", SEOUL),
        entry("b", begun, SEOUL),
    ]
    (logs / "home-gateway-system.log").write_text("".join(f"{json.dumps(e)}\n" for e in written))
    (logs / "home-gateway-caddy.log").write_text("")

    def services(_paths: object) -> list[dict[str, Any]]:
        return [{"instances": [{"id": "b"}]}]

    monkeypatch.setattr(twin_side.system, "services", services)
    first, *today = json.loads(runner.invoke(app, ["usage", "--json"]).output)["instances"]
    assert first == {"day": "2026-01-01", "region": SEOUL, "starts": 1, "minutes": 2.0}
    assert sum(day["minutes"] for day in today) > 0

    paths, now = TwinPaths(tmp_path), datetime.now(UTC)
    this_month = sum(day["minutes"] for day in today)
    assert twin_side.minutes(paths, now) == pytest.approx(this_month, abs=0.5)
    assert twin_side.minutes(paths, datetime(2026, 1, 31, tzinfo=UTC)) == 2


def test_an_entry_without_its_place_is_no_log_of_the_gateway() -> None:
    log = [{"labels": {"instanceId": "a"}, "timestamp": "2026-01-01T10:00:00Z"}]
    done = runner.invoke(app, ["usage", "-"], input=json.dumps(log))
    assert done.exit_code == 1
    assert "This is no log of the gateway" in done.output
