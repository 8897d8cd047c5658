"""`hub home install` and `uninstall` on a server that is a folder with stand-ins."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from hub.cli import app
from hub.home.facts import Facts, look
from hub.home.machine import HomeError
from hub.home.steps import TAILSCALES, Step, recorded, steps
from hub.home.undo import undoing
from tests.support.home_facts import facts
from tests.support.home_server import Server, fresh_server, install, server, uninstall
from tests.support.home_server import installation as installation_of

__all__ = ["server"]

ADDRESS = "100.101.102.103"


def write(server: Server, path: str, text: str) -> None:
    file = server.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def tailscale_status(
    server: Server,
    hostname: str,
    tags: list[str],
    state: str = "Running",
    control_server: str = TAILSCALES,
) -> None:
    """A server on which Tailscale has been installed by somebody."""
    own = {
        "HostName": hostname,
        "DNSName": f"{hostname}.tail1234.ts.net.",
        "Tags": tags or None,
        "TailscaleIPs": [ADDRESS],
    }
    write(server, "state/tailscale", json.dumps({"BackendState": state, "Self": own}))
    prefs = {"LoggedOut": state == "NeedsLogin", "ControlURL": control_server}
    write(server, "state/tailscale-prefs", json.dumps(prefs))
    write(server, "state/packages/tailscale", "")
    standin = server.root / "standin/any"
    (server.root / "usr/local/bin/tailscale").write_text(standin.read_text())
    (server.root / "usr/local/bin/tailscale").chmod(0o755)


def test_a_fresh_server_is_set_up_in_the_order_that_matters(server: Server) -> None:
    install(server)
    assert server.changes() == installation_of("ubuntu", "noble")


def test_k3s_has_its_whole_configuration_before_its_first_start(server: Server) -> None:
    install(server)
    first = yaml.safe_load((server.root / "var/lib/rancher/k3s/first-start").read_text())
    assert first == {
        "node-name": "home",
        "node-ip": ADDRESS,
        "tls-san": [ADDRESS, "home", "home.tail1234.ts.net"],
        "kube-proxy-arg": ["nodeport-addresses=100.64.0.0/10"],
        "secrets-encryption": True,
        "write-kubeconfig-mode": "0600",
    }


def test_a_second_installation_changes_nothing(installation: list[Server], tmp_path: Path) -> None:
    server = installation[-1].copy(tmp_path / "again")
    server.live_on()
    install(server)
    assert server.changes() == []


def test_what_was_there_is_put_back(server: Server) -> None:
    """K3s' configuration and data of an earlier life, own package lists, a masked target, curl."""
    write(server, "etc/rancher/k3s/config.yaml", "node-name: box\n# no line end")
    (server.root / "etc/rancher/k3s/config.yaml").chmod(0o600)
    write(server, "etc/apt/sources.list.d/tailscale.list", "deb https://mirror.invalid x main\n")
    write(server, "state/masked/suspend.target", "")
    write(server, "state/packages/curl", "")
    write(server, "etc/rancher/node/password", "their own")
    write(server, "etc/nvidia-container-runtime/config.toml", "their own")
    write(server, "var/lib/rancher/backup", "their own")
    before = server.tree()
    install(server)
    assert "node-name: home" in (server.root / "etc/rancher/k3s/config.yaml").read_text()
    uninstall(server)
    assert server.tree() == before


Next = Callable[[Facts], list[Step]]


def to_do(facts: Facts) -> list[Step]:
    return [replace(step, script=recorded(step)) for step in steps(facts)]


def run_next(server: Server, left: Next) -> bool:
    """The first step that is left; whether it succeeded."""
    machine = server.machine()
    return machine.show(left(look(machine))[0].script)


def stages(first: Server, folder: Path, left: Next) -> list[Server]:
    """Copies of a server before each of its steps, and after the last one."""
    copies = [first]
    while left(look(copies[-1].machine())):
        copies.append(copies[-1].copy(folder / f"{left.__name__}-{len(copies)}"))
        copies[-1].live_on()
        assert run_next(copies[-1], left)
    return copies


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> list[Server]:
    folder = tmp_path_factory.mktemp("installation")
    return stages(fresh_server(folder / "server"), folder, to_do)


