"""Places in forms whose lines say what belongs together: tables, rows, YAML and TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from app.client.grounding.items import Found, Item, Piece, Unreadable, bare, item_of
from app.client.grounding.numbers import corners_told_by, numbers
from app.client.grounding.places import places
from app.client.grounding.scan import Scanner
from app.client.grounding.values import NUMBER, Array, Number, Object, Pair, Text, Value, Word
from app.client.grounding.words import (
    CONTAINERS,
    COORDINATES,
    LABELS,
    PAIRS_OF_CORNERS,
    POINTS,
    SCORES,
    SETS_OF_SIDES,
    plain,
)

_A_NUMBER = re.compile(NUMBER)
_SEPARATORS = "|\t;,"
_BRACKET = re.compile(r"[\[\]{}()<>]")
BULLET = r"(?:[-*•]|\d{1,3}[.)]|#\d{1,3}[.):]?)"
_BULLET = re.compile(rf"{BULLET}\s+")
_UNIT = re.compile(r"(?<=\d)(?:px)?;?\Z")
_DIGIT = re.compile(r"\d")
_NAME_WORDS = 3
_RULE = re.compile(r"[\s|:+-]+")
"""Between a table's head and its rows."""
_DECORATION = " *_`\"'"
_KEY = r"[^\W\d][\w .-]{0,40}"
_ENTRY = re.compile(
    rf"[ \t]*(?P<dash>(?:- ){{0,2}})(?P<key>{_KEY}?)(?::|[ \t]{{0,3}}=(?=[ \t]))"
    r"(?:[ \t]+(?P<value>\S.*?))?[ \t]*"
)
"""A line of YAML or TOML."""
_HEADING = re.compile(
    rf"[ \t]*(?:\[{{1,2}}(?P<table>{_KEY})\]{{1,2}}|#{{1,6}}[ \t]+(?P<title>{_KEY})"
    rf"|(?:{BULLET}[ \t]+)?\*\*(?P<strong>{_KEY}?):?\*\*:?)[ \t]*"
)
"""``[cup]`` and ``[[objects]]`` of TOML, ``### cup`` and ``- **cup**`` of Markdown."""
_ELEMENT = re.compile(rf"[ \t]*- (?P<number>{NUMBER})[ \t]*")


class Line(NamedTuple):
    text: str
    start: int


def without_lines(text: str) -> tuple[str, list[Found]]:
    """The text with spaces where such lines stood, so that all positions stay; and their places."""
    lines = [Line(each.group(), each.start()) for each in re.finditer(r"[^\n]+", text)]
    scanner = Scanner(text)
    found: list[Found] = []
    kept, at, index = "", 0, 0
    while index < len(lines):
        end, more = _table(lines, index) or _block(lines, index, scanner) or (index + 1, [])
        if more:
            first, last = lines[index].start, lines[end - 1]
            until = last.start + len(last.text)
            kept, at = f"{kept}{text[at:first]}{' ' * (until - first)}", until
            found += more
        index = end
    return kept + text[at:], found


def _table(lines: Sequence[Line], begin: int) -> tuple[int, list[Found]] | None:
    """A head that names a box's four sides, and rows below it; or a row with a name alone.

    Returns the line behind it.
    """
    first = lines[begin]
    if _BRACKET.search(first.text):
        return None
    separator = next((mark for mark in _SEPARATORS if first.text.count(mark) >= 4), None)
    if separator is None:
        row = _row_of_words(first)
        return (begin + 1, [row]) if row else None
    head = [plain(cell) for cell in _cells(first, separator)]
    sides = next((keys for keys in SETS_OF_SIDES if set(keys) <= set(head)), None)
    if sides is None:
        row = _row_alone(first, separator)
        return (begin + 1, [row]) if row else None
    end = begin + 1
    found: list[Found] = []
    while end < len(lines) and separator in lines[end].text:
        line = lines[end]
        end += 1
        if separator == "|" and end == len(lines) and not line.text.rstrip().endswith("|"):
            found.append(Unreadable("the answer breaks off inside a row", Piece(*line)))
        elif not _RULE.fullmatch(line.text):
            found.append(_row(line, head, _cells(line, separator), sides))
    return end, found


def _cells(line: Line, separator: str) -> list[str]:
    text = line.text.strip()
    if separator == "|":
        text = text.removeprefix("|").removesuffix("|")
    return [cell.strip(_DECORATION) for cell in text.split(separator)]


def _row(line: Line, head: Sequence[str], cells: Sequence[str], sides: Sequence[str]) -> Found:
    piece = Piece(*line)
    row = dict(zip(head, cells, strict=False))
    group = [_number(row[key], line) for key in sides if _A_NUMBER.fullmatch(row.get(key, ""))]
    if len(group) != len(sides):
        return Unreadable("a row without its four numbers", piece)
    texts = [cell for cell in cells if cell and not _A_NUMBER.fullmatch(cell)]
    label = next((row[key] for key in LABELS if row.get(key)), next(iter(texts), ""))
    found = item_of(label, corners_told_by(sides, group), "box", piece)
    score = next((row[key] for key in SCORES if _A_NUMBER.fullmatch(row.get(key, ""))), None)
    return replace(found, score=float(score)) if score and isinstance(found, Item) else found


def _row_alone(line: Line, separator: str) -> Found | None:
    """``cup, 10, 20, 30, 40``."""
    cells = [cell for cell in _cells(line, separator) if cell]
    group = [_number(cell, line) for cell in cells if _A_NUMBER.fullmatch(cell)]
    if len(cells) != 5 or len(group) != 4:
        return None
    label = cells[-1] if _A_NUMBER.fullmatch(cells[0]) else cells[0]
    if _A_NUMBER.fullmatch(label):
        return None  # what is no number stands between them
    return bare(item_of(_BULLET.sub("", label, count=1), group, "box", Piece(*line)))


