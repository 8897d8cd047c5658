"""Places in tags of several models, and in XML."""

from __future__ import annotations

import re

from app.client.grounding.answers.items import Found, Item, Piece, Unreadable, bare, item_of
from app.client.grounding.answers.names.parts import NAME_ATTRIBUTE
from app.client.grounding.answers.numbers import corners_told_by, numbers_in
from app.client.grounding.answers.tolerant_json.values import NUMBER, QUOTED_NUMBER, Number
from app.client.grounding.answers.words import SETS_OF_SIDES, Kind, plain

_NAME_TAGS = (
    (r"<\s*\|\s*object_ref_start\s*\|\s*>", r"<\s*\|\s*object_ref_end\s*\|\s*>"),  # Qwen2-VL
    (r"<ref>", r"</ref>"),  # InternVL, Qwen-VL
    (r"<\|ref\|>", r"<\|/ref\|>"),  # DeepSeek-VL2
    (r"<p>", r"</p>"),  # MiniGPT-v2, Kosmos-2
)
_BOX_TAGS = (
    (r"<\s*\|\s*box_start\s*\|\s*>", r"<\s*\|\s*box_end\s*\|\s*>"),
    (r"<(?:b?box|coord(?:inate)?s)(?:\s[^<>\d/]{0,120})?>", r"</(?:b?box|coord(?:inate)?s)>"),
    (r"<\|det\|>", r"<\|/det\|>"),
    (r"<\|point_start\|>", r"<\|point_end\|>"),
)
_NAME = "|".join(rf"{begin}([^<]{{0,200}})(?:{end})" for begin, end in _NAME_TAGS)
NAMED = re.compile(rf"(?:{_NAME})(?:[\s,;:]*(?=<)|[ ,;:]{{0,3}}(?=[(\[]))")
_NUMBERS = r"[\s\d.,;()\[\]+-]*"
BOXES = "|".join(begin for begin, _ in _BOX_TAGS)
_BOXES_END = re.compile("|".join(end for _, end in _BOX_TAGS))
_BEGIN = re.compile(BOXES)
_CONTENT = re.compile(_NUMBERS)
_INNER = re.compile(rf"\[\s*{NUMBER}(?:\s*,\s*{NUMBER})*\s*\]")
POINTS = r"<points?(?:\b|(?=x))"
_POINTS = re.compile(rf"{POINTS}([^<>]*)>([^<]*)</points?>|{POINTS}([^<>]*)/>")
_POINTS_SO_FAR = re.compile(rf"{POINTS}[^<>]*(?:>[^<]*(?:</?[points]*)?)?\Z")
_POINTS_WITHOUT_END = re.compile(rf"{POINTS}[^<>]*>?[^<\n]*")
_GOES_ON_AS_POINTS = re.compile(r"[^<>]{0,200}>[^<>]{0,200}</points?>")
_COORDINATE = rf"\s*=\s*([\"']?)({NUMBER})"
_PLACE = re.compile(rf"x\d*{_COORDINATE}\1[\s,]*y\d*{_COORDINATE}\3(?![^\s/])")
_X_OR_Y, _DIGIT = re.compile(r"[xy]\d*\s*="), re.compile(r"\d")
LOCATIONS = r"(?:<(?:loc_?)?\d{1,4}>\s*){4}|(?:<patch_index_\d{1,4}>\s*){2}"
"""PaliGemma's, Florence's and Kosmos-2's tokens: their order and range are not those of the models
served."""
_SIDE_NAME = (
    r"(?:(?:top|upper|bottom|lower)[-_ ]?(?:left|right)[-_ ]?(?:corner[-_ ])?[xy]|[xy](?:tl|br)"
    r"|[xy][-_ ]coord(?:inate)?|[xy][_-]?(?:min|max|center|\d)?|c[xy]|[xy]c"
    r"|(?:min|max|center|start|end)[_-]?[xy]|(?:left|top|right|bottom)(?:[-_ ](?:edge|side))?"
    r"|links|oben|rechts|unten|왼쪽|위쪽?|오른쪽|아래쪽?|左|上|右|下|w(?:idth)?|h(?:eight)?)"
)
_SIDE = (
    rf"\b{_SIDE_NAME}(?:[*`]{{0,2}}\s{{0,9}}[:=][*`]{{0,2}}\s{{0,9}}{QUOTED_NUMBER}"
    rf"|\s{{0,9}}>\s{{0,9}}{NUMBER}\s{{0,9}}</\w{{1,12}}>|[ \t]{NUMBER})(?:px)?"
)
_A_SIDE = re.compile(_SIDE, re.IGNORECASE)
_ITS_NAME = re.compile(_SIDE_NAME, re.IGNORECASE)
_NEXT = r"[\s,;<|()\[\]*`]{1,40}(?:and\s|(?:bottom|lower)[- ]right\W{1,9})?"
SIDE = rf"\b{_SIDE_NAME}(?:[*`]{{0,2}}\s{{0,9}}[:=>]|[ \t]\d)"
"""What may begin ``SIDES``."""
SIDES = re.compile(rf"(?:{_SIDE}{_NEXT}){{3}}{_SIDE}", re.IGNORECASE)
"""``x1: 10, y1: 20, x2: 30, y2: 40``, also as words, attributes or elements of XML."""
_NEAR = 400
"""Letters beside a place in which its name is looked for."""
_NAMES = ("name", "label", "class", "category", "title")
_ELEMENTS = "|".join(rf"<{each}>\s*([^<>]{{1,80}}?)\s*</{each}>" for each in _NAMES)
_CHILD = re.compile(rf"(?<!/)>\s{{0,99}}(?:{_ELEMENTS})", re.IGNORECASE)
"""Behind a tag that is not closed in itself."""
_NAME_ELEMENT = re.compile(
    rf"{_ELEMENTS}|\b(?:{'|'.join(_NAMES)})\s?=\s?[\"']([^\"'<>]{{1,80}})[\"']|{_NAME}",
    re.IGNORECASE,
)
_A_SIDE_OR_BOX = re.compile(rf"(?:{BOXES})|{_SIDE}", re.IGNORECASE)
_A_PLACE = re.compile(rf"(?:{BOXES})|{SIDES.pattern}", re.IGNORECASE)
_OPENS, _TAG, _WORD = re.compile(r"[^<>]*>"), re.compile(r"<[^<>]*>"), re.compile(r"\w")
_TEXT_BEHIND = re.compile(r"[ \t:-]{0,3}([^\W\d][^<>\n.,;]{0,60}?)\s*(?=<|\n|\Z|[.,;])")
_SENTENCE_ENDS = re.compile(r"\w[.!?]\s")
_TEXT_OF_ELEMENT = re.compile(r">\s*([^\W\d][^<>]{0,80}?)\s*</")
_OWN_SIDES = re.compile(rf"\s*(?:<\s*{_SIDE_NAME}\s*>|{_SIDE})", re.IGNORECASE)


