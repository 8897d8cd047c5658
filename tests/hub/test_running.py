"""What `hub down` says of what is left, with a control server that says one thing."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from hub.cli import app

HOME = {"given_name": "home", "pre_auth_key": {"id": 1}}
KILLED = {"given_name": "home-gateway", "pre_auth_key": {"ephemeral": True}}
STRAY = {"given_name": "laptop", "pre_auth_key": None}


@pytest.mark.parametrize(
    ("nodes", "code", "told"),
    [
        ([HOME], 0, "no auth key, no gateway node. Home still runs"),
        ([HOME, KILLED], 0, "still the node home-gateway, which headscale removes 2 minutes after"),
        (None, 0, "the tailnet's nodes were not seen, because headscale does not answer"),
        ([HOME, KILLED, STRAY], 1, "Left behind: tailnet nodes ['laptop']"),
    ],
)
def test_down_tells_what_is_left_in_the_tailnet_and_fails_only_for_what_stays(
    monkeypatch: pytest.MonkeyPatch, nodes: Any, code: int, told: str
) -> None:
    running = "hub.running."
    engine = Mock(has_resources=Mock(return_value=False))
    monkeypatch.setattr(running + "Engine.of_running_twin", Mock(return_value=engine))
    monkeypatch.setattr(running + "lifecycle.Twin", Mock())
    monkeypatch.setattr(running + "lifecycle.locked", Mock(return_value=nullcontext()))
    monkeypatch.setattr(running + "system.services", Mock(return_value=[]))
    monkeypatch.setattr(running + "tailnet.nodes", Mock(return_value=nodes))
    done = CliRunner().invoke(app, ["down"])
    assert told in done.output
    assert done.exit_code == code
