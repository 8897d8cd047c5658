"""The line between the browser and the page breaks in the middle of an answer."""

from __future__ import annotations

from collections.abc import Callable, Generator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.app.page.conftest import Received, Visit
from tests.app.page.fake_service import FakeService
from tests.app.page.person import ask
from tests.support.line import Line

pytestmark = pytest.mark.browser


OFFLINE_SECONDS = 20
"""As in a tunnel or a lift; Streamlit's browser tries again less and less often."""
BROWSERS_OWN = (
    "net::ERR_",
    "WebSocket",
    "disconnected from server",
    "Client Error in reaching server endpoint",
    "Streamlit server is not responding",
)
"""What it and Streamlit write to its console without a line."""


@pytest.fixture
def line(page_url: str) -> Generator[Line]:
    with Line(urlsplit(page_url).port or 0) as made:
        yield made


@pytest.mark.parametrize("breaks", [Line.cut, Line.silence])
def test_an_answer_that_was_written_meanwhile_is_there_afterwards(
    line: Line,
    visit: Visit,
    service: FakeService,
    received: Received,
    breaks: Callable[[Line], None],
) -> None:
    received.expected = BROWSERS_OWN
    page = visit(f"http://127.0.0.1:{line.port}")
    ask(page, "held please")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    expect(answer).to_contain_text("word3")
    breaks(line)
    service.go_on = True
    service.until(lambda fake: fake.written == ["held please"])
    page.wait_for_timeout(OFFLINE_SECONDS * 1000)
    expect(answer).not_to_contain_text("word19", timeout=1)
    line.mend()
    expect(answer).to_contain_text("word19")
    expect(answer).to_contain_text("What happened")
    ask(page, "and now")
    expect(page.get_by_text("You said: and now")).to_be_visible()
    assert service.questions == ["held please", "and now"], "nothing was asked twice"
