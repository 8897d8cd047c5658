"""The home server's owner: a user of it whom sudo asks for a password, at a computer beside it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pexpect

from tests.support.booted_server import BootedServer
from tests.support.debian_server import PATH
from tests.support.own_tailnet import Tailnet

ROOT = Path(__file__).parents[2]
NAME, PASSWORD = "me", "of-the-owner"
CTRL_C = "\x03"
SECONDS = 300
"""For an installation on a busy machine."""
# ssh knows a user's folder from there alone, and the test's own user has one already.
_WITH_ANOTHER_HOME = 'mount --bind "$0" /etc/passwd && exec "$@"'


class Owner:
    """Types `hub home …` in a terminal, on a computer of the server's network."""

    def __init__(self, server: BootedServer, tailnet: Tailnet, folder: Path) -> None:
        """Once the server's administrator has made an account."""
        self._tailnet, self._folder = tailnet, folder
        self._host = f"{NAME}@{tailnet.network.address('home')}"
        keys = folder / ".ssh"
        keys.mkdir(mode=0o700, parents=True)
        (keys / "config").write_text("StrictHostKeyChecking accept-new\n")
        key = keys / "id_ed25519"
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
        public = key.with_suffix(".pub").read_text().strip()
        users = Path("/etc/passwd").read_text().splitlines()
        (folder / "passwd").write_text("\n".join(_with_home(user, folder) for user in users) + "\n")
        secure = PATH.replace(":", "\\:")
        server.asked(
            f"useradd --create-home --shell /bin/bash --groups sudo {NAME}\n"
            f"echo '{NAME}:{PASSWORD}' | chpasswd\n"
            f"install -d -m 700 -o {NAME} -g {NAME} /home/{NAME}/.ssh\n"
            f"echo '{public}' >/home/{NAME}/.ssh/authorized_keys\n"
            # The stand-ins are found by root, too.
            f"echo 'Defaults secure_path={secure}' >/etc/sudoers.d/standin\n"
        )

    def hub_home(self, *words: str, until: str = "") -> tuple[int, str]:
        """The exit code of `hub home WORDS --host …`, and what the terminal shows.

        The password is given when it is asked for, and whatever is to be agreed to is. Once the
        terminal shows ``until``, Ctrl-C is pressed.
        """
        line = (sys.executable, "-m", "hub.cli", "home", *words, "--host", self._host)
        beside = self._tailnet.network.at("inet", "unshare", "--mount", "sh", "-c")
        program, *arguments = (*beside, _WITH_ANOTHER_HOME, str(self._folder / "passwd"), *line)
        env = {**os.environ, "HOME": str(self._folder), "COLUMNS": "150"}
        answers = {"Password of sudo": f"{PASSWORD}\n", r"\[y/N\]": "y\n"}
        if until:
            answers[until] = CTRL_C
        shown = ""
        terminal: pexpect.spawn[str] = pexpect.spawn(
            program, arguments, env=env, cwd=ROOT, encoding="utf-8", timeout=SECONDS
        )
        with closing(terminal):
            while at := terminal.expect([pexpect.EOF, *answers]):
                shown += f"{terminal.before}{terminal.after}"
                asked = list(answers)[at - 1]
                terminal.send(answers[asked] if asked != until else answers.pop(until))
            shown += str(terminal.before)
        assert terminal.exitstatus is not None, shown
        return terminal.exitstatus, shown.replace("\r\n", "\n")


def _with_home(user: str, folder: Path) -> str:
    name, password, uid, *others, _, shell = user.split(":")
    if int(uid) != os.getuid():
        return user
    return ":".join((name, password, uid, *others, str(folder), shell))
