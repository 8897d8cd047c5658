"""The one error of the twin that a reader is meant to see."""

from __future__ import annotations


class TwinError(Exception):
    """What happened, why, and what to do next, in words fit to print."""
