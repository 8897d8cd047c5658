"""What the browser shows after the end of a page was lost on the way, as Streamlit loses it on a
busy machine: only the beginning has arrived."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.app.page.conftest import Visit
from tests.app.page.fake_service import FakeService
from tests.app.page.person import ask

pytestmark = pytest.mark.browser


@dataclass
class Losing:
    """Once armed, lets go of whole pages but for their first message, until the end of one went."""

    armed: bool = False
    _losing: bool = False

    def between(self, page: Page) -> None:
        page.route_web_socket(re.compile("/_stcore/stream"), self._route)

    def _route(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda data: browser.send(data) if self._passes(data) else None)

    def _passes(self, data: str | bytes) -> bool:
        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._losing = self.armed and not message.metadata.run.fragment_ids
            return True
        whole = message.script_finished == message.FINISHED_SUCCESSFULLY
        if self._losing and kind == "script_finished" and whole:
            self.armed = False
        return not self._losing


def nothing(_: Page) -> None:
    """The page goes on by itself."""


def ask_for_twenty_words(page: Page) -> None:
    ask(page, "held")


def ask_and_see_the_first_words(page: Page) -> None:
    ask_for_twenty_words(page)
    expect(page.get_by_text("word15")).to_be_visible()


def choose_points(page: Page) -> None:
    page.get_by_role("radiogroup").get_by_text("Points").click()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(nothing, ask_for_twenty_words, id="with the question"),
        pytest.param(ask_and_see_the_first_words, choose_points, id="in the middle of an answer"),
        pytest.param(ask_and_see_the_first_words, nothing, id="with the whole answer"),
    ],
)
def test_a_page_whose_end_was_lost_is_sent_again(
    visit: Visit,
    service: FakeService,
    before: Callable[[Page], None],
    after: Callable[[Page], None],
) -> None:
    losing = Losing()
    page = visit(before=losing.between)
    expect(page.get_by_test_id("stChatInputTextArea")).to_be_visible()
    before(page)
    losing.armed = True
    after(page)
    service.go_on = True
    expect(page.get_by_text("word19")).to_be_visible()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
    assert not losing.armed
