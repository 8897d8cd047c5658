"""What becomes of the pictures that a person gives the page, in Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.app.page.conftest import Visit
from tests.app.page.fake_service import FakeService
from tests.app.page.person import ask, paste, picture

pytestmark = pytest.mark.browser


def kinds(body: dict[str, Any]) -> list[str]:
    return [part["type"] for part in body["messages"][-1]["content"]]


def test_two_pictures_pasted_at_once_go_with_one_question(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    paste(page, {"left.png": picture(colour="red"), "right.png": picture(colour="blue")})
    expect(page.get_by_text("left.png")).to_be_visible()
    expect(page.get_by_text("right.png")).to_be_visible()
    ask(page, "which is red")
    expect(page.get_by_text("You said: which is red")).to_be_visible()
    [body] = service.asked
    assert kinds(body) == ["image_url", "image_url", "text"]
    first, second = (part["image_url"]["url"] for part in body["messages"][-1]["content"][:2])
    assert first != second
    expect(page.get_by_test_id("stChatMessage").first.locator("img")).to_have_count(2)


def test_a_picture_too_many_waits_for_the_next_question(visit: Visit, service: FakeService) -> None:
    page = visit()
    page.get_by_text("Boxes", exact=True).click()
    expect(page.get_by_placeholder("What to find")).to_be_visible()
    paste(page, {f"{name}.png": picture(colour=name) for name in ("red", "green", "blue")})
    expect(page.get_by_text("blue.png")).to_be_visible()
    ask(page, "red square")
    expect(page.locator(".hub-mark")).to_have_count(3)
    expect(
        page.get_by_text("These 2 pictures wait here. A question takes 1 at most.")
    ).to_be_visible()
    page.get_by_role("button", name="Remove picture").first.click()
    expect(page.get_by_text("This picture goes with your next question.")).to_be_visible()
    ask(page, "red square")
    expect(page.locator(".hub-mark")).to_have_count(6)
    expect(page.get_by_role("button", name="Remove picture")).to_have_count(0)
    assert [kinds(body) for body in service.asked] == [["image_url", "text"]] * 2


def test_a_file_that_is_refused_says_why_and_the_others_go(
    visit: Visit, service: FakeService, tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(picture() + bytes(51 * 2**20))
    page = visit()
    paste(page, {"red.png": picture(colour="red"), "notes.txt": b"milk, bread"})
    page.get_by_test_id("stChatInput").locator("input[type=file]").set_input_files(large)
    for why in ("text/plain files are not allowed", "File must be 50.0MB or smaller"):
        words = page.get_by_text(why)
        expect(words).to_be_visible()
        shown = words.bounding_box()
        assert shown
        assert shown["width"] > 100, "for the eyes, too"
        assert shown["height"] > 10
    ask(page, "what is it")
    expect(page.get_by_text("You said: what is it")).to_be_visible()
    assert [kinds(body) for body in service.asked] == [["image_url", "text"]]