def boxes(answer: str, start: int) -> tuple[list[Found], int]:
    """Between the tags of a box: corners, lists of four numbers, or one place."""
    begin = _BEGIN.match(answer, start)
    content = _CONTENT.match(answer, begin.end() if begin else start)
    if not begin or not content or _OWN_SIDES.match(answer, begin.end()):
        return [], start + 1
    end = _BOXES_END.match(answer, content.end())
    at = end.end() if end else content.end()
    piece = Piece(answer[start:at], start)
    if not end and (at == len(answer) or _is_cut_tag(answer, at)):
        rest = Piece(answer[start:], start)
        return [Unreadable("the answer breaks off inside a box", rest, quoted=False)], rest.end
    numbers = numbers_in(content.group(), content.start())
    if not end and len(numbers) % 4:
        return [Unreadable("a box without its end", piece)], at
    inner = list(_INNER.finditer(content.group()))
    if len(inner) > 1:
        groups = [numbers_in(each.group(), content.start() + each.start()) for each in inner]
    elif len(numbers) % 4 == 0 and numbers:
        groups = [numbers[i : i + 4] for i in range(0, len(numbers), 4)]
    else:
        groups = [numbers]
    found: list[Found] = []
    for group in groups:
        kind: Kind = "either" if len(group) == 2 else "box"
        found.append(item_of("", group, kind, piece))
    return found, at


def is_tag(text: str) -> bool:
    return _BEGIN.fullmatch(text) is not None


def points(answer: str, start: int) -> tuple[list[Found], int]:
    """``<points x1="5" y1="6" alt="lids">lid</points>`` and ``<point>5 6</point>``."""
    match = _POINTS.match(answer, start)
    if not match and _POINTS_SO_FAR.match(answer, start):
        rest = Piece(answer[start:], start)
        return [Unreadable("the answer breaks off inside a point", rest, quoted=False)], rest.end
    if not match:
        return _points_without_end(answer, start)
    piece = Piece(match.group(), start)
    attributes, content, alone = (group or "" for group in match.groups())
    attributes = attributes or alone
    places = [(float(told[2]), float(told[4])) for told in _PLACE.finditer(attributes)]
    if not places:
        numbers = numbers_in(content, match.start(2))
        return [item_of("", numbers, "point", piece)], match.end()
    alt = NAME_ATTRIBUTE.search(attributes)
    label = content.strip() or (alt.group(1) if alt else "")
    found: list[Found] = [Item(label, place, piece) for place in places]
    if _X_OR_Y.search(NAME_ATTRIBUTE.sub("", _PLACE.sub("", attributes))):
        found.append(Unreadable("coordinates that make no point", piece))
    return found, match.end()


