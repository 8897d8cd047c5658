from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from twin.errors import TwinError
from twin.paths import TwinPaths
from twin.settings import TwinSettings


def test_ports_have_defaults_and_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_GATEWAY_PORT", "18080")
    settings = TwinSettings.from_environment()
    assert settings.gateway_url == "http://127.0.0.1:18080"
    assert settings.client_url == "http://127.0.0.1:8501"
    assert settings.provider_ports == {
        "kubernetes": 7731,
        "gcp": 7732,
        "tailscale": 7733,
        "random": 7734,
    }


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1"])
def test_what_is_no_port_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("HUB_CLIENT_PORT", text)
    with pytest.raises(TwinError, match=r"HUB_CLIENT_PORT is .* from 1 to 65535"):
        TwinSettings.from_environment()


def test_an_instance_rests_after_a_quarter_of_an_hour_or_as_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert TwinSettings.from_environment().idle_seconds == 900
    monkeypatch.setenv("HUB_IDLE_SECONDS", "20")
    assert TwinSettings.from_environment().idle_seconds == 20


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "soon"])
def test_an_idle_time_that_is_no_number_of_seconds_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("HUB_IDLE_SECONDS", text)
    with pytest.raises(TwinError, match=r"HUB_IDLE_SECONDS is .* whole number of seconds"):
        TwinSettings.from_environment()


def test_an_unknown_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_NETWORK", "bridge")
    with pytest.raises(TwinError, match=r"HUB_NETWORK is 'bridge'"):
        TwinSettings.from_environment()


def test_a_taken_port_is_named_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("HUB_GATEWAY_PORT", str(port))
        with pytest.raises(TwinError, match=rf"HUB_GATEWAY_PORT={port}[\s\S]*make up"):
            TwinSettings.from_environment().refuse_taken_ports()


def test_a_running_twin_keeps_the_settings_it_was_started_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = TwinPaths(tmp_path)
    monkeypatch.setenv("HUB_GATEWAY_PORT", "18080")
    TwinSettings.from_environment().keep(paths)
    monkeypatch.delenv("HUB_GATEWAY_PORT")
    assert TwinSettings.of_running_twin(paths).gateway_port == 18080


def test_a_twin_that_an_older_version_started_has_the_default_idle_time(tmp_path: Path) -> None:
    paths = TwinPaths(tmp_path)
    TwinSettings.from_environment().keep(paths)
    kept = json.loads((tmp_path / "twin.json").read_text())
    del kept["idle_seconds"]
    (tmp_path / "twin.json").write_text(json.dumps(kept))
    assert TwinSettings.of_running_twin(paths).idle_seconds == 900


def test_without_a_twin_the_message_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="make up"):
        TwinSettings.of_running_twin(TwinPaths(tmp_path))
