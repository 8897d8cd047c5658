"""Places in forms whose lines say what belongs together: YAML, TOML, and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

from app.client.grounding.answers.forms.tables import Line, number_in, table
from app.client.grounding.answers.items import Found
from app.client.grounding.answers.names.parts import BULLET, MAX_WORDS, are_a_name
from app.client.grounding.answers.numbers import numbers
from app.client.grounding.answers.objects.places import Read, places
from app.client.grounding.answers.side_names import side_or_corner
from app.client.grounding.answers.tolerant_json.scan import Scanner
from app.client.grounding.answers.tolerant_json.values import (
    NUMBER,
    Array,
    Number,
    Object,
    Pair,
    Text,
    Value,
    Word,
)
from app.client.grounding.answers.words import (
    ALL_CORNERS,
    CENTRES,
    CONTAINERS,
    COORDINATES,
    FIRST_CORNERS,
    LABELS,
    PAIRS_OF_CORNERS,
    POINTS,
    POSITIONS,
    SCORES,
    SETS_OF_SIDES,
    SIZES,
    plain,
)

_A_NUMBER = re.compile(NUMBER)
_SIZED = (*CENTRES, *FIRST_CORNERS, *POSITIONS, *SIZES)
"""Keys of a place and of its size."""
_UNIT = re.compile(r"(?<=\d)(?:px)?;?\Z")
_KEY = r"[^\W\d][\w .-]{0,40}"
_ENTRY = re.compile(
    rf"[ \t]*(?P<dash>(?:{BULLET}[ \t]+){{0,2}})(?P<mark>\*\*|[`\"']|)(?P<key>{_KEY}?)"
    r"(?:(?P=mark)[ \t]{0,3}(?::|=(?=[ \t]|[-\d.]+\Z))|:(?P=mark))"
    r"(?:(?:[ \t]+|(?<==)(?=[-\d.]+\Z))(?P<value>\S.*?))?"
    r"(?:[ \t]+#[ \t].*)?[ \t]*"
)
"""A line of YAML or TOML, or of a list in Markdown with its key in bold or as code."""
_HEADING = re.compile(
    rf"[ \t]*(?:\[{{1,2}}(?P<table>{_KEY})\]{{1,2}}"
    rf"|#{{1,6}}[ \t]+(?:\d{{1,3}}[.)][ \t]+)?(?P<title>{_KEY})"
    rf"|(?:{BULLET}[ \t]+)?\*\*(?P<strong>{_KEY}?):?\*\*:?(?:[ \t]+\([^()\n,]{{1,40}}\):?)?"
    rf"|{BULLET}[ \t]+(?P<item>{_KEY}))[ \t]*"
)
"""``[cup]`` and ``[[objects]]`` of TOML, ``### cup``, ``- **cup**`` and ``- cup`` of Markdown."""
_FOUR = re.compile(rf"{NUMBER}(?:px)?(?:\s?,\s?{NUMBER}(?:px)?){{3}}")
_A_WORD = re.compile(r"[^\W\d_][\w'-]*")
_ELEMENT = re.compile(rf"[ \t]*- (?P<number>{NUMBER})[ \t]*")


def without_lines(text: str, read: Read) -> tuple[str, list[Found]]:
    """The text with spaces where such lines stood, so that all positions stay; and their places.

    ``read`` is for texts in them, as :func:`places` has it.
    """
    lines = [Line(each.group(), each.start()) for each in re.finditer(r"[^\n]+", text)]
    scanner = Scanner(text)
    found: list[Found] = []
    kept, at, index = "", 0, 0
    while index < len(lines):
        in_table = table(lines, index)
        if in_table:
            end, more = in_table
            last = lines[end - 1]
            spans = [(lines[index].start, last.start + len(last.text))] if more else []
        else:
            end, more, spans = _block(lines, index, scanner, read) or (index + 1, [], [])
        for first, until in spans:
            kept, at = f"{kept}{text[at:first]}{' ' * (until - first)}", until
        found += more
        index = end
    return kept + text[at:], found


def _block(
    lines: Sequence[Line], begin: int, scanner: Scanner, read: Read
) -> tuple[int, list[Found], list[tuple[int, int]]] | None:
    """Lines of ``key: value``, the places that they tell, and where those stand in the text.

    Returns the line behind them, too.
    """
    block: list[re.Match[str]] = []
    end = begin
    while end < len(lines) and (told := _read(lines[end], is_last=end == len(lines) - 1)):
        block.append(told)
        end += 1
    if not block:
        return None
    inside_json = (begin and lines[begin - 1].text.rstrip()[-1:] in {"{", "[", ","}) or (
        end < len(lines) and lines[end].text.lstrip()[:1] in {"}", "]"}
    )
    if inside_json:
        return end, [], []
    found: list[Found] = []
    spans: list[tuple[int, int]] = []
    above = _name_above(lines, begin, scanner.text)
    for thing, name in _things(lines[begin:end], block, scanner, above):
        thing.pairs = [pair for pair in thing.pairs if not _is_heading(pair.value)]
        if not _has_a_place(thing):
            thing.pairs = _rows(thing)
        if thing.pairs and (more := places(thing, scanner.text, read, name)):
            found += more
            spans.append((thing.start, thing.end))
    return end, found, spans


