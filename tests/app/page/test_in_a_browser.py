"""What a person does with the page, in Chromium, against a service on loopback."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.app.page.conftest import Received, Visit
from tests.app.page.fake_service import KEY, FakeService
from tests.app.page.person import ask, button, messages, paste, picture, requests_to_others, upload
from tests.app.page.served_page import page_process

pytestmark = pytest.mark.browser
CONTRAST = Path(__file__).with_name("contrast.js").read_text()


def test_an_empty_page_offers_questions_and_says_that_everything_answers(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_text("What would you like to know?")).to_be_visible()
    expect(page.get_by_role("button", name="What is in this picture?")).to_be_visible()
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("Everything answers")).to_be_visible()
    expect(sidebar.get_by_text("Serves personal-cloud-hub/tiny-vl")).to_be_visible()


def test_an_answer_grows_while_it_is_written_and_its_log_tells_each_step(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    ask(page, "held please")
    answer = page.get_by_test_id("stChatMessage").nth(1)
    expect(answer).to_contain_text("word3")
    expect(answer).not_to_contain_text("word19", timeout=1)
    expect(answer).to_contain_text("Under way")
    expect(answer).to_contain_text("request req-1")
    service.go_on = True
    expect(answer).to_contain_text("What happened")
    expect(answer).to_contain_text("word19")
    answer.get_by_text("What happened").click()
    log = answer.get_by_role("log")
    expect(log).to_contain_text("upstream: 21 ms")
    expect(log).to_contain_text("321 tokens read, 20 written")
    expect(log).to_contain_text("tokens/s")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)


def test_boxes_are_drawn_one_by_one_and_can_be_read_pointed_at_and_taken_home(
    visit: Visit, service: FakeService
) -> None:
    service.boxes = 1
    page = visit()
    button(page, "Draw a box around each red square")
    marks = page.locator(".hub-mark")
    expect(marks).to_have_count(1)
    service.go_on = True
    expect(marks).to_have_count(3)
    expect(page.get_by_role("button", name="COCO")).to_be_visible()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(4)
    expect(page.get_by_role("table")).to_contain_text("blue <circle>")
    circle = page.get_by_role("img", name="blue <circle>")
    circle.focus()
    expect(marks.first).to_have_css("opacity", "0.25")
    page.get_by_test_id("stChatInputTextArea").focus()
    marks.first.hover()
    expect(marks.last).to_have_css("opacity", "0.25")
    with page.expect_download() as coco:
        page.get_by_role("button", name="COCO").click()
    names = [c["name"] for c in json.loads(coco.value.path().read_text())["categories"]]
    assert sorted(names) == ["blue <circle>", "red square"]
    with page.expect_download() as png:
        page.get_by_role("button", name="PNG").click()
    assert Image.open(BytesIO(png.value.path().read_bytes())).size == (448, 336)
    assert service.questions == [
        "Locate every red square in the image and output the bbox coordinates in JSON format."
    ]
    assert service.asked[0]["response_format"]["type"] == "json_schema"


def test_a_box_lies_over_the_pixels_that_the_model_named(visit: Visit) -> None:
    page = visit()
    button(page, "Draw a box around each red square")
    expect(page.get_by_role("button", name="COCO")).to_be_visible()
    # Both in one look: the page may scroll between two.
    shown, box = page.evaluate(
        """() => [".hub-overlay img", ".hub-mark"].map(
            which => document.querySelector(which).getBoundingClientRect().toJSON())"""
    )
    # The picture was sent as 252 by 168; the first box begins at 10, 12 and is 80 by 88.
    assert box["x"] - shown["x"] == pytest.approx(shown["width"] * 10 / 252, abs=1.5)
    assert box["y"] - shown["y"] == pytest.approx(shown["height"] * 12 / 168, abs=1.5)
    assert box["width"] == pytest.approx(shown["width"] * 80 / 252, abs=1.5)
    assert box["height"] == pytest.approx(shown["height"] * 88 / 168, abs=1.5)


def test_points_are_asked_for_in_their_own_mode_about_the_last_picture(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    button(page, "What is in this picture?")
    expect(page.get_by_text("You said: What is in this picture?")).to_be_visible()
    page.get_by_text("Points", exact=True).click()
    expect(page.get_by_placeholder("What to point to")).to_be_visible()
    ask(page, "blue circle")
    expect(page.locator(".hub-point")).to_have_count(1)
    assert service.questions[1].startswith("Point to every blue circle in the image")


def test_boxes_without_a_picture_are_told_to_need_one(visit: Visit, service: FakeService) -> None:
    page = visit()
    page.get_by_text("Boxes", exact=True).click()
    expect(page.get_by_placeholder("What to find")).to_be_visible()
    ask(page, "cup")
    expect(page.get_by_text("There is no picture to look at yet.")).to_be_visible()
    assert service.asked == []


def test_a_picture_comes_by_upload_by_paste_and_by_sample(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    upload(page, {"mine.jpg": picture((640, 480), "JPEG")})
    expect(page.get_by_text("mine.jpg")).to_be_visible()
    ask(page, "uploaded")
    expect(page.get_by_text("You said: uploaded")).to_be_visible()
    paste(page, {"pasted.png": picture()})
    expect(page.get_by_text("pasted.png")).to_be_visible()
    ask(page, "pasted")
    expect(page.get_by_text("You said: pasted")).to_be_visible()
    page.get_by_role("button", name="Sample pictures").click()
    button(page, "Use 2")
    expect(page.get_by_text("This picture goes with your next question.")).to_be_visible()
    ask(page, "sampled")
    expect(page.get_by_text("You said: sampled")).to_be_visible()
    expect(page.get_by_text("This picture goes with your next question.")).to_have_count(0)
    parts = [[p["type"] for p in body["messages"][-1]["content"]] for body in service.asked]
    assert parts == [["image_url", "text"]] * 3


def test_a_window_stays_open_when_the_answer_ends(visit: Visit, service: FakeService) -> None:
    page = visit()
    ask(page, "held please")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sample pictures").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    service.go_on = True
    expect(page.get_by_text("word19")).to_be_attached()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    button(page, "Use 2")
    expect(page.get_by_text("This picture goes with your next question.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Sample pictures").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_photo_is_taken_with_the_camera(visit: Visit, service: FakeService) -> None:
    page = visit(permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    page.wait_for_function("document.querySelector('video')?.readyState === 4")
    page.get_by_test_id("stCameraInputButton").click()
    photo = page.get_by_alt_text("Snapshot")
    photo.wait_for()
    assert photo.evaluate("async photo => (await photo.decode(), photo.naturalHeight)") == 1080
    button(page, "Use this photo")
    expect(page.get_by_text("This picture goes with your next question.")).to_be_visible()
    ask(page, "what is it")
    expect(page.get_by_text("You said: what is it")).to_be_visible()
    assert service.asked[0]["messages"][-1]["content"][0]["type"] == "image_url"


@pytest.mark.parametrize("question", ["stuck before the first byte", "endless answer"])
def test_stop_closes_the_connection_to_the_service(
    visit: Visit, service: FakeService, question: str
) -> None:
    page = visit()
    ask(page, question)
    service.until(lambda fake: fake.asked)
    button(page, "Stop")
    service.until(lambda fake: question in fake.left)
    expect(page.get_by_text("You stopped this answer.")).to_be_visible()
    ask(page, "and now")
    expect(page.get_by_text("You said: and now")).to_be_visible()


def test_a_failure_is_told_in_words_and_the_question_can_be_asked_again(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    expect(page.get_by_text("Everything answers")).to_be_visible()
    service.health = 503
    ask(page, "are you there")
    expect(page.get_by_text("The machine at home does not answer").first).to_be_visible()
    expect(page.get_by_text("off, asleep or starting").first).to_be_visible()
    button(page, "Look now")
    expect(page.get_by_text("Something is broken")).to_be_visible()
    service.health = 200
    button(page, "Ask again")
    expect(page.get_by_text("You said: are you there")).to_be_visible()
    button(page, "Look now")
    expect(page.get_by_text("Everything answers")).to_be_visible()


def test_a_refused_key_is_told_with_what_to_do(visit: Visit, service: FakeService) -> None:
    service.keys.clear()
    page = visit()
    button(page, "Look now")
    expect(page.get_by_text("The key was refused: wrong or revoked.").first).to_be_visible()
    service.keys.add(KEY)
    button(page, "Look now")
    expect(page.get_by_text("Everything answers")).to_be_visible()


def test_the_path_is_looked_at_again_without_disturbing_what_is_being_written(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    button(page, "Look now")
    expect(page.get_by_text(re.compile("Looked at [0-2] s ago"))).to_be_visible()
    page.get_by_test_id("stChatInputTextArea").fill("half a quest")
    expect(page.get_by_text(re.compile("Looked at [4-9] s ago"))).to_be_visible()
    expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("half a quest")


def test_a_conversation_is_saved_and_opened_again_with_its_picture(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit()
    button(page, "Draw a box around each red square")
    expect(page.get_by_role("button", name="COCO")).to_be_visible()
    page.get_by_text("Conversation", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    file = tmp_path / "conversation.json"
    download.value.save_as(file)
    button(page, "New conversation")
    expect(page.get_by_text("What would you like to know?")).to_be_visible()
    uploader = page.get_by_test_id("stFileUploader").locator("input[type=file]")
    wrong: FilePayload = {
        "name": "c.json",
        "mimeType": "application/json",
        "buffer": b'{"turns": 1}',
    }
    uploader.set_input_files(wrong)
    expect(page.get_by_text("This file holds no conversation of this page")).to_be_visible()
    uploader.set_input_files(file)
    expect(page.locator(".hub-mark")).to_have_count(3)


def test_settings_are_what_the_service_is_asked_with(visit: Visit, service: FakeService) -> None:
    page = visit()
    page.get_by_text("Settings").click()
    page.get_by_label("Longest answer, tokens", exact=True).fill("64")
    page.get_by_label("Instructions for the model", exact=True).fill("Be brief.")
    page.keyboard.press("Control+Enter")
    ask(page, "hello")
    expect(page.get_by_text("You said: hello")).to_be_visible()
    [body] = service.asked
    assert body["max_tokens"] == 64
    assert body["temperature"] == 0
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}


def test_boxes_of_an_unknown_model_are_found_once_it_is_said_what_its_numbers_count(
    visit: Visit, service: FakeService, tmp_path: Path
) -> None:
    service.model = "somebody/new-vl"
    # A page of its own: one that all visits share would go on with this model in the next test.
    with page_process(tmp_path / "log", service) as url:
        page = visit(url)
        expect(page.get_by_text("Serves somebody/new-vl")).to_be_visible()
        button(page, "Draw a box around each red square")
        expect(page.get_by_text("somebody/new-vl count is not known").first).to_be_visible()
        assert service.asked == []
        page.get_by_text("thousandths", exact=True).click()
        button(page, "Ask again")
        expect(page.get_by_role("table").get_by_role("row")).to_have_count(4)
        # The sample is 448 by 336 pixels; the first box is 10, 12, 90, 100 thousandths of them.
        expect(page.get_by_role("table")).to_contain_text("4, 4, 40, 34")
        page.close()  # before its server ends


def test_a_korean_browser_is_spoken_to_in_korean_and_may_change_that(visit: Visit) -> None:
    page = visit(locale="ko-KR")
    expect(page.get_by_text("무엇이 궁금하신가요?")).to_be_visible()
    page.get_by_text("설정").click()
    page.get_by_label("언어").click()
    page.get_by_role("option", name="English").click()
    expect(page.get_by_text("What would you like to know?")).to_be_visible()


def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    wide = "document.documentElement.scrollWidth - window.innerWidth"
    expect(page.get_by_role("button", name="What is in this picture?")).to_be_visible()
    assert page.evaluate(wide) <= 0
    button(page, "Draw a box around each red square")
    expect(page.get_by_role("button", name="COCO")).to_be_visible()
    assert page.evaluate(wide) <= 0
    overlay = page.locator(".hub-overlay").bounding_box()
    assert overlay
    assert overlay["x"] + overlay["width"] <= 390


def test_the_keyboard_alone_asks_stops_and_reaches_every_box(
    visit: Visit, service: FakeService
) -> None:
    page = visit()
    page.get_by_test_id("stChatInputTextArea").focus()
    page.keyboard.type("endless by keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    _tab_to(page, "Stop")
    page.keyboard.press("Enter")
    service.until(lambda fake: fake.left)
    expect(page.get_by_text("You stopped this answer.")).to_be_visible()


def _tab_to(page: Page, name: str) -> None:
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if name in page.evaluate("document.activeElement.innerText"):
            return
    pytest.fail(f"{name} is not reached by Tab")


def test_ten_people_at_once_see_each_their_own_answer(visit: Visit) -> None:
    pages: list[Page] = []
    for _ in range(10):  # one after another: two cores are long busy with ten new pages at once
        pages.append(visit())
        expect(pages[-1].get_by_test_id("stChatInputTextArea")).to_be_visible()
    for number, page in enumerate(pages):
        ask(page, f"slow number {number}")
    for number, page in enumerate(pages):
        # For a moment the answer that grew stands beside the whole one.
        expect(page.get_by_text("word19").first).to_be_visible()
        expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
        expect(page.get_by_test_id("stChatMessage")).to_have_count(2)
        expect(page.get_by_text("word19")).to_have_count(1)
        question, _ = messages(page)
        assert question.endswith(f"slow number {number}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_against_what_is_behind_it(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    expect(page.get_by_text("Everything answers")).to_be_visible()
    assert page.evaluate(CONTRAST) == []
    button(page, "Draw a box around each red square")
    expect(page.get_by_role("button", name="COCO")).to_be_visible()
    ask(page, "error 413")
    expect(page.get_by_text("The picture is too large")).to_be_visible()
    page.get_by_text("Settings", exact=True).click()
    expect(page.get_by_label("Instructions for the model", exact=True)).to_be_visible()
    assert page.evaluate(CONTRAST) == []
    page.add_style_tag(content="h1 { color: #999 !important; background: #aaa; }")
    assert [told.partition(":")[0] for told in page.evaluate(CONTRAST)] == ["Ask your GPU at home"]


def test_a_shared_link_asks_for_its_password(
    visit: Visit, service: FakeService, tmp_path: Path
) -> None:
    with page_process(tmp_path / "log", service, HUB_CLIENT_PASSWORD="open sesame") as url:
        page = visit(url)
        page.get_by_label("Password", exact=True).fill("guess")
        button(page, "Enter")
        expect(page.get_by_text("That is not the password.")).to_be_visible()
        assert page.get_by_test_id("stChatInputTextArea").count() == 0
        page.get_by_label("Password", exact=True).fill("open sesame")
        page.keyboard.press("Enter")
        expect(page.get_by_text("What would you like to know?")).to_be_visible()
        page.close()  # before its server ends


def test_the_search_for_the_key_looks_where_the_page_comes_from(
    visit: Visit, received: Received
) -> None:
    page = visit()
    expect(page.get_by_text("What would you like to know?")).to_be_visible()
    assert any(b"What would you like to know?" in frame for frame in received.frames)


def test_what_was_written_is_shown_as_it_was_and_asks_no_other_address(visit: Visit) -> None:
    page = visit()
    asked = requests_to_others(page)
    text = "$5 and $10 :red[x] :smile: :material/home: a_b_c ![x](http://127.0.0.1:9/leak)"
    ask(page, text)
    question, answer = (page.get_by_test_id("stChatMessage").nth(i) for i in range(2))
    signs = text.replace(":smile", ":\u2060smile").replace(":material", ":\u2060material")
    expect(question).to_contain_text(signs)
    expect(answer).to_contain_text("You said: " + signs.partition("![")[0])
    ask(page, "the next one")
    expect(page.get_by_test_id("stChatMessage").nth(3)).to_contain_text("the next one")
    assert asked == []
    assert page.locator("[data-testid=stChatMessage] :is(img, .katex)").count() == 0
