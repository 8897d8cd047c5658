"""Faults of a running twin, each injected for real and healed at the end.

Here those of its programs and deployments; the others by the place where they are made.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress

import psutil

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.parts.part import records
from twin.paths import TwinPaths

Fault = Callable[[HubUnderTest], AbstractContextManager[None]]
PATIENCE = 120


def part(hub: HubUnderTest, name: str) -> psutil.Process:
    [record] = [one for one in records(TwinPaths(hub.state)) if one.name == name]
    return psutil.Process(record.pid)


@contextmanager
def standing_still(processes: list[psutil.Process]) -> Generator[None]:
    """They exist and do nothing."""
    for one in processes:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            with suppress(psutil.NoSuchProcess):  # it was replaced meanwhile
                one.send_signal(signal.SIGCONT)


def frozen(name: str) -> Fault:
    """A part of the twin exists and does nothing."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        with standing_still(tree(part(hub, name))):
            yield

    return inject


def killed(name: str) -> Fault:
    """A part of the twin is gone without goodbye, and what it has started with it."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        kill(tree(part(hub, name)))
        try:
            yield
        finally:
            hub.ok("up")

    return inject


def tree(process: psutil.Process) -> list[psutil.Process]:
    """It, and all that it has started."""
    return [process, *process.children(recursive=True)]


def kill(processes: list[psutil.Process]) -> None:
    """Without goodbye; returns when none is left."""
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    until(lambda: not any(one.is_running() and not _is_zombie(one) for one in processes))


def _is_zombie(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def end_instance(hub: HubUnderTest) -> None:
    """Without goodbye; the next request starts another one."""

    def running() -> set[int]:
        instances = [one for service in hub.services for one in service["instances"]]
        return {container["pid"] for one in instances for container in one["containers"]}

    killed = running()
    kill([one for pid in killed for one in tree(psutil.Process(pid))])
    until(lambda: not killed & running(), seconds=PATIENCE)


@contextmanager
def instance_killed(hub: HubUnderTest) -> Generator[None]:
    """The gateway's instance is gone without goodbye; Cloud Run mends it."""
    end_instance(hub)
    yield


def deployed(old: str, new: str) -> Fault:
    """A change of the stack's file, all else in it as in the repository; the next one ends it."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        done = hub.up_with(old, new)
        assert done.returncode == 0, done.stdout
        yield

    return inject


def refused(old: str, new: str) -> Fault:
    """A change of the stack's file that cannot be deployed; the file as before mends it."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        done = hub.up_with(old, new)
        assert done.returncode != 0, done.stdout
        yield
        done = hub.up_with(old, old)
        assert done.returncode == 0, done.stdout

    return inject
