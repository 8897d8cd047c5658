from __future__ import annotations

import base64
import json
from io import BytesIO

import pytest
from PIL import Image

from app.client.grounding.frame import Frame
from app.client.page.turns import Ending, HistoryError, Question, Turn, opened, saved
from app.model.image_tokens import Size


def png() -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 30), "white").save(file, "PNG")
    return file.getvalue()


FOUND = Turn(
    question=Question(mode="boxes", text="컵", pictures=(png(),)),
    answer='[{"bbox_2d": [1, 2, 14, 15], "label": "컵"}]',
    ending="whole",
    frame=Frame(original=Size(40, 30), sent=Size(20, 15), coord_space="pixels"),
    log=("  0.10 s  request sent",),
)
TOLD = Turn(question=Question(mode="chat", text="hello"), answer="Hi.", ending="whole")


def test_what_is_saved_is_what_is_opened_pictures_included() -> None:
    assert opened(saved((FOUND, TOLD)).encode()) == (FOUND, TOLD)


def test_boxes_are_read_again_from_an_opened_answer() -> None:
    [turn] = opened(saved((FOUND,)).encode())
    assert turn.detection
    assert [box.xyxy for box in turn.detection.boxes] == [(2.0, 4.0, 28.0, 30.0)]


@pytest.mark.parametrize(("ending", "boxes"), [("whole", 1), ("cut", 0), ("stopped", 1)])
def test_how_the_answer_ended_decides_about_the_number_at_its_end(
    ending: Ending, boxes: int
) -> None:
    turn = FOUND.model_copy(update={"answer": "컵: x1: 1, y1: 2, x2: 14, y2: 15", "ending": ending})
    assert turn.detection
    assert len(turn.detection.boxes) == boxes


def test_a_full_answer_may_lack_something() -> None:
    one = '{"bbox_2d": [1, 2, 14, %d], "label": "컵"}'
    answer = "[" + ", ".join(one % (3 + n) for n in range(50)) + "]"
    full = FOUND.model_copy(update={"answer": answer})
    assert full.detection
    assert full.detection.problems == (
        "what may be there beyond 50 places, as many as an answer may have",
    )


def test_a_file_of_an_earlier_version_keeps_its_boxes() -> None:
    earlier = saved((FOUND,)).replace('"frame":', '"looked":')
    assert opened(earlier.encode()) == (FOUND,)


@pytest.mark.parametrize(
    ("earlier", "now"), [('"picture": null', ()), ('"picture": "YWJj"', (b"abc",))]
)
def test_a_question_of_an_earlier_version_keeps_its_picture(
    earlier: str, now: tuple[bytes, ...]
) -> None:
    kept = Question.model_validate_json(f'{{"mode": "chat", "text": "hi", {earlier}}}')
    assert kept == Question(mode="chat", text="hi", pictures=now)


def test_a_chat_has_no_boxes() -> None:
    assert TOLD.detection is None


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xd8\xff", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b'{"version": 2, "turns": []}', "version"),
        (b'{"turns": [], "more": 1}', "more: Extra inputs are not permitted"),
        (b'{"turns": [{"question": {"mode": "sing", "text": ""}}]}', "turns.0.question.mode"),
    ],
)
def test_what_is_no_conversation_is_refused_with_the_place(file: bytes, why: str) -> None:
    with pytest.raises(HistoryError) as refused:
        opened(file)
    assert why in str(refused.value)


def test_a_picture_that_is_none_is_refused() -> None:
    document = json.loads(saved((FOUND,)))
    script = base64.b64encode(b"<svg onload=alert(1)>").decode()
    document["turns"][0]["question"]["pictures"] = [script]
    with pytest.raises(HistoryError, match="no picture that can be read"):
        opened(json.dumps(document).encode())