def _points_without_end(answer: str, start: int) -> tuple[list[Found], int]:
    so_far = _POINTS_WITHOUT_END.match(answer, start)
    if not so_far or not _DIGIT.search(so_far.group()):
        return [], start + 1  # a word about tags
    piece = Piece(so_far.group(), start)
    return [Unreadable("a point without its end", piece)], piece.end


def locations(match: re.Match[str]) -> Unreadable:
    piece = Piece(match.group(), match.start())
    return Unreadable("location tokens, whose order and range are not known", piece)


def names_are_behind(answer: str) -> bool:
    """Whether each place's name is in an element behind it.

    So it is where nothing stands before the first place but tags and lines of prose.
    """
    place = _A_PLACE.search(answer)
    if not place:
        return False
    if is_tag(place.group()) and not answer[: place.start()].strip():
        _, end = boxes(answer, place.start())
        if _TEXT_BEHIND.match(answer, end):
            return True
    own_tag = _OPENS.match(answer, place.end())
    named = _NAME_ELEMENT.search(answer)
    if not named or named.start() <= (own_tag or place).end():
        return False
    *lines, beside = answer[: place.start()].split("\n")
    before = " ".join([*(line for line in lines if "<" in line), beside])
    return _WORD.search(_TAG.sub("", before)) is None


def name_before(answer: str, since: int, end: int) -> str:
    """Of an element or an attribute before a place, or of an attribute of its own tag."""
    near = max(since, end - _NEAR)
    names = list(_NAME_ELEMENT.finditer(answer, near, end))
    if not names or _SENTENCE_ENDS.search(_TAG.sub("", answer[names[-1].end() : end])):
        return ""
    return name(names[-1])


def name_behind(answer: str, end: int) -> str:
    """Of an element behind a place, and before the next one."""
    if text := _TEXT_BEHIND.match(answer, end):
        return text.group(1)
    named = _NAME_ELEMENT.search(answer, end, end + _NEAR)
    return name(named) if named and not _A_SIDE_OR_BOX.search(answer, end, named.start()) else ""


def sides(match: re.Match[str], since: int, *, names_behind: bool) -> Found:
    """By their names. ``since`` is where the place before them ended."""
    text, start = match.string, match.start()
    piece = Piece(match.group(), start)
    end_of_tag = start
    if text.rfind("<", since, start) > text.rfind(">", since, start):
        end_of_tag = text.find(">", match.end())
        if end_of_tag < 0:
            return Unreadable("the answer breaks off inside a tag", piece, quoted=False)
    if _GOES_ON_AS_POINTS.match(text, match.end()):
        return Unreadable("points without their beginning", piece)
    told = dict(_named_number(side) for side in _A_SIDE.finditer(text, *match.span()))
    label = name_behind(text, match.end()) if names_behind else ""
    if end_of_tag > start:
        label = label or _name_of_child(text, text.rfind("<", since, start), end_of_tag)
    label = label or name_before(text, since, end_of_tag)
    if not label and end_of_tag > start and (content := _TEXT_OF_ELEMENT.match(text, end_of_tag)):
        label = content.group(1)
    for keys in SETS_OF_SIDES:
        if told.keys() == set(keys):
            group = corners_told_by(keys, [told[key] for key in keys])
            return bare(item_of(label, group, "box", piece))
    return Unreadable("sides that make no box", piece)


def _name_of_child(text: str, tag: int, end_of_tag: int) -> str:
    """``<object x1="10" …><name>cup</name>``, if the tag itself has no name."""
    child = _CHILD.match(text, end_of_tag)
    own = child and _NAME_ELEMENT.search(text, tag, end_of_tag)
    return name(child) if child and not own else ""


def _named_number(side: re.Match[str]) -> tuple[str, Number]:
    name = _ITS_NAME.match(side.string, side.start())
    assert name is not None  # noqa: S101  # a side begins with it
    # The first: the name in an element's closing tag may have a digit, too.
    number, *_ = numbers_in(side.string[name.end() : side.end()], name.end())
    return plain(name.group()), number


def name(match: re.Match[str]) -> str:
    return next((group for group in match.groups() if group is not None), "").strip()


def _is_cut_tag(answer: str, at: int) -> bool:
    """Whether what is left can still become a closing tag."""
    return len(answer) - at < 16 and answer.startswith("<", at) and "<" not in answer[at + 1 :]
