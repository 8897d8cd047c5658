"""What Cloud Monitoring says of the gateway's instances, as its pages document it."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doctor.google_side import minutes
from doctor.observations import NotSeen
from tests.doctor.test_sides import tool
from tests.support.google.interface import misfits
from tests.support.http_server import Handler, serving

NOW = datetime(2026, 11, 3, 12, 0, 30, tzinfo=UTC)
# https://cloud.google.com/monitoring/api/ref_v3/rest/v3/TimeSeries
ANSWER: dict[str, Any] = {
    "timeSeries": [
        {
            "metric": {"type": "run.googleapis.com/container/billable_instance_time"},
            "metricKind": "DELTA",
            "valueType": "DOUBLE",
            "points": [
                {
                    "interval": {
                        "startTime": "2026-11-01T00:00:00Z",
                        "endTime": "2026-11-03T12:00:30Z",
                    },
                    "value": {"doubleValue": 5430.0},
                }
            ],
        }
    ],
    "unit": "s",
}


@dataclass
class Google:
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: ANSWER)
    path: str = ""
    token: str = ""
    url: str = ""


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Google]:
    monkeypatch.setenv("PATH", str(tmp_path))
    tool(tmp_path, "gcloud", '[ "$*" = "auth print-access-token" ] && echo ya29.secret')
    it = Google()

    class Monitoring(Handler):
        def do_GET(self) -> None:  # noqa: N802
            it.path, it.token = self.path, self.headers["Authorization"]
            self.whole(it.status, json.dumps(it.answer).encode())

    with serving(Monitoring) as port:
        it.url = f"http://127.0.0.1:{port}"
        yield it


def asked(google: Google) -> float | NotSeen:
    return minutes("home-gateway", "my-project", "asia-northeast3", NOW, google.url)


def test_the_seconds_of_this_month_become_minutes(google: Google) -> None:
    assert asked(google) == 90.5
    assert google.token == "Bearer ya29.secret"
    parts = urlsplit(google.path)
    assert parts.path == "/v3/projects/my-project/timeSeries"
    metric = 'metric.type="run.googleapis.com/container/billable_instance_time"'
    where = (
        'resource.labels.service_name="home-gateway" AND resource.labels.location="asia-northeast3"'
    )
    assert parse_qs(parts.query) == {
        "filter": [f"{metric} AND {where}"],
        "interval.startTime": ["2026-11-01T00:00:00Z"],
        "interval.endTime": ["2026-11-03T12:00:30Z"],
        "aggregation.alignmentPeriod": ["216030s"],
        "aggregation.perSeriesAligner": ["ALIGN_DELTA"],
        "aggregation.crossSeriesReducer": ["REDUCE_SUM"],
    }


def test_google_could_give_this_answer() -> None:
    assert misfits("monitoring", "ListTimeSeriesResponse", ANSWER, sent=False) == []


def test_a_month_without_an_instance_has_no_minutes(google: Google) -> None:
    google.answer = {"unit": "s"}
    assert asked(google) == 0


def test_a_refusal_is_told_and_no_fault(google: Google) -> None:
    google.status = 403
    assert asked(google) == NotSeen(why="Cloud Monitoring answers 403")


def test_no_way_to_google_is_told(google: Google, tmp_path: Path) -> None:
    google.url = "http://127.0.0.1:1"
    unreached = asked(google)
    assert isinstance(unreached, NotSeen)
    assert unreached.why.startswith("Cloud Monitoring was not reached: ")

    tool(tmp_path, "gcloud", "echo 'ERROR: no active account' >&2; exit 1")
    assert asked(google) == NotSeen(why="gcloud: ERROR: no active account")
