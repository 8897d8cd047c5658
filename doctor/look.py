"""One thing that is asked beside others, and waited for no longer than it may take."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Look(Generic[T]):
    """Asked in a thread that ends with the program: nobody has to wait for it.

    Limits of sockets are for each read and write, and a slow line takes many of them.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._answer: Future[tuple[T, float]] = Future()
        Thread(target=self._run, args=(ask,), daemon=True).start()

    def result(self, until: float) -> tuple[T, float]:
        """What came, and the seconds it took; ``until`` is a time of ``time.monotonic()``.

        Raises:
            TimeoutError: nothing came.
        """
        return self._answer.result(max(0, until - time.monotonic()))

    def _run(self, ask: Callable[[], T]) -> None:
        begun = time.monotonic()
        try:
            self._answer.set_result((ask(), time.monotonic() - begun))
        except Exception as error:  # noqa: BLE001  # for who waits
            self._answer.set_exception(error)
