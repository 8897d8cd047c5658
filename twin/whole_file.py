"""A file that is replaced as a whole."""

from __future__ import annotations

from pathlib import Path


def write_whole(file: Path, text: str) -> None:
    """Whoever reads it finds the old text or the new: in between, after a kill, on a full disk.

    Only the user may read a new file; there may be secrets in it.
    """
    partial = file.with_name(f"{file.name}.partial")
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(file)
