"""The pictures of a folder, by the names that annotations give them."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from PIL import Image

from app.client.errors import ImageError
from app.client.images import SUFFIXES, upright


def files(root: Path) -> list[Path]:
    """All files below a folder; links are followed, for pictures are often kept elsewhere."""
    found: list[Path] = []
    seen: set[str] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        found += [Path(folder, name) for name in names]
    return sorted(found)


class Pictures:
    """The pictures among a folder's files; no name leads out of it."""

    def __init__(self, root: Path, found: Sequence[Path]) -> None:
        self._root = root
        self._paths: dict[str, list[Path]] = defaultdict(list)
        for path in found:
            if path.suffix.lower() in SUFFIXES:
                self._paths[path.name].append(path)

    def find(self, name: str) -> Path | None:
        """The file at the end of whose path this is; else the only one of that name."""
        paths = self._paths.get(PurePosixPath(name).name, [])
        full = [p for p in paths if f"/{p.relative_to(self._root).as_posix()}".endswith(f"/{name}")]
        if full:
            return full[0]
        return paths[0] if len(paths) == 1 else None


def read(path: Path, width: int, height: int) -> Image.Image:
    """The picture in the frame that its annotations are in.

    Most tools annotate what is seen, turned as the camera says; some what is stored. The annotated
    size tells which, but for squares and pictures that are upside down: those are turned.

    Raises:
        ImageError: no picture, or one of another size than the annotated.
    """
    picture = upright(path)
    if picture.size == (width, height):
        return picture
    with Image.open(path) as stored:
        if stored.size == (width, height):
            # A plain copy: nobody turns it again.
            return Image.frombytes("RGB", stored.size, stored.convert("RGB").tobytes())
    raise ImageError(
        f"{path} has {picture.width}x{picture.height} pixels, its annotations say {width}x{height}"
    )
