"""Faults of the cloud side, made as its owner makes them in Google's console."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.injection import Fault, end_instance
from tests.twin.conftest import HubUnderTest
from twin.paths import TwinPaths


def secret_changed(secret: str, change: Callable[[str], str]) -> Fault:
    """Somebody wrote something else into it; the next instance reads that."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        file = _payload(hub, secret)
        before = file.read_text()
        file.write_text(change(before))
        end_instance(hub)
        try:
            yield
        finally:
            file.write_text(before)
            end_instance(hub)

    return inject


def secret_destroyed(secret: str) -> Fault:
    """The version that the gateway reads is gone, and its instance has ended."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        file = _payload(hub, secret)
        before = file.read_text()
        file.unlink()
        end_instance(hub)
        try:
            yield
        finally:
            file.touch(mode=0o600)
            file.write_text(before)

    return inject


def _payload(hub: HubUnderTest, secret: str) -> Path:
    """Of its newest version, where the emulator keeps it."""
    versions = (TwinPaths(hub.state).google / "secrets" / secret).iterdir()
    return max(versions, key=lambda file: int(file.name))
