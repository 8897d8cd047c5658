"""The log of one of the twin's own programs: a line for what happened, with its time."""

from __future__ import annotations

import logging

FORMAT = "%(asctime)s %(name)s: %(message)s"
NOT_STARTED = "no instance could be started"
"""Cloud Run's emulator writes it before the reason, and `hub status` and `hub doctor` read that."""


def begin() -> None:
    """Write what the twin says, and what others warn of."""
    logging.basicConfig(format=FORMAT)
    logging.getLogger("twin").setLevel(logging.INFO)
