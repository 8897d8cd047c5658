from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, WebSocket, expect, sync_playwright

from tests.app.page.fake_service import KEY, FakeService, serving
from tests.app.page.served_page import page_process
from tests.support.chromium import chromium, uncaptured

PATIENCE = 60_000
"""Milliseconds, for a machine that is busy with other work, too."""
expect.set_options(timeout=PATIENCE)


@pytest.fixture(autouse=True)
def _fresh_pulumi_runtime() -> None:
    """None here: Playwright has this thread's event loop running."""


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Generator[Browser]:
    """Not for the session: other tests need the thread without a running event loop."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium(uncaptured(pytestconfig)),
            # Chromium's own sandbox needs user namespaces, which a container may not have.
            chromium_sandbox=False,
            args=[
                *("--disable-gpu", "--disable-dev-shm-usage"),
                *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
            ],
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def running_service() -> Generator[FakeService]:
    with serving() as fake:
        yield fake


@pytest.fixture
def service(running_service: FakeService) -> FakeService:
    """As new."""
    running_service.__init__(url=running_service.url)
    return running_service


@pytest.fixture(scope="session")
def page_url(
    running_service: FakeService, tmp_path_factory: pytest.TempPathFactory
) -> Generator[str]:
    log = tmp_path_factory.mktemp("page") / "log"
    with page_process(log, running_service) as url:
        yield url
    told = log.read_text()
    # Streamlit's own server complains of a browser that leaves in the middle of a message.
    assert "app/client/" not in told, told


@dataclass
class Received:
    """All that a browser got or complained about."""

    frames: list[bytes] = field(default_factory=list[bytes])
    complaints: list[str] = field(default_factory=list[str])
    expected: tuple[str, ...] = ()
    """Complaints with one of these words are the test's own doing."""

    def watch(self, page: Page) -> None:
        page.on("websocket", self._socket)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda data: self.frames.append(_bytes(data)))

    def _console(self, message: ConsoleMessage) -> None:
        expected = any(word in message.text for word in self.expected)
        if message.type == "error" and not expected:
            self.complaints.append(message.text)


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


Visit = Callable[..., Page]


@pytest.fixture
def received() -> Received:
    return Received()


@pytest.fixture
def visit(
    browser: Browser, page_url: str, service: FakeService, received: Received
) -> Generator[Visit]:
    """Open the page as a person of one's own; whatever they do, nothing may be complained of, and
    the API key may not have come to them."""
    contexts: list[Any] = []

    def opened(
        url: str = page_url,
        wait_until: Any = "load",
        before: Callable[[Page], None] = lambda page: None,
        **options: Any,
    ) -> Page:
        wide: dict[str, Any] = {"locale": "en-US", "viewport": {"width": 1200, "height": 900}}
        context = browser.new_context(**(wide | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        received.watch(page)
        before(page)
        page.goto(url, wait_until=wait_until)
        return page

    yield opened
    for context in contexts:
        for page in context.pages:
            assert KEY not in page.content()
        context.close()
    assert not any(KEY.encode() in frame for frame in received.frames)
    assert received.complaints == []
