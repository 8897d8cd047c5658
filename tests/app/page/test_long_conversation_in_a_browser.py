"""A conversation of fifty turns with pictures, in Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.client.page.turns import Question, Turn, opened, saved
from tests.app.page.conftest import Visit
from tests.app.page.fake_service import FakeService
from tests.app.page.person import ask, button, open_file, picture
from tests.support.waiting import until

pytestmark = pytest.mark.browser


def test_fifty_turns_with_pictures_are_shown_gone_on_with_and_saved(
    visit: Visit, service: FakeService
) -> None:
    turns = tuple(
        Turn(
            question=Question(
                mode="chat",
                text=f"question {number}",
                pictures=(picture((1600, 1200), "JPEG", f"hsl({7 * number}, 90%, 50%)"),),
            ),
            answer=f"answer {number}",
            ending="whole",
        )
        for number in range(50)
    )
    page = visit()
    open_file(page, saved(turns))
    said = page.get_by_test_id("stChatMessage")
    expect(said).to_have_count(100)
    expect(said.nth(98)).to_contain_text("question 49")
    expect(page.locator("[data-testid=stChatMessage] img")).to_have_count(50)
    ask(page, "and now")
    expect(said).to_have_count(102)
    expect(said.last).to_contain_text("You said: and now")
    expect(page.locator("[data-testid=stChatMessage] img")).to_have_count(50)

    def kept_now() -> tuple[Turn, ...]:
        with page.expect_download() as download:
            button(page, "Save to a file")
        return opened(download.value.path().read_bytes())

    # The last words are there a moment before the turn counts as ended.
    until(lambda: len(kept_now()) == 51)
    kept = kept_now()
    assert kept[:50] == turns
    assert kept[50].answer == "You said: and now"
    [body] = service.asked
    assert [message["role"] for message in body["messages"]] == ["user", "assistant"] * 50 + [
        "user"
    ]
