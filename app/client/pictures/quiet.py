"""Pillow without its warnings."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from threading import RLock

_LOCK = RLock()


@contextmanager
def without_warnings() -> Generator[None]:
    """Whoever makes warnings errors would lose a sound picture by them.

    They tell of Pillow's limit of pixels, where ours holds, and of damage beside the pixels. One
    thread at a time: Python's filters belong to the process, and two threads that put them back in
    the wrong order would leave it without any warning.
    """
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
