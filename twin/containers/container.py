"""A container as a process.

Promises: entrypoint and arguments as Kubernetes and Cloud Run combine them, the environment it was
given and not its parent's, no ignored signals, mounts, a log file, SIGTERM then SIGKILL, and an
end with its parent; in a sandbox a file system and a process tree of its own.
Leaves out: a user and a network of its own, limits of memory and CPU.

Without a sandbox, where the machine allows none, a mount is a rewrite: its path, where it begins a
path inside an argument or a value of the environment, becomes the folder that stands for it. A
program that has such a path built in, or in a file, does not see its mount then.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import re
import shutil
import signal
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from twin.containers.images import LocalImage, resolve
from twin.containers.sandbox import HOME, first_process, sandbox
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
    read_only: Collection[str] = ()
    """Those mounts that a sandbox does not let it write into."""
    sandboxed: bool = False
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
    return tuple(_as_seen(word, spec) for word in (*entrypoint, *args))


def environment(spec: ContainerSpec, image: LocalImage) -> dict[str, str]:
    """A small base, the image's, the container's; later ones win."""
    base = {
        "PATH": os.environ["PATH"],
        "HOME": HOME if spec.sandboxed else str(spec.log.parent),
        "LANG": "C.UTF-8",
        MARK: os.environ.get(MARK, ""),
    }
    given = {**image.env, **spec.env}
    return base | {name: _as_seen(value, spec) for name, value in given.items()}


def _as_seen(text: str, spec: ContainerSpec) -> str:
    return text if spec.sandboxed else rewrite_mounts(text, spec.mounts)


class Container:
    """A started container."""

    def __init__(
        self,
        spec: ContainerSpec,
        process: asyncio.subprocess.Process,
        pid: int,
        enter: tuple[str, ...],
    ) -> None:
        self.spec = spec
        self.pid = pid
        self.enter = enter
        """The command that leads into it."""
        self.started_at = time.time()
        self._process = process
        """The program itself, or bubblewrap, which waits for it."""

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
            FileNotFoundError: the command is not on this machine; in a sandbox, and where ``enter``
                leads, the container ends at once instead.
        """
        image = resolve(spec.image)
        line, env = command_line(spec, image), environment(spec, image)
        if not spec.sandboxed:
            process = await _begin(spec, (*enter, *line), env, stdin)
            return cls(spec, process, process.pid, enter)
        program = shutil.which(line[0], path=env["PATH"])
        read_end, told = os.pipe()
        with os.fdopen(read_end, "rb") as said:
            try:
                box = sandbox(program, image.folders, spec.mounts, spec.read_only, told)
                process = await _begin(spec, (*enter, *box, *line), env, stdin, told)
            finally:
                os.close(told)
            try:
                # Without one, bubblewrap has ended; its last words are in the container's log.
                pid = await first_process(said) or process.pid
            except BaseException:
                process.kill()
                raise
        enter = ("nsenter", f"--target={pid}", "--mount", "--pid", "--net", "--")
        return cls(spec, process, pid, enter)

    @property
    def environment(self) -> dict[str, str]:
        """Of what is run inside it."""
        return environment(self.spec, resolve(self.spec.image))

    @property
    def exit_code(self) -> int | None:
        """As ``wait`` returns it; ``None`` while it runs."""
        code = self._process.returncode
        return None if code is None else _as_told(code)

    async def wait(self) -> int:
        """The exit code; 128 and the signal's number when a signal ended it."""
        return _as_told(await self._process.wait())

    async def stop(self, grace_seconds: float) -> int:
        """SIGTERM, wait, SIGKILL to the whole group; the exit code."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wait(), grace_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # what the program left behind, too
        return await self.wait()


def _as_told(code: int) -> int:
    """As container runtimes tell it; the kernel's is minus the number of a signal."""
    return code if code >= 0 else 128 - code


async def _begin(
    spec: ContainerSpec,
    line: tuple[str, ...],
    env: Mapping[str, str],
    stdin: int,
    *kept_open: int,
) -> asyncio.subprocess.Process:
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    with spec.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *line,
            env=env,
            stdin=stdin,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_parent,
            pass_fds=kept_open,
        )


def end_with_parent() -> None:
    """In the new process: end with its parent; inherit none of the parent's ignored signals."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
