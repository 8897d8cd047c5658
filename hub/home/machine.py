"""A root shell on the home server: on this machine, or over SSH."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from getpass import getpass
from hashlib import sha256
from pathlib import Path

FILES = Path(__file__).parents[2] / "home"
"""What is run and placed on the server."""
# After Ctrl-C a command goes on at the other end of SSH: the next one waits for it.
_ONE_AT_A_TIME = """\
exec 9>>/run/lock/personal-cloud-hub
flock --nonblock 9 || {
	echo "Another hub home command is still at work; waiting for it."
	flock --timeout 600 9
}
"""
# In braces: the shell reads the script to its end before it begins, so a command in it that reads
# its input gets nothing instead of the script's rest.
_SCRIPT = """\
{{
set -eu
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
{script}
exit
}} </dev/null
"""


class HomeError(Exception):
    """What happened, why, and what to do next, in words fit to print."""


@dataclass(frozen=True)
class Machine:
    """Runs scripts as root."""

    shell: tuple[str, ...]
    """A command that runs the script in its input."""
    password: str = field(default="", repr=False)
    """Of sudo, a line before the script; empty where sudo asks for none."""

    def read(self, script: str) -> str:
        """What a script prints.

        Raises:
            HomeError: it fails, with what it wrote to stderr.
        """
        done = self._run(script, capture=True)
        if done.returncode != 0:
            raise HomeError(f"The home server refused: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def show(self, script: str) -> bool:
        """Run a script that changes something and whose output the reader sees as it comes.

        Returns whether it succeeded.
        """
        # A command's stdout is its result alone.
        return self._run(f"exec >&2\n{_ONE_AT_A_TIME}{script}", capture=False).returncode == 0

    def _run(self, script: str, *, capture: bool) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.shell,
            input=self.password + _SCRIPT.format(script=script),
            text=True,
            capture_output=capture,
            check=False,
        )


def ssh(host: str) -> tuple[str, ...]:
    """The command that runs what follows it on the host.

    All commands share one connection, so that a password, where SSH asks for one, is asked for
    once. A socket's path has 107 bytes at most, and ssh adds 17 of its own: OpenSSH's `%C`, of 40,
    would leave 40 for the folder of a user.
    """
    socket = f"~/.ssh/hub-{sha256(host.encode()).hexdigest()[:12]}"
    shared = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", f"ControlPath={socket}")
    return ("ssh", "-o", "ConnectTimeout=10", *shared, host)


def machine(host: str | None) -> Machine:
    """The server itself, or ``USER@HOST``; asks for sudo's password where it has to.

    Raises:
        HomeError: it is not reached, or sudo refuses.
    """
    over = ssh(host) if host else ()
    user = subprocess.run(_shell(over, "id -u"), stdout=subprocess.PIPE, text=True, check=False)
    if user.returncode != 0:
        raise HomeError(
            f"{host} is not reached over SSH; what ssh says above is the reason. "
            f"Try `ssh {host}` by itself."
        )
    if user.stdout.strip() == "0":
        return Machine(_shell(over, "sh -s"))
    # sudo drops SSH_CONNECTION, by which we know whether we came through the tailnet.
    kept = '"SSH_CONNECTION=$SSH_CONNECTION"' if host else "SSH_CONNECTION="
    as_root = f"env {kept} sh -s"
    if subprocess.run(_shell(over, "sudo -n true"), capture_output=True, check=False).returncode:
        password = getpass(f"Password of sudo on {host or 'this machine'}: ") + "\n"
        # -k: sudo reads the password in any case, so the shell never takes it for a command.
        sudo = "sudo -k -S -p ''"
        tried = subprocess.run(
            _shell(over, f"{sudo} true"),
            input=password,
            text=True,
            capture_output=True,
            check=False,
        )
        if tried.returncode != 0:
            raise HomeError(f"sudo refused: {tried.stderr.strip()}")
        return Machine(_shell(over, f"{sudo} {as_root}"), password)
    return Machine(_shell(over, f"sudo -n {as_root}"))


def _shell(over: tuple[str, ...], command: str) -> tuple[str, ...]:
    return (*over, command) if over else ("sh", "-c", command)


def script(name: str) -> str:
    """A script of the folder ``home/``."""
    return (FILES / name).read_text()
