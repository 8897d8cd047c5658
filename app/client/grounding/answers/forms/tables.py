"""Places in tables, and in rows of commas or spaces."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.client.grounding.answers.items import (
    Found,
    Piece,
    Unreadable,
    bare,
    in_any_order,
    is_of_shares,
    item_of,
    scored,
)
from app.client.grounding.answers.names.parts import ARTICLE, BULLET, are_a_name
from app.client.grounding.answers.numbers import corners_told_by, numbers
from app.client.grounding.answers.objects.keys import pair_of_corners
from app.client.grounding.answers.tolerant_json.values import NUMBER, Number, Text
from app.client.grounding.answers.words import (
    COORDINATES,
    LABELS,
    POINTS,
    SCORES,
    SETS_OF_SIDES,
    SIZES,
    plain,
)

_A_NUMBER = re.compile(NUMBER)
_LIKE_A_NUMBER = re.compile(r"\S|[^\s\d]*\d\S*")
"""Also with a wrong letter in it."""
_SEPARATORS = {"|": 3, "\t": 4, ";": 4, ",": 4}
"""And how many of them a row has at least."""
_BRACKET = re.compile(r"[\[\]{}()<>]")
_BULLET = re.compile(rf"{BULLET}\s+")
_A_WORD = re.compile(r"[^\W\d]\w*")
_DIGIT = re.compile(r"\d")
_SHARE = re.compile(r"0?\.\d+|1\.0*")
_ENDS_WITH_A_NUMBER = re.compile(
    rf"(?P<name>.*?\S)(?P<mark>\s*[:=]\s*|(?<=[^\W\d])\s+)(?P<number>{NUMBER})"
)
"""``cup 1``, ``cup: 0.9``, and ``The winning numbers are 5``."""
_NAME_WORDS = 3
_RULE = re.compile(r"[\s|:+=-]+")
"""Between a table's head and its rows."""
_MORE_CELLS = "a row with more cells than its head"
_DECORATION = " *_`\"'"
_UNIT = re.compile(r"(?<=\d)\s?px\Z")
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


class Line(NamedTuple):
    text: str
    start: int


def table(lines: Sequence[Line], begin: int) -> tuple[int, list[Found]] | None:
    """A head that names a box's four sides, and rows below it; or a row with a name alone.

    Returns the line behind it.
    """
    first = lines[begin]
    separator = next((m for m, least in _SEPARATORS.items() if first.text.count(m) >= least), None)
    if _BRACKET.search(first.text):
        without = Line(_IN_BRACKETS.sub("", first.text), first.start)
        head = [plain(cell) for cell in _cells(without, "|")]
        return _table_of_places(lines, begin, "|", head) if len(head) > 1 else None
    words = first.text.split() if separator is None else []
    names = [plain(word) for word in words]
    if len(in_words := _sides_in(names)) == 4 and all(map(_A_WORD.fullmatch, words)):
        return _table_of_words(lines, begin, names, in_words)
    head = [plain(cell) for cell in _cells(first, separator or ",")]
    if separator is None and head[:1] and head[0] in LABELS and head[-1] in COORDINATES:
        return _table_of_places(lines, begin, ",", head)
    if separator is None:
        row = _row_of_words(first)
        return (begin + 1, [row]) if row else None
    sides = _sides_in(head)
    if not sides:
        row = _row_alone(first, separator)
        return (begin + 1, [row]) if row else _table_of_places(lines, begin, separator, head)
    end = begin + 1
    found: list[Found] = []
    while end < len(lines) and separator in lines[end].text:
        line = lines[end]
        end += 1
        if separator == "|" and end == len(lines) and _is_cut(line, first):
            found.append(Unreadable("the answer breaks off inside a row", Piece(*line)))
        elif not _RULE.fullmatch(line.text):
            found.append(_row(line, head, _cells(line, separator), sides))
    return end, found


