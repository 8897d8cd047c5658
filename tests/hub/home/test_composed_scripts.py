"""Each script as the server is sent it: composed of several files and values."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.home import commands
from hub.home.machine import Machine
from tests.support.home_server import Server, server
from tests.support.kubectl import complaint
from tests.support.shellcheck import findings

__all__ = ["server"]
AS_COMPOSED = "SC2329"
"""`fact` calls what it is given, so a function can look as if nobody called it."""
KEPT = 'tee "$(mktemp "$0/XXXXXX")" | "$@"'


@pytest.fixture
def sent(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with each script that a `hub home` command sends to the server."""
    folder = tmp_path / "sent"
    folder.mkdir()

    def machine(host: str | None) -> Machine:
        return Machine(("sh", "-c", KEPT, str(folder), *server.machine().shell))

    monkeypatch.setattr(commands, "machine", machine)
    return folder


def test_shellcheck_and_kubectl_take_each_script_as_it_is_sent(
    sent: Path, server: Server, tmp_path: Path
) -> None:
    cluster = server.root / "state/cluster"
    cluster.mkdir()
    for name in ("node", "pods", "model", "slices", "ingress", "log", "entry", "certificate"):
        (cluster / name).write_text("")
    (server.root / "state/gpu-memory").write_text("24200, 24576\n")
    for command in (
        "install --yes --control-url https://headscale.example",
        "check",
        "stop --power-off",
        "start",
        "free",
        "take",
        "waker --mac 04:42:1a:00:00:01 --yes",
        "waker --remove --yes",
        "uninstall --yes",
    ):
        CliRunner().invoke(app, ["home", *command.split()])
    scripts = {file.read_text() for file in sent.iterdir()}
    text = "".join(scripts)
    for part in ("k3s-install.sh", "poweroff", "replicas=1", "home-waker", "rm -f /var/lib/pers"):
        assert part in text, part
    told = {script: findings(script, "sh", excluded=AS_COMPOSED) for script in scripts}
    assert {script: found for script, found in told.items() if found} == {}
    calls = {call.removeprefix("k3s kubectl ") for call in server.calls("k3s kubectl")}
    assert len(calls) > 10
    assert {call: why for call in calls if (why := complaint(call.split(), tmp_path))} == {}
