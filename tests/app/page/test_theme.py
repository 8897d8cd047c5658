from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from app.client.grounding.draw import PALETTE, Colour, luminance, writing_on

PAGE = Path(__file__).parents[3] / "app" / "client" / "page"
CONFIG = tomllib.loads((PAGE / ".streamlit" / "config.toml").read_text())
WHITE = (255, 255, 255)


def colour(text: str) -> Colour:
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_contrast_that_the_standard_says() -> None:
    assert contrast((0, 0, 0), WHITE) == pytest.approx(21)
    assert contrast((119, 119, 119), WHITE) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("on", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_and_links_are_readable_on_every_background(theme: str, on: str) -> None:
    colours = {name: colour(text) for name, text in CONFIG["theme"][theme].items()}
    assert contrast(colours["textColor"], colours[on]) >= 4.5
    assert contrast(colours["primaryColor"], colours[on]) >= 4.5
    # Captions: Streamlit draws them in the text's colour at 60 %.
    text, under = colours["textColor"], colours[on]
    red, green, blue = (round(0.6 * a + 0.4 * b) for a, b in zip(text, under, strict=True))
    assert contrast((red, green, blue), under) >= 4.5


@pytest.mark.parametrize("marked", PALETTE)
def test_a_boxs_label_is_readable_on_its_own_colour(marked: Colour) -> None:
    assert contrast(writing_on(marked), marked) >= 4.5


def test_errors_are_told_without_a_traceback() -> None:
    assert CONFIG["client"]["showErrorDetails"] == "none"
    assert CONFIG["browser"]["gatherUsageStats"] is False
