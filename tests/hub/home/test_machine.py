"""The root shell: who runs it, over what, and what goes into it."""

from __future__ import annotations

import fcntl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub.home import machine as module
from hub.home.machine import HomeError, machine, ssh
from tests.support.home_server import Server, server
from tests.support.waiting import until

__all__ = ["server"]

PASSWORD = "correct horse; touch stolen"
SSH = """#!/bin/sh
# What OpenSSH does: the last argument is a command for a shell of the other machine.
for last; do :; done
[ ! -e {folder}/unreachable ] || { echo "ssh: no route to host" >&2; exit 255; }
cd {folder}
export SSH_CONNECTION="100.90.1.2 50022 192.168.0.7 22"
exec sh -c "$last"
"""
SUDO = """#!/bin/sh
# What sudo does: -n never asks, -S reads a line of the input; SSH_CONNECTION is not kept.
if [ "$1" = -n ]; then
	[ ! -e {folder}/asks ] || { echo "sudo: a password is required" >&2; exit 1; }
	shift
else
	[ "$1 $2 $3" = "-k -S -p" ] || exit 64
	IFS= read -r given
	[ "$given" = "{password}" ] || { echo "sudo: 1 incorrect password attempt" >&2; exit 1; }
	shift 4
fi
unset SSH_CONNECTION
AS=root exec "$@"
"""
ID = "#!/bin/sh\ncat {folder}/uid\n"


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an ordinary user's machine, here or at the other end of SSH."""
    for name, text in {"ssh": SSH, "sudo": SUDO, "id": ID}.items():
        filled = text.replace("{folder}", str(tmp_path)).replace("{password}", PASSWORD)
        (tmp_path / name).write_text(filled)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "uid").write_text("1000\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.setattr(module, "getpass", lambda prompt: PASSWORD)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    return tmp_path


WHO = 'echo "${AS:-nobody} ${SSH_CONNECTION:-from here}"'
FROM_AFAR = "root 100.90.1.2 50022 192.168.0.7 22\n"


def test_over_ssh_the_script_is_roots_and_knows_where_it_came_from(other: Path) -> None:
    assert machine("me@home").read(WHO) == FROM_AFAR


def test_on_the_server_itself_there_is_no_ssh(other: Path) -> None:
    assert machine(None).read(WHO) == "root from here\n"


@pytest.mark.parametrize("host", [None, "me@home"])
def test_where_sudo_asks_for_a_password_it_gets_one_and_the_shell_does_not(
    host: str | None, other: Path
) -> None:
    (other / "asks").touch()
    server = machine(host)
    assert server.read(WHO).startswith("root ")
    assert not list(other.glob("stolen"))
    assert PASSWORD not in repr(server)


def test_a_wrong_password_is_told(other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (other / "asks").touch()
    monkeypatch.setattr(module, "getpass", lambda prompt: "wrong")  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(HomeError, match="sudo refused: sudo: 1 incorrect password attempt"):
        machine("me@home")


def test_root_needs_no_sudo(other: Path) -> None:
    (other / "uid").write_text("0\n")
    (other / "sudo").unlink()
    assert machine("root@home").read(WHO) == FROM_AFAR.replace("root", "nobody")


def test_a_server_that_is_not_reached_is_told(
    other: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (other / "unreachable").touch()
    with pytest.raises(HomeError, match="me@home is not reached over SSH"):
        machine("me@home")
    assert "no route to host" in capfd.readouterr().err


def test_a_command_that_reads_its_input_does_not_eat_the_rest_of_the_script(other: Path) -> None:
    assert machine(None).read("cat\necho after") == "after\n"


def test_a_script_ends_at_its_first_error_with_what_it_said(other: Path) -> None:
    with pytest.raises(HomeError, match="The home server refused: no such disk"):
        machine(None).read("echo 'no such disk' >&2\nfalse\necho after")


def test_what_a_step_prints_is_not_the_result_of_the_command(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    assert server.machine().show("echo to the reader")
    assert capfd.readouterr() == ("", "to the reader\n")


def test_a_change_waits_for_the_one_that_is_still_at_work(
    server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = server.root / "run/lock/personal-cloud-hub"
    with lock.open("w") as held, ThreadPoolExecutor(1) as beside:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = beside.submit(server.machine().show, "echo second")
        shown: list[str] = []

        def waits() -> bool:
            shown.append(capfd.readouterr().err)
            return "still at work; waiting for it" in "".join(shown)

        until(waits)
        assert not second.done()
        fcntl.flock(held, fcntl.LOCK_UN)
        assert second.result()
    assert capfd.readouterr().err == "second\n"


def test_the_connections_socket_has_room_below_a_long_home_folder_and_is_one_for_a_host() -> None:
    [path] = [word for word in ssh("me@home") if word.startswith("ControlPath=")]
    name = path.removeprefix("ControlPath=~")
    # sun_path has 108 bytes with its last zero; ssh binds to a name of its own first.
    assert len(f"/home/{'x' * 59}{name}.0123456789abcdef") <= 107
    assert path in ssh("me@home")
    assert path not in ssh("you@home")
