"""Places in forms that are no JSON: tags of several models, XML, a line with a name."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from dataclasses import replace

from app.client.grounding.items import Found, Item, Piece, Unreadable, item_of
from app.client.grounding.values import NUMBER, Number
from app.client.grounding.words import Kind

_NAME_TAGS = (
    (r"<\s*\|\s*object_ref_start\s*\|\s*>", r"<\s*\|\s*object_ref_end\s*\|\s*>"),  # Qwen2-VL
    (r"<ref>", r"</ref>"),  # InternVL, Qwen-VL
    (r"<\|ref\|>", r"<\|/ref\|>"),  # DeepSeek-VL2
    (r"<p>", r"</p>"),  # MiniGPT-v2, Kosmos-2
)
_BOX_TAGS = (
    (r"<\s*\|\s*box_start\s*\|\s*>", r"<\s*\|\s*box_end\s*\|\s*>"),
    (r"<b?box>", r"</b?box>"),
    (r"<\|det\|>", r"<\|/det\|>"),
)
_NAME = "|".join(rf"{begin}([^<]{{0,200}})(?:{end})" for begin, end in _NAME_TAGS)
NAMED = re.compile(rf"(?:{_NAME})[\s,;:]*(?=<)")
_NUMBERS = r"[\s\d.,;()\[\]+-]*"
BOXES = "|".join(begin for begin, _ in _BOX_TAGS)
_BOXES_END = re.compile("|".join(end for _, end in _BOX_TAGS))
_BEGIN = re.compile(BOXES)
_CONTENT = re.compile(_NUMBERS)
_NUMBER = re.compile(NUMBER)
_INNER = re.compile(rf"\[\s*{NUMBER}(?:\s*,\s*{NUMBER})*\s*\]")
POINTS = r"<points?\b"
_POINTS = re.compile(r"<points?\b([^<>]*)>([^<]*)</points?>|<points?\s([^<>]*)/>")
_POINTS_SO_FAR = re.compile(r"<points?\b[^<>]*(?:>[^<]*(?:</?[points]*)?)?\Z")
_PLACE = re.compile(rf"""x\d*\s*=\s*["']?({NUMBER})["']?\s*y\d*\s*=\s*["']?({NUMBER})""")
_ALT = re.compile(r"""\b(?:alt|label|name)\s*=\s*["']([^"']*)["']""")
LOCATIONS = r"(?:<(?:loc_?)?\d{1,4}>\s*){4}"
"""PaliGemma's and Florence's tokens: their order and range are not those of the models served."""
_SIDE = rf"\s*[:=]\s*({NUMBER})"
_NEXT = r"[\s,;]*,?[\s,;]*"
SIDES = (
    rf"\bx\w{{0,5}}{_SIDE}{_NEXT}y\w{{0,5}}{_SIDE}{_NEXT}x\w{{0,5}}{_SIDE}{_NEXT}y\w{{0,5}}{_SIDE}"
    rf"|\b(?:bbox|box|bounding box|coordinates)(?:_2d)?\s*[:=]\s*"
    rf"({NUMBER})\s*,\s*({NUMBER})\s*,\s*({NUMBER})\s*,\s*({NUMBER})"
)
_WORD = r"[^\s*_`\"'.:<>{}\[\]()]+"
_LINE = re.compile(
    r"(?:\A|\n)[ \t]*(?:[-*•|]|\d{1,3}[.)])?[ \t]*[*_`\"']{0,3}"
    rf"({_WORD}(?:[ \t]+{_WORD}){{0,2}})[*_`\"']{{0,3}}[ \t]*[:\uff1a=|]"
    r"[*_`]{0,2}[ \t]*\Z"
)


def boxes(answer: str, start: int, label: str) -> tuple[list[Found], int]:
    """Between the tags of a box: corners, lists of four numbers, or one place."""
    begin = _BEGIN.match(answer, start)
    content = _CONTENT.match(answer, begin.end() if begin else start)
    if not begin or not content:
        return [], start + 1
    end = _BOXES_END.match(answer, content.end())
    at = end.end() if end else content.end()
    piece = Piece(answer[start:at], start)
    if not end and (at == len(answer) or _is_cut_tag(answer, at)):
        rest = Piece(answer[start:], start)
        return [Unreadable("the answer breaks off inside a box", rest, quoted=False)], rest.end
    numbers = tuple(_numbers(content.group(), content.start()))
    if not end and len(numbers) % 4:
        return [Unreadable("a box without its end", piece)], at
    inner = list(_INNER.finditer(content.group()))
    if len(inner) > 1:
        groups = [tuple(_numbers(each.group(), content.start() + each.start())) for each in inner]
    elif len(numbers) % 4 == 0 and numbers:
        groups = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
    else:
        groups = [numbers]
    found: list[Found] = []
    for group in groups:
        kind: Kind = "either" if len(group) == 2 else "box"
        found.append(item_of(label, group, kind, piece))
    return found, at


def is_tag(text: str) -> bool:
    return _BEGIN.fullmatch(text) is not None


def points(answer: str, start: int) -> tuple[list[Found], int]:
    """``<points x1="5" y1="6" alt="lids">lid</points>`` and ``<point>5 6</point>``."""
    if _POINTS_SO_FAR.match(answer, start):
        rest = Piece(answer[start:], start)
        return [Unreadable("the answer breaks off inside a point", rest, quoted=False)], rest.end
    match = _POINTS.match(answer, start)
    if not match:
        return [], start + 1
    piece = Piece(match.group(), start)
    attributes, content, alone = (group or "" for group in match.groups())
    attributes = attributes or alone
    places = [(float(x), float(y)) for x, y in _PLACE.findall(attributes)]
    if not places:
        numbers = tuple(_numbers(content, match.start(2)))
        return [item_of("", numbers, "point", piece)], match.end()
    alt = _ALT.search(attributes)
    label = content.strip() or (alt.group(1) if alt else "")
    return [Item(label, place, piece) for place in places], match.end()


def locations(match: re.Match[str]) -> Unreadable:
    piece = Piece(match.group(), match.start())
    return Unreadable("location tokens, whose order and range are not known", piece)


def corners(match: re.Match[str]) -> Found:
    """``(10,20),(30,40)``."""
    numbers = tuple(_numbers(match.group(), match.start()))
    found = item_of("", numbers, "box", Piece(match.group(), match.start()))
    return replace(found, bare=True) if isinstance(found, Item) else found


def sides(match: re.Match[str]) -> Found:
    """``x1: 10, y1: 20, x2: 30, y2: 40`` and ``bbox: 10, 20, 30, 40``."""
    values = [number for number in match.groups() if number is not None]
    numbers = tuple(Number(float(n), match.start(), match.end(), "." in n) for n in values)
    found = item_of("", numbers, "box", Piece(match.group(), match.start()))
    return replace(found, bare=True) if isinstance(found, Item) else found


def name_of_line(answer: str, start: int) -> str:
    """``- cup: [10, 20, 30, 40]``: what stands before the place in its line, if it is a name."""
    line = _LINE.search(answer, max(answer.rfind("\n", 0, start), 0), start)
    return line.group(1) if line else ""


def name(match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group is not None), "").strip()


def _is_cut_tag(answer: str, at: int) -> bool:
    """Whether what is left can still become a closing tag."""
    return len(answer) - at < 16 and answer.startswith("<", at) and "<" not in answer[at + 1 :]


def _numbers(text: str, at: int) -> Iterable[Number]:
    def each() -> Generator[Number]:
        for match in _NUMBER.finditer(text):
            yield Number(
                float(match.group()), at + match.start(), at + match.end(), "." in match.group()
            )

    return each()