def _sides_in(head: Sequence[str]) -> Sequence[str]:
    return next((keys for keys in (*SETS_OF_SIDES, *POINTS) if set(keys) <= set(head)), ())


def _table_of_words(
    lines: Sequence[Line], begin: int, head: Sequence[str], sides: Sequence[str]
) -> tuple[int, list[Found]]:
    """Below a head whose cells only spaces part, as pandas prints it: each row has its number."""
    end = begin + 1
    found: list[Found] = []
    while end < len(lines):
        if _RULE.fullmatch(lines[end].text):
            end += 1
            continue
        cells = _cells(lines[end], " ")
        if len(cells) == len(head) + 1 and cells[0].isdecimal():
            cells = cells[1:]
        if len(cells) != len(head):
            break
        row = _row(lines[end], head, cells, sides)
        if all(map(_A_NUMBER.fullmatch, cells)):  # the first may be the row's number
            row = Unreadable("a row whose columns are not known", row.piece)
        found.append(row)
        end += 1
    return end, found


def _is_cut(line: Line, head: Line) -> bool:
    """Whether it lacks the bar at its end that the head has."""
    return head.text.rstrip().endswith("|") and not line.text.rstrip().endswith("|")


def _table_of_places(
    lines: Sequence[Line], begin: int, separator: str, head: Sequence[str]
) -> tuple[int, list[Found]] | None:
    """Below a head with one column for all numbers, or one for each of two corners.

    ``| cup | [10, 20] |``.
    """
    columns = pair_of_corners(head) or [key for key in head if key in COORDINATES][:1]
    if not columns or not {*SIZES}.isdisjoint(head):
        return None
    end = begin + 1
    found: list[Found] = []
    while end < len(lines) and separator in lines[end].text:
        line = lines[end]
        end += 1
        if _RULE.fullmatch(line.text):
            continue
        if separator == "|" and end == len(lines) and _is_cut(line, lines[begin]):
            found.append(Unreadable("the answer breaks off inside a row", Piece(*line)))
            continue
        if separator == "," and not line.text.rstrip().endswith('"'):
            if not found:
                return None
            found.append(Unreadable("a row without its list in quotes", Piece(*line)))
            continue
        texts = _cells(line, separator)
        if any(map(_DIGIT.search, texts[len(head) :])):
            found.append(Unreadable(_MORE_CELLS, Piece(*line)))
            continue
        row = dict(zip(head, texts, strict=False))
        cells = " ".join(row.get(key, "") for key in columns)
        group = numbers(Text(cells, line.start, line.start + len(line.text)))
        if len(group) not in (2, 4) and len(columns) == 1:
            return None
        others = [text for key, text in row.items() if key not in columns]
        kind = COORDINATES.get(columns[0], "box")
        place = item_of(_label(row, others), group, kind, Piece(*line))
        if len(columns) == 1:
            place = in_any_order(place)
        found.append(scored(place, _score(row)))
    return end, found


def _label(row: Mapping[str, str], texts: Sequence[str]) -> str:
    """The cell below a word for a name, else the first of these texts."""
    return next((row[key] for key in LABELS if row.get(key)), next(iter(texts), ""))


def _cells(line: Line, separator: str) -> list[str]:
    text = line.text.strip()
    if separator == "|":
        text = text.removeprefix("|").removesuffix("|")
    quoted = csv.reader([text], delimiter=separator, skipinitialspace=True)
    return [_UNIT.sub("", cell.strip(_DECORATION)) for row in quoted for cell in row]


def _row(line: Line, head: Sequence[str], cells: Sequence[str], sides: Sequence[str]) -> Found:
    piece = Piece(*line)
    row = dict(zip(head, cells, strict=False))
    if any(map(_A_NUMBER.fullmatch, cells[len(head) :])):
        return Unreadable(_MORE_CELLS, piece)
    if len(sides) == 2 and not {"width", "height"}.isdisjoint(head):
        return Unreadable("a row with one side of a size", piece)
    group = [number_in(row[key], line) for key in sides if _A_NUMBER.fullmatch(row.get(key, ""))]
    if len(group) != len(sides):
        return Unreadable(f"a row without its {'four' if len(sides) > 2 else 'two'} numbers", piece)
    texts = [cell for cell in cells if cell and not _A_NUMBER.fullmatch(cell)]
    found = item_of(_label(row, texts), corners_told_by(sides, group), "either", piece)
    return scored(found, _score(row))


