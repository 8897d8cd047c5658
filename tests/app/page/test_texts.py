from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from string import Formatter

import pytest

from app.client import page
from app.client.page.english import ENGLISH
from app.client.page.korean import KOREAN
from app.client.page.languages import of_locale


def places(text: str) -> set[str]:
    return {f"{name}:{form}" for _, name, form, _ in Formatter().parse(text) if name}


def test_both_languages_fill_in_the_same_values_in_the_same_form() -> None:
    english, korean = asdict(ENGLISH), asdict(KOREAN)
    assert {name: places(text) for name, text in english.items()} == {
        name: places(text) for name, text in korean.items()
    }


def test_every_text_is_shown_somewhere() -> None:
    folder = Path(page.__file__).parent
    code = "\n".join(file.read_text() for file in folder.glob("*.py"))
    unused = [name for name in asdict(ENGLISH) if not re.search(rf"texts\.{name}\b", code)]
    assert unused == []


def test_no_sentence_is_empty_and_korean_is_korean() -> None:
    korean = asdict(KOREAN)
    assert all(asdict(ENGLISH).values())
    assert all(korean.values())
    # What the small model was taught is English, and names of formats are names.
    english_on_purpose = {
        *("try_describe", "try_what", "try_points_what"),
        *("download_png", "download_json", "download_coco", "log_hop"),
    }
    without = {n for n, text in korean.items() if not any("가" <= c <= "힣" for c in text)}
    assert without == english_on_purpose


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("ko-KR", "ko"),
        ("ko", "ko"),
        ("KO-kr", "ko"),
        ("en-GB", "en"),
        ("kok-IN", "en"),
        (None, "en"),
    ],
)
def test_the_language_follows_the_browser(locale: str | None, language: str) -> None:
    assert of_locale(locale) == language
