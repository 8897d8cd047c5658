"""What is told of the tailnet, by a control server that notes nothing and says one thing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from tests.twin.status.conftest import Parts
from twin.engine import Engine
from twin.parts.tailnet import KeyLife
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.status.tailnet import auth_key, tailnet

TODAY = date(2026, 3, 1)


def engine(folder: Path, headscale: str) -> Engine:
    program = folder / "headscale"
    program.write_text(f"#!/bin/sh\n{headscale}\n")
    program.chmod(0o755)
    path = f"{folder}:/usr/bin:/bin"
    return Engine(TwinPaths(folder), TwinSettings.from_environment(), path)


@pytest.mark.parametrize(
    ("headscale", "told"),
    [
        ("exit 1", "headscale does not answer"),
        ("case $3 in nodes) echo null;; *) exit 1;; esac", "headscale does not answer"),
    ],
)
def test_what_the_control_server_does_not_tell_is_not_seen(
    parts: Parts, tmp_path: Path, headscale: str, told: str
) -> None:
    [seen] = tailnet(engine(tmp_path, headscale), parts("headscale"), TODAY)
    assert (seen.what, seen.state) == ("control server", "down")
    assert seen.detail == f"{told}; nodes and auth key are not seen"


def test_a_control_server_that_is_stopped_is_not_asked(parts: Parts, tmp_path: Path) -> None:
    asked = f"touch {tmp_path}/asked"
    [seen] = tailnet(engine(tmp_path, asked), parts(headscale="stopped"), TODAY)
    assert seen.detail.startswith("headscale is stopped")
    assert seen.detail.endswith("nodes and auth key are not seen")
    assert not (tmp_path / "asked").exists()


def test_a_control_server_that_lists_nothing_has_been_seen(parts: Parts, tmp_path: Path) -> None:
    seen = tailnet(engine(tmp_path, "echo null"), parts("headscale"), TODAY)
    assert [(row.what, row.state, row.detail) for row in seen] == [
        ("nodes", "down", "the control server lists none"),
        ("auth key", "down", "there is none; `hub up` makes one"),
    ]


def test_a_node_is_down_while_it_is_offline_unless_it_goes_by_itself(
    parts: Parts, tmp_path: Path
) -> None:
    nodes = (
        '[{"given_name": "home", "online": true, "ip_addresses": ["100.64.0.1"], '
        '"tags": ["tag:llm-home"]}, {"given_name": "laptop"}, '
        '{"given_name": "home-gateway", "pre_auth_key": {"ephemeral": true}}]'
    )
    seen = tailnet(engine(tmp_path, f"echo '{nodes}'"), parts("headscale"), TODAY)
    assert [(row.what, row.state, row.detail.strip()) for row in seen[:3]] == [
        ("home", "ok", "100.64.0.1 tag:llm-home"),
        ("laptop", "down", ""),
        ("home-gateway", "idle", "; its instance was killed, headscale removes it"),
    ]


@pytest.mark.parametrize(
    ("days", "expires", "state", "detail"),
    [
        (90, date(2026, 4, 1), "ok", "expires on 2026-04-01, in 31 days"),
        (90, date(2026, 3, 15), "idle", "expires on 2026-03-15, in 14 days; `hub up` renews it"),
        (14, date(2026, 3, 15), "ok", "expires on 2026-03-15, in 14 days"),
        (14, date(2026, 3, 10), "idle", "expires on 2026-03-10, in 9 days; `hub up` renews it"),
        (
            90,
            date(2026, 2, 27),
            "down",
            "expired on 2026-02-27: the gateway cannot start; `hub up` renews it",
        ),
    ],
)
def test_it_is_told_when_the_auth_key_expires_and_of_an_up_only_where_it_renews_it(
    days: int, expires: date, state: str, detail: str
) -> None:
    row = auth_key(KeyLife(datetime.combine(expires, time(1), UTC), days), TODAY)
    assert (row.state, row.detail) == (state, detail)