def _score(row: Mapping[str, str]) -> float | None:
    cells = (row[key] for key in SCORES if _A_NUMBER.fullmatch(row.get(key, "")))
    return next(map(float, cells), None)


def _row_alone(line: Line, separator: str) -> Found | None:
    """``cup, 10, 20, 30, 40``."""
    cells = [cell for cell in _cells(line, separator) if cell]
    score = next((at for at in (1, -1) if len(cells) == 6 and _is_a_score(cells, at)), None)
    scores = [] if score is None else [cells.pop(score)]
    if len(cells) != 5:
        return None
    if _LIKE_A_NUMBER.fullmatch(cells[0]) and not _A_NUMBER.fullmatch(cells[4]):
        label, four = cells[4], cells[:4]
    else:
        label, four = cells[0], cells[1:]
    label = _BULLET.sub("", label, count=1)
    if _A_NUMBER.fullmatch(label):
        return None  # what is no number stands between them
    if told := _ENDS_WITH_A_NUMBER.fullmatch(label):
        is_marked = bool(told["mark"].strip())
        if is_marked and not scores and _SHARE.fullmatch(told["number"]):
            label, scores = told["name"], [told["number"]]
        elif is_marked or not are_a_name(ARTICLE.sub("", told["name"], count=1).split()):
            return None
    return _box(label, four, scores, line)


def _is_a_score(cells: Sequence[str], at: int) -> bool:
    """And the only share among these: where all are, nothing tells which is the score."""
    shares = [cell for cell in cells if _SHARE.fullmatch(cell)]
    return shares == [cells[at]]


def _box(label: str, four: Sequence[str], score: Sequence[str], line: Line) -> Found | None:
    """Of four words, one of which may be damaged: then the row is told."""
    group = [number_in(word, line) for word in four if _A_NUMBER.fullmatch(word)]
    if len(group) < 3 or not all(map(_LIKE_A_NUMBER.fullmatch, four)):
        return None
    scores = [number_in(word, line) for word in score]
    corners = [number.value for number in group]
    if _is_a_score(four, 0) and not scores:
        return Unreadable("a row with a score, without its four numbers", Piece(*line))
    if is_of_shares(group) and len(group) == 4 and not _are_in_order(corners):
        return Unreadable("shares that are no two corners, as of a centre and a size", Piece(*line))
    return bare(item_of(label, [*group, *scores], "box", Piece(*line)))


def _are_in_order(corners: Sequence[float]) -> bool:
    left, top, right, bottom = corners
    return left < right and top < bottom


def _row_of_words(line: Line) -> Found | None:
    """``cup 10 20 30 40``, also ``cup 0.9 10 20 30 40`` with a score and ``10 20 30 40 cup``."""
    text = line.text.strip()
    words = _BULLET.sub("", text, count=1).split()
    is_number = [_A_NUMBER.fullmatch(word) is not None for word in words]
    has_score = is_number[:-4][-1:] == [True]
    name, score, four = words[: -4 - has_score], words[-4 - has_score : -4], words[-4:]
    if not all(map(_LIKE_A_NUMBER.fullmatch, four)) or all(is_number[:4]):
        name, score, four = words[4:], [], words[:4]
    is_sentence = text.endswith(".")
    if is_sentence or not 0 < len(name) <= _NAME_WORDS or any(map(_DIGIT.search, name)):
        return None
    return _box(" ".join(name).strip(_DECORATION + ":"), four, score, line)


def number_in(text: str, line: Line) -> Number:
    return Number.of(text, line.start, line.start + len(line.text))