def _read(line: Line, *, is_last: bool) -> re.Match[str] | None:
    """As an element of a list, a heading, or a key with its value, which may be cut."""
    if told := _ELEMENT.fullmatch(line.text) or _HEADING.fullmatch(line.text):
        return told
    entry = _ENTRY.fullmatch(line.text)
    return entry if entry and (is_last or _is_whole(entry["value"] or "")) else None


def _is_whole(value: str) -> bool:
    """Whether no bracket or comma of JSON goes on in the next line."""
    return value[-1:] not in {",", "{", "["} and all(
        value.count(one) == value.count(other) for one, other in ("[]", "{}", "()")
    )


def _things(
    lines: Sequence[Line], block: Sequence[re.Match[str]], scanner: Scanner, name: str
) -> Iterator[tuple[Object, str]]:
    """Each thing's pairs as one object, and the key above it that may be its name."""
    thing = Object(lines[0].start, closed=True)
    for line, entry in zip(lines, block, strict=True):
        end = line.start + len(line.text)
        if entry.re is _ELEMENT:
            if name and not thing.pairs:  # below a thing's name
                below = Array(line.start, closed=True)
                thing.pairs.append(Pair("coordinates", line.start, below))
            last = thing.pairs[-1].value if thing.pairs else None
            if isinstance(last, Array):
                last.items.append(number_in(entry["number"], line))
                last.end = thing.end = end
            elif not thing.pairs:
                thing.start = end + 1
            continue
        heading = str(entry[entry.lastgroup or 0]) if entry.re is _HEADING else ""
        key = (heading or str(entry["key"])).strip()
        known = {pair.key for pair in thing.pairs}
        is_above = bool(heading) or (
            not entry["value"] and plain(key) not in {*COORDINATES, *LABELS}
        )
        begins_anew = plain(key) in LABELS and _has_some_sides(thing)
        if thing.pairs and (
            is_above or key in known or begins_anew or (entry["dash"] and not _goes_on(key, thing))
        ):
            yield thing, name
            thing = Object(line.start, closed=True)
        if is_above:
            name = "" if plain(key) in CONTAINERS else key
        else:
            thing.pairs.append(Pair(key, line.start, _value(entry, line, scanner)))
            thing.end = end
    yield thing, name


def _name_above(lines: Sequence[Line], begin: int, text: str) -> str:
    """The first line of a paragraph that goes on with the block, if it is a name alone."""
    if begin == 0 or lines[begin].start - lines[begin - 1].start - len(lines[begin - 1].text) > 1:
        return ""
    words, start = lines[begin - 1].text.split(), lines[begin - 1].start
    begins_a_paragraph = text[max(0, start - 2) : start] in ("", "\n\n")
    is_a_name = len(words) <= MAX_WORDS and all(map(_A_WORD.fullmatch, words)) and are_a_name(words)
    return " ".join(words) if begins_a_paragraph and is_a_name else ""


def _has_some_sides(thing: Object) -> bool:
    """But no box's four: a line among them is damaged, and a name is of the next thing."""
    known = {plain(pair.key or "") for pair in thing.pairs}
    return any(known.intersection(sides) for sides in SETS_OF_SIDES) and not any(
        known.issuperset(sides) for sides in (*SETS_OF_SIDES, *POINTS)
    )


def _goes_on(key: str, thing: Object) -> bool:
    """Whether the thing has a part of a box, and this is another part of it, or its score."""
    known = {plain(pair.key or "") for pair in thing.pairs}
    return (plain(key) in SCORES and not known.isdisjoint(COORDINATES)) or any(
        plain(key) in parts and known.intersection(parts)
        for parts in (ALL_CORNERS, *PAIRS_OF_CORNERS, *SETS_OF_SIDES, _SIZED)
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
        return Number.of(told, start, end)
    return Text(told.strip("\"'"), start, end)


def _has_a_place(thing: Object) -> bool:
    known = {plain(pair.key or ""): pair.value for pair in thing.pairs}
    sized = product(FIRST_CORNERS, SIZES)
    return any(
        known.keys() >= set(keys) for keys in (*SETS_OF_SIDES, *PAIRS_OF_CORNERS, *POINTS, *sized)
    ) or any(
        (key in COORDINATES or (key in CONTAINERS and isinstance(value, Array)))
        and (len(numbers(value)) > 1 or isinstance(value, Object) or _is_nothing(value))
        for key, value in known.items()
    )


def _rows(thing: Object) -> list[Pair]:
    """Each a thing of its own, if none of them is a name."""
    if any(plain(pair.key or "") in LABELS for pair in thing.pairs):
        return []
    return [pair for pair in thing.pairs if _is_a_row(pair)]


def _is_a_row(pair: Pair) -> bool:
    """``cup: 10, 20, 30, 40``, two corners below a name."""
    value, words = pair.value, (pair.key or "").split()
    if not isinstance(value, Text) or not _FOUR.fullmatch(value.value):
        return False
    left, top, right, bottom = map(float, _A_NUMBER.findall(value.value))
    is_named = len(words) <= MAX_WORDS and are_a_name(words) and not side_or_corner(plain(words[0]))
    return left < right and top < bottom and is_named


def _is_heading(value: Value) -> bool:
    """A key without a value and without elements below it: the lines there have keys."""
    return isinstance(value, Array) and value.end < 0


def _is_nothing(value: Value) -> bool:
    return isinstance(value, Word) or (isinstance(value, Array) and not value.items)