def _row_of_words(line: Line) -> Found | None:
    """``cup 10 20 30 40``, also ``cup 0.9 10 20 30 40`` with a score and ``10 20 30 40 cup``."""
    words = _BULLET.sub("", line.text.strip(), count=1).split()
    whole = [bool(_A_NUMBER.fullmatch(word)) for word in words]
    if all(whole[-4:]):
        has_score = whole[:-4][-1:] == [True]
        name, score, group = words[: -4 - has_score], words[-4 - has_score : -4], words[-4:]
    elif all(whole[:4]):
        name, score, group = words[4:], [], words[:4]
    else:
        return None
    if not 0 < len(name) <= _NAME_WORDS or any(map(_DIGIT.search, name)):
        return None
    numbers = [_number(word, line) for word in (*group, *score)]
    return bare(item_of(" ".join(name).strip(_DECORATION + ":"), numbers, "box", Piece(*line)))


def _number(text: str, line: Line) -> Number:
    return Number(float(text), line.start, line.start + len(line.text), "." in text)


def _block(lines: Sequence[Line], begin: int, scanner: Scanner) -> tuple[int, list[Found]] | None:
    """Lines of ``key: value``, and the places that they tell; returns the line behind them."""
    block: list[re.Match[str]] = []
    end = begin
    while end < len(lines) and (read := _read(lines[end])):
        block.append(read)
        end += 1
    if not block:
        return None
    inside_json = (begin and lines[begin - 1].text.rstrip()[-1:] in {"{", "[", ","}) or (
        end < len(lines) and lines[end].text.lstrip()[:1] in {"}", "]"}
    )
    if inside_json:
        return end, []
    found: list[Found] = []
    for thing, name in _things(lines[begin:end], block, scanner):
        thing.pairs = [pair for pair in thing.pairs if not _is_heading(pair.value)]
        if _has_a_place(thing):
            found += places(thing, scanner.text, name)
    return end, found


def _read(line: Line) -> re.Match[str] | None:
    """As an element of a list, a heading, or a key with its value."""
    if told := _ELEMENT.fullmatch(line.text) or _HEADING.fullmatch(line.text):
        return told
    entry = _ENTRY.fullmatch(line.text)
    return entry if entry and _is_whole(entry["value"] or "") else None


def _is_whole(value: str) -> bool:
    """Whether no bracket or comma of JSON goes on in the next line."""
    return value[-1:] not in {",", "{", "["} and all(
        value.count(one) == value.count(other) for one, other in ("[]", "{}", "()")
    )


def _things(
    lines: Sequence[Line], block: Sequence[re.Match[str]], scanner: Scanner
) -> Iterator[tuple[Object, str]]:
    """Each thing's pairs as one object, and the key above it that may be its name."""
    thing, name = Object(lines[0].start, closed=True), ""
    for line, entry in zip(lines, block, strict=True):
        end = line.start + len(line.text)
        if entry.re is _ELEMENT:
            last = thing.pairs[-1].value if thing.pairs else None
            if isinstance(last, Array):
                last.items.append(_number(entry["number"], line))
                last.end = thing.end = end
            continue
        heading = str(entry[entry.lastgroup or 0]) if entry.re is _HEADING else ""
        key = (heading or str(entry["key"])).strip()
        known = {pair.key for pair in thing.pairs}
        is_above = bool(heading) or (
            not entry["value"] and plain(key) not in {*COORDINATES, *LABELS}
        )
        if thing.pairs and (
            is_above or key in known or (entry["dash"] and not _goes_on(key, thing))
        ):
            yield thing, name
            thing = Object(line.start, closed=True)
        if is_above:
            name = "" if plain(key) in CONTAINERS else key
        else:
            thing.pairs.append(Pair(key, line.start, _value(entry, line, scanner)))
            thing.end = end
    yield thing, name


def _goes_on(key: str, thing: Object) -> bool:
    """Whether the thing has a part of a box, and this is another part of it."""
    known = {plain(pair.key or "") for pair in thing.pairs}
    return any(
        plain(key) in parts and known.intersection(parts)
        for parts in (*PAIRS_OF_CORNERS, *SETS_OF_SIDES)
    )


def _value(entry: re.Match[str], line: Line, scanner: Scanner) -> Value:
    start, end = (line.start + at for at in entry.span("value"))
    told = _UNIT.sub("", str(entry["value"] or ""))
    if not told:
        return Array(line.start, closed=True)
    if told in {"null", "~", "None"}:
        return Word("null", start, end)
    if told[0] in "[({":
        value, at = scanner.scan(start)
        if not scanner.text[at:end].strip(" \t,;"):
            return value
    if _A_NUMBER.fullmatch(told):
        return Number(float(told), start, end, "." in told)
    return Text(told.strip("\"'"), start, end)


def _has_a_place(thing: Object) -> bool:
    known = {plain(pair.key or ""): pair.value for pair in thing.pairs}
    return any(
        known.keys() >= set(keys) for keys in (*SETS_OF_SIDES, *PAIRS_OF_CORNERS, *POINTS)
    ) or any(
        key in COORDINATES
        and (len(numbers(value)) > 1 or isinstance(value, Object) or _is_nothing(value))
        for key, value in known.items()
    )


def _is_heading(value: Value) -> bool:
    """A key without a value and without elements below it: the lines there have keys."""
    return isinstance(value, Array) and value.end < 0


def _is_nothing(value: Value) -> bool:
    return isinstance(value, Word) or (isinstance(value, Array) and not value.items)
