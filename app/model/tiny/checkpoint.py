"""The small model's files, and where vLLM looks for them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

NAME = "personal-cloud-hub/tiny-vl"
FILES = Path(__file__).parent / "weights"
"""As vLLM loads them: weights, configuration, tokenizer, processor."""
REVISION = "5fd9a60aa74e6b14ae91bc5c656c126f3c1d1ed2"
"""Stands where a model hub has a commit; :func:`revision_of` the files."""


def revision_of(files: Path) -> str:
    """40 hexadecimal digits that change with any file's bytes or name."""
    digest = hashlib.sha1(usedforsecurity=False)
    for file in sorted(files.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def hub_folder(cache: Path) -> Path:
    """Where a model hub's client keeps this model at this revision below ``HF_HOME``."""
    return cache / "hub" / f"models--{NAME.replace('/', '--')}" / "snapshots" / REVISION


def seed(hf_home: Path) -> None:
    """Put the checkpoint where vLLM looks for a model that was downloaded before."""
    target = hub_folder(hf_home)
    if not target.is_dir():
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(FILES, partial)
        partial.rename(target)
    refs = target.parents[1] / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "main").write_text(REVISION)
