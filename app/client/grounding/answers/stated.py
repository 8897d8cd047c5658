"""What an answer says of its numbers as a whole: their order, their range, the picture's size."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from app.client.grounding.answers.items import Item

_ORDER = re.compile(
    r"[\[(]\s?(?P<centre>c|center_?|centre_?)?x(?P<centre_2>_?c|_?center|_?centre)?(?:_?min|1)?\s?,"
    r"\s?(?:c|center_?|centre_?)?y\w{0,8}\s?,\s?w(?:idth)?\s?,\s?h(?:eight)?\s?[\])]"
    r"|\b(?:cv::Rect|QRectF?|pygame\.Rect|(?:stroke|fill|clear)Rect|new Rectangle)\b",
    re.IGNORECASE,
)
"""``[x, y, width, height]``, and what makes a box of such in OpenCV, Qt, pygame, HTML and Java."""
_Y_FIRST = re.compile(
    r"[\[(]\s?(?:y_?(?:min|0|1)|top)\s?,\s?(?:x_?(?:min|0|1)|left)\s?,"
    r"\s?(?:y_?(?:max|1|2)|bottom)\s?,\s?(?:x_?(?:max|1|2)|right)\s?[\])]",
    re.IGNORECASE,
)
"""``[ymin, xmin, ymax, xmax]``."""
_OF_GOOGLE, _OF_QWEN = re.compile(r"\bbox_2d\b"), re.compile(r"\bbbox_2d\b")
"""Keys of lists: with y first, and with x first."""
_SIDE = re.compile(
    r"(?:\b[xywh]\d?|min|max|left|right|top|bottom|width|height)[\W_]{0,9}\d", re.IGNORECASE
)
"""A side's name and its number."""
_SIZE = re.compile(
    r"(?:(?<!in the )(?<!in this )\b(?:image|picture|photo|canvas|screen)(?:'s)?\s"
    r"(?:size|resolution|dimensions?|spans?|measures?|covers)|\b(?:resolution|dimensions?))"
    r"\W{0,5}(?:(?:is|are|of|from)\s)?\W{0,5}\Z",
    re.IGNORECASE,
)
"""Directly before the picture's size."""
_RANGE = re.compile(
    r"\b(?:ranges?|ranging|normali[sz]ed|scaled?)\W{0,3}(?:(?:from|to|between|is|are)\s)?\W{0,3}\Z",
    re.IGNORECASE,
)
_FROM = re.compile(r"\b(?:from|between)\b", re.IGNORECASE)
_RANGES = {
    *((0.0, 0.0, most, most) for most in (999.0, 1000.0)),
    *((0.0, most) for most in (999.0, 1000.0)),
}


@lru_cache(maxsize=4)
def is_of_qwen(answer: str) -> bool:
    """Whether it has Qwen's key; asked for each object of an answer."""
    return _OF_QWEN.search(answer) is not None


def is_a_range(item: Item) -> bool:
    """Of all coordinates: it covers the whole picture."""
    return item.bare and item.numbers in _RANGES


def is_of_the_picture(item: Item, answer: str) -> bool:
    """Whether the words directly before these numbers say that they are its size, or a range."""
    if not item.bare:
        return False
    before = answer[max(0, item.piece.start - 60) : item.piece.start]
    begins_at_zero = item.numbers[:1] == (0.0,)
    if _SIZE.search(before):
        return len(item.numbers) == 2 or begins_at_zero
    is_told = _RANGE.search(before) or (is_a_range(item) and _FROM.search(item.piece.text))
    return begins_at_zero and bool(is_told)


def in_corners(answer: str) -> Callable[[Item], Item]:
    """What makes corners of lists whose keys tell no order, where the answer tells another one."""
    order = _ORDER.search(answer)
    is_of_google = _OF_GOOGLE.search(answer) and not is_of_qwen(answer)
    if order is None and (_Y_FIRST.search(answer) or is_of_google):
        return _y_first
    if order is None:
        return lambda item: item
    share = 0.5 if order["centre"] or order["centre_2"] else 0.0

    def with_a_size(item: Item) -> Item:
        if not _is_a_list(item):
            return item
        x, y, width, height = item.numbers
        left, top = x - share * width, y - share * height
        return replace(item, numbers=(left, top, left + width, top + height))

    return with_a_size


def _is_a_list(item: Item) -> bool:
    is_unknown = item.in_any_order or (item.bare and not _SIDE.search(item.piece.text))
    return is_unknown and len(item.numbers) == 4


def _y_first(item: Item) -> Item:
    if not _is_a_list(item):
        return item
    top, left, bottom, right = item.numbers
    return replace(item, numbers=(left, top, right, bottom))
