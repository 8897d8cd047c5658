"""The small model's files, and where vLLM looks for them."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from app.model.profiles import PROFILES

TINY = PROFILES["tiny"]
REVISION = TINY.revision
"""Of the files, as a test sees with :func:`revision_of`, which takes too long for each start."""
FILES = Path(__file__).parent / "weights"
"""As vLLM loads them: weights, configuration, tokenizer, processor."""


def revision_of(files: Path) -> str:
    """40 hexadecimal digits that change with any file's bytes or name, in place of a commit."""
    digest = hashlib.sha1(usedforsecurity=False)
    for file in sorted(files.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def seed(hf_home: Path) -> None:
    """Put the checkpoint where vLLM looks for a model that was downloaded before."""
    repository = hf_home / "hub" / f"models--{TINY.model.replace('/', '--')}"
    target = repository / "snapshots" / REVISION
    if not target.is_dir():
        partial = target.with_name(f".{target.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(FILES, partial)
        partial.rename(target)
    refs = repository / "refs"
    refs.mkdir(exist_ok=True)
    (refs / "main").write_text(REVISION)
