"""An HTTP server in a process that decides itself what signals mean."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import uvicorn


class Server(uvicorn.Server):
    """Takes no signals for itself; ``should_exit`` ends it."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