@pytest.fixture(scope="module")
def uninstallation(
    installation: list[Server], tmp_path_factory: pytest.TempPathFactory
) -> list[Server]:
    return stages(installation[-1], tmp_path_factory.mktemp("uninstallation"), undoing)


@pytest.mark.parametrize("number", range(11))
@pytest.mark.parametrize(("which", "left"), [("installation", to_do), ("uninstallation", undoing)])
def test_a_step_that_was_killed_anywhere_ends_like_one_that_was_not(
    number: int, which: str, left: Next, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Before each change that it makes, and after the last; its notes are compared, too."""
    begin, end = request.getfixturevalue(which)[number : number + 2]
    moments = [(at, False) for at in range(1, end.moments + 1)]
    for at, late in [*moments, *((at, True) for at, _ in moments[-1:])]:
        killed = begin.copy(tmp_path / f"{at}-{late}")
        killed.die_at(at, late=late)
        assert not run_next(killed, left)
        killed.live_on()
        if killed.tree() != end.tree():
            assert run_next(killed, left)
        assert killed.tree() == end.tree()


def test_an_installation_has_as_many_steps_as_are_killed_above(
    installation: list[Server], uninstallation: list[Server]
) -> None:
    assert (len(installation), len(uninstallation)) == (12, 12)
    assert uninstallation[-1].tree() == installation[0].tree()


@pytest.mark.parametrize(
    ("changed", "left_behind"),
    [
        ("sync /etc/rancher/k3s/config.yaml.new", "etc/rancher/k3s/config.yaml.new"),
        ("k3s is placed", "usr/local/bin/k3s"),
        ("k3s installs v1.36.4+k3s1", "run/k3s-install.sh"),
        (
            "k3s kubectl wait --for=condition=Ready node/home --timeout=60s",
            "usr/local/bin/k3s-uninstall.sh",
        ),
    ],
    ids=["a file", "K3s without its uninstaller", "K3s' installer", "K3s"],
)
def test_an_installation_that_was_killed_half_way_can_be_undone_at_once(
    changed: str, left_behind: str, server: Server
) -> None:
    before = server.tree()
    server.die_at(changed, late=False)
    with pytest.raises(HomeError):
        install(server)
    assert list(server.root.glob(left_behind))
    server.live_on()
    uninstall(server)
    assert server.tree() == before


def test_a_machine_that_is_logged_in_as_a_person_joins_anew_and_gets_its_name_back(
    server: Server,
) -> None:
    tailscale_status(server, "gaming-pc", [])
    before = server.tree()
    install(server)
    [joining] = [change for change in server.changes() if change.startswith("tailscale up")]
    assert joining == (
        "tailscale up --hostname=home --advertise-tags=tag:llm-home --timeout=600s "
        "--login-server=https://controlplane.tailscale.com --force-reauth"
    )
    server.live_on()
    uninstall(server)
    assert (
        "tailscale up --force-reauth --hostname=gaming-pc --advertise-tags= "
        "--login-server=https://controlplane.tailscale.com --timeout=600s" in server.changes()
    )
    after = server.tree()
    own = json.loads(after.pop("state/tailscale").partition(" ")[2])["Self"]
    assert (own["HostName"], own["Tags"]) == ("gaming-pc", None)
    before.pop("state/tailscale")
    assert after == before


def test_a_machine_that_has_the_tag_under_another_name_is_only_renamed(server: Server) -> None:
    tailscale_status(server, "box", ["tag:llm-home"])
    before = server.tree()
    install(server)
    uninstall(server)
    assert [c for c in server.changes() if c.startswith("tailscale")] == [
        "tailscale set --hostname=home",
        "tailscale set --hostname=box",
    ]
    assert server.tree() == before


@pytest.mark.parametrize("control_url", [None, "https://headscale.example"])
@pytest.mark.parametrize("state", ["Running", "Stopped"])
@pytest.mark.parametrize("theirs", [TAILSCALES, "https://other.example"])
def test_who_was_logged_in_elsewhere_or_switched_off_is_so_again(
    server: Server, theirs: str, state: str, control_url: str | None
) -> None:
    tailscale_status(server, "gaming-pc", [], state, theirs)
    install(server, control_url)
    uninstall(server)
    node = json.loads((server.root / "state/tailscale").read_text())
    assert (node["BackendState"], node["Self"]["HostName"]) == (state, "gaming-pc")
    prefs = json.loads((server.root / "state/tailscale-prefs").read_text())
    assert prefs["ControlURL"] == theirs


@pytest.mark.parametrize("active", [True, False])
def test_k3s_that_runs_is_restarted_for_what_it_reads_when_it_starts(*, active: bool) -> None:
    """One that does not run may have no unit, and systemd refuses to restart that."""
    found = facts(k3s_active=active, packages=frozenset({"curl", "ethtool", "tailscale"}))
    older = {path: replace(file, content="older") for path, file in found.files.items()}
    found = replace(found, files=older)
    restarting = [
        step.name for step in steps(found) if "systemctl restart k3s.service" in step.script
    ]
    assert restarting == (["nvidia-toolkit", "k3s-config", "k3s-order"] if active else [])
    assert not [step.name for step in steps(found) if "try-restart" in step.script]


def test_headscale_is_named_when_joining(server: Server) -> None:
    install(server, "https://headscale.example")
    [up] = [change for change in server.changes() if change.startswith("tailscale up")]
    assert up.endswith("--login-server=https://headscale.example")


def test_a_step_without_effect_is_told_and_not_repeated(server: Server) -> None:
    (server.root / "standin/ethtool").unlink()
    (server.root / "standin/ethtool").write_text("#!/bin/sh\nprintf 'Supports Wake-on: g\\n'\n")
    (server.root / "standin/ethtool").chmod(0o755)
    told = "the server does not show it: Let a magic packet .* `hub home check` shows the server"
    with pytest.raises(HomeError, match=told):
        install(server)


Run = Callable[..., str]


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, whose server is the folder."""

    server.stands_for_each_host(monkeypatch)

    def run(*arguments: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, ["home", *arguments])
        assert done.exit_code == exit_code, done.output
        return done.stdout if exit_code == 0 else done.output

    return run


def test_a_dry_run_shows_the_steps_and_the_files_and_changes_nothing(
    server: Server, hub: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    write(server, "etc/rancher/k3s/config.yaml", "node-name: box\n")
    before = server.tree()
    done = CliRunner().invoke(app, ["home", "install", "--dry-run"])
    assert server.tree() == before
    shown = done.stderr
    assert [line[:4] for line in shown.splitlines() if line[:4].strip(" .").isdigit()] == [
        f"{number:3}." for number in range(1, 12)
    ]
    assert "-node-name: box" in shown
    assert "+node-name: home" in shown
    assert "+node-ip: 100.x.y.z" in shown
    assert "+ExecStart=/usr/sbin/ethtool -s enp5s0 wol g" in shown
    assert done.stdout == ""


def test_nothing_is_done_without_a_yes(server: Server, hub: Run) -> None:
    before = server.tree()
    done = CliRunner().invoke(app, ["home", "install"], input="n\n")
    assert done.exit_code == 1
    assert server.tree() == before


def test_the_result_is_a_kubeconfig_with_the_stacks_lines_below_it(hub: Run) -> None:
    shown = hub("install", "--yes")
    data = "Y2VydGlmaWNhdGU="
    assert yaml.safe_load(shown) == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "home",
                "cluster": {
                    "server": f"https://{ADDRESS}:6443",
                    "certificate-authority-data": data,
                },
            }
        ],
        "contexts": [{"name": "home", "context": {"cluster": "home", "user": "home"}}],
        "current-context": "home",
        "users": [
            {"name": "home", "user": {"client-certificate-data": data, "client-key-data": "a2V5"}}
        ],
    }
    lines = "\n".join(line[1:] for line in shown.splitlines() if line.startswith("#     "))
    assert yaml.safe_load(lines) == {
        "home": {"host": "home", "kubeContext": "home", "tailnetOnly": True}
    }
    assert hub("install") == shown, "a server that is set up shows it again"
