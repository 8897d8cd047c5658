"""All sides are looked at beside each other, so that the doctor needs half a minute at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from doctor import evidence, examination, google_side, questions
from doctor.examination import examine
from doctor.hops import Hop
from doctor.observations import NotSeen, Service, Tailnet
from doctor.patient import Patient, of_stack
from infra.config import Settings
from tests.support.http_server import Handler, serving

SETTINGS = Settings.model_validate(
    yaml.safe_load(Path("Pulumi.twin.yaml").read_text())["config"]["personal-cloud-hub:settings"]
)
PATIENCE = 20
NOT_SEEN = NotSeen(why="a test")


def test_the_first_request_and_the_slowest_look_take_half_a_minute_together() -> None:
    assert questions.START_SECONDS + google_side.ANSWER_SECONDS <= 30
    assert examination.REQUESTS_SECONDS + 1 < examination.ALL_SECONDS < 30


def test_the_cloud_and_the_tailnet_are_looked_at_while_requests_are_answered() -> None:
    began = {name: threading.Event() for name in ("service", "tailnet")}
    asked: list[str] = []

    class Gateway(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
            asked.append(self.path)
            if self.path == "/v1/models":
                assert all(one.wait(PATIENCE) for one in began.values())
                self.whole(503, b"{}", {"X-Request-Id": "1"})
            else:
                self.whole(200, b"{}", {"X-Request-Id": "1"})

    def service(_: bool) -> Service:
        assert asked[0] == "/health"
        began["service"].set()
        return Service(deployed=True)

    def tailnet() -> Tailnet:
        began["tailnet"].set()
        return Tailnet(nodes=())

    told: dict[Hop, str] = {}

    def hear(texts: Mapping[Hop, str]) -> None:
        told.update(texts)

    with serving(Gateway) as port:
        patient = replace(nobody_looks_at(port), service=service, tailnet=tailnet)
        seen = examine(patient, told=hear)
    assert seen.requests.models is not None
    assert seen.requests.models.status == 503
    assert seen.service == Service(deployed=True)
    assert {"cloud run", "tailnet", "kubernetes"} == set(seen.seconds)
    assert told == {
        "gateway": evidence.answered(seen.requests.health),
        "api key": evidence.answered(seen.requests.models),
        "kubernetes": "a test",
        "tailnet": "online: nobody",
        "cloud run": ", 0 instance(s)",
    }


def test_a_side_that_does_not_answer_in_time_was_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "ALL_SECONDS", 0.5)
    for_ever = threading.Event()

    def silent() -> NotSeen:
        for_ever.wait(PATIENCE)
        return NOT_SEEN

    with serving(Refusing) as port:
        begun = time.monotonic()
        seen = examine(replace(nobody_looks_at(port), tailnet=silent))
        assert time.monotonic() - begun < 5
    for_ever.set()
    assert seen.tailnet == NotSeen(why="no answer in 0.5 s")


class Refusing(Handler):
    def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
        self.whole(503, b"{}", {"X-Request-Id": "1"})


def nobody_looks_at(port: int) -> Patient:
    """A deployment of which nothing but its address can be asked."""

    def not_seen(*_: object) -> NotSeen:
        return NOT_SEEN

    return replace(
        of_stack("dev", f"http://127.0.0.1:{port}", "k", SETTINGS, NOT_SEEN),
        service=not_seen,
        tailnet=not_seen,
        cluster=not_seen,
        minutes=not_seen,
        kubeconfig_expires=lambda: None,
    )
