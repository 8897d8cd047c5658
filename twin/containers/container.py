"""A container as a plain process.

Promises: entrypoint and arguments as Kubernetes and Cloud Run combine them, the environment it was
given and not its parent's, no ignored signals, mounts, a log file, SIGTERM then SIGKILL, and an
end with its parent.
Leaves out: a file system, user and network of its own, limits of memory and CPU.

Without a mount namespace a mount is a rewrite: its path, where it begins a path inside an argument
or a value of the environment, becomes the folder that stands for it. A program that has such a
path built in would not see its mount.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from twin.containers.images import LocalImage, resolve
from twin.parts.part import DEFAULT_SIGNALS, MARK

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """What to run."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    """In place of the image's entrypoint."""
    args: tuple[str, ...] = ()
    """In place of the image's default arguments."""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    mounts: Mapping[str, Path] = field(default_factory=dict[str, Path])
    """Absolute path inside the container to a folder or file of this machine."""
    log: Path


def rewrite_mounts(text: str, mounts: Mapping[str, Path]) -> str:
    """Replace each mount's path, longest first, where it begins a path in ``text``.

    >>> rewrite_mounts("--config=/etc/caddy/Caddyfile", {"/etc/caddy": Path("/s/v")})
    '--config=/s/v/Caddyfile'
    >>> rewrite_mounts("/etc/caddy-keys/k /x/etc/caddy", {"/etc/caddy": Path("/s/v")})
    '/etc/caddy-keys/k /x/etc/caddy'
    """
    if not mounts:
        return text
    # One pass: what a path was replaced by is not looked at again.
    paths = "|".join(re.escape(path) for path in sorted(mounts, key=len, reverse=True))
    pattern = rf"(?<![\w./-])({paths})(?=/|$|[^\w.-])"
    return re.sub(pattern, lambda match: str(mounts[match[1]]), text)


def command_line(spec: ContainerSpec, image: LocalImage) -> tuple[str, ...]:
    """Entrypoint and arguments: a command without arguments drops the image's arguments too."""
    entrypoint = spec.command or image.entrypoint
    args = spec.args or (() if spec.command else image.cmd)
    return tuple(rewrite_mounts(word, spec.mounts) for word in (*entrypoint, *args))


def environment(spec: ContainerSpec, image: LocalImage) -> dict[str, str]:
    """A small base, the image's, the container's; later ones win."""
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(spec.log.parent),
        "LANG": "C.UTF-8",
        MARK: os.environ.get(MARK, ""),
    }
    given = {**image.env, **spec.env}
    return base | {name: rewrite_mounts(value, spec.mounts) for name, value in given.items()}


class Container:
    """A started container."""

    def __init__(self, spec: ContainerSpec, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self.pid = process.pid
        self.started_at = time.time()
        self._process = process

    @classmethod
    async def start(
        cls,
        spec: ContainerSpec,
        enter: tuple[str, ...] = (),
        stdin: int = asyncio.subprocess.DEVNULL,
    ) -> Self:
        """Start the process, in the network that the command ``enter`` leads to.

        ``stdin`` is a file descriptor, of a socket on which it is to listen.

        Raises:
            UnknownImageError: nothing stands for the image.
            FileNotFoundError: the command is not on this machine.
        """
        image = resolve(spec.image)
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        with spec.log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *enter,
                *command_line(spec, image),
                env=environment(spec, image),
                stdin=stdin,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        return cls(spec, process)

    @property
    def environment(self) -> dict[str, str]:
        """Of what is run inside it."""
        return environment(self.spec, resolve(self.spec.image))

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """The exit code; minus the signal's number when a signal ended it."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> int:
        """SIGTERM, wait, SIGKILL to the whole group; the exit code."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), grace_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # what the program itself left behind, too
        return await self.wait()


def end_with_parent() -> None:
    """In the new process: end with its parent; inherit none of the parent's ignored signals."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
