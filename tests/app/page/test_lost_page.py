"""What the browser shows after the end of a page was lost on the way, as Streamlit loses it on a
busy machine: the beginning has arrived, and has stopped the browser's timers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.app.page.conftest import Visit
from tests.app.page.test_in_a_browser import ask

pytestmark = pytest.mark.browser


LOSING_SECONDS = 2


@dataclass
class Losing:
    """Lets go of whole pages but for their first message, for two seconds once armed."""

    lost: int = 0
    _until: float = 0
    _losing: bool = False

    def arm(self) -> None:
        self._until = time.monotonic() + LOSING_SECONDS

    def between(self, page: Page) -> None:
        page.route_web_socket(re.compile("/_stcore/stream"), self._route)

    def _route(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda data: browser.send(data) if self._passes(data) else None)

    def _passes(self, data: str | bytes) -> bool:
        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        if message.WhichOneof("type") == "new_session":
            whole = not message.metadata.run.fragment_ids
            self._losing = whole and time.monotonic() < self._until
            return True
        self.lost += self._losing
        return not self._losing


def do_nothing(_: Page) -> None:
    """The page goes on by itself."""


def ask_slowly(page: Page) -> None:
    ask(page, "slow")


def ask_and_see_the_first_words(page: Page) -> None:
    ask_slowly(page)
    expect(page.get_by_text("word2")).to_be_visible()


def ask_and_see_nearly_all(page: Page) -> None:
    ask_slowly(page)
    expect(page.get_by_text("word15")).to_be_visible()


def choose_points(page: Page) -> None:
    page.get_by_role("radiogroup").get_by_text("Points").click()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(do_nothing, ask_slowly, id="with the question"),
        pytest.param(ask_and_see_the_first_words, choose_points, id="in the middle of an answer"),
        pytest.param(ask_and_see_nearly_all, do_nothing, id="with the whole answer"),
    ],
)
def test_a_page_whose_end_was_lost_is_sent_again(
    visit: Visit, before: Callable[[Page], None], after: Callable[[Page], None]
) -> None:
    losing = Losing()
    page = visit(before=losing.between)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    before(page)
    losing.arm()
    after(page)
    expect(page.get_by_text("word19")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    assert losing.lost > 5
