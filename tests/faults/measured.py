"""What a fault did to eight steady streams, and what the twin is afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.faults.look import look, more
from tests.faults.streams import Request, Streams
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest

BACK_SECONDS = 300
"""Within which all streams have to be answered again; a model that loads takes one of them."""


@dataclass(frozen=True)
class Measured:
    """A row of docs/reliability.md; times in seconds."""

    lasted: float
    """From the fault's beginning until it was mended."""
    asked: int
    failures: Counter[str]
    wrong: list[str]
    longest: float
    """Until the client knew; of an answer, until it was whole."""
    failing: float
    """From the first failure's end to the last one's."""
    back: float | None
    """From the mending's beginning until each client that had seen a failure was answered; below
    0: before it."""
    megabytes: Counter[str]
    """More that the twin's processes keep for themselves, by their names."""
    files: Counter[str]
    """More that they have open, sockets among them."""


def measure(
    hub: HubUnderTest,
    streams: Streams,
    fault: Callable[[HubUnderTest], AbstractContextManager[None]],
    seconds: float,
) -> Measured:
    """Break the twin for so long, mend it, wait until all is as before.

    Raises:
        AssertionError: a stream is not answered again, or processes are missing or left over.
    """
    before = look(hub)
    injected = time.monotonic()
    with fault(hub):
        time.sleep(max(0, injected + seconds - time.monotonic()))
        mended = time.monotonic()
    await_answers(streams)
    until(
        lambda: process_names(hub) == before.processes,
        seconds=BACK_SECONDS,
        shown=lambda: more(before.processes, process_names(hub)),
    )
    after = look(hub)
    requests = streams.since(injected)
    failed = [one for one in requests if one.outcome == "failed"]
    return Measured(
        lasted=mended - injected,
        asked=len(requests),
        failures=Counter(one.detail for one in failed),
        wrong=[one.detail for one in requests if one.outcome == "wrong"],
        longest=max(one.ended - one.begun for one in requests),
        failing=failed[-1].ended - failed[0].ended if failed else 0,
        back=_back(requests, mended) if failed else None,
        megabytes=more(before.memory, after.memory),
        files=more(before.files, after.files),
    )


def await_answers(streams: Streams) -> None:
    """Until each client was answered to a question that it asked from now on."""
    now = time.monotonic()
    until(
        lambda: streams.all_answered_since(now),
        seconds=BACK_SECONDS,
        shown=lambda: streams.requests[-8:],
    )


def process_names(hub: HubUnderTest) -> Counter[str]:
    return Counter(hub.processes.values())


def _back(requests: list[Request], mended: float) -> float:
    """When the last of the clients that had failed got its first answer after that."""
    last = {one.client: one.ended for one in requests if one.outcome == "failed"}
    return (
        max(
            min(one.ended for one in requests if one.client == client and one.begun >= failed)
            for client, failed in last.items()
        )
        - mended
    )
