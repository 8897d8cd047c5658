"""Boxes and points in an answer, however it is written.

A JSON schema holds most servers' models to one form; this reads what comes without one. Seen from
Qwen's models: JSON in code fences or in prose, single quotes, floats, a single object, a list that
breaks off, XML points, bare corners. A growing answer can be read again at any time: what was
found before is found again, first.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Generator
from dataclasses import dataclass

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_STRING = r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'"
_OPENING = re.compile(r"\{|<points?\s|\[|\(")
_OBJECT_BODY = re.compile(rf"(?:[^{{}}\"']|{_STRING})*", re.DOTALL)
_COORDINATES = re.compile(
    rf"""["'](?:bbox_2d|bbox|box_2d|box|point_2d|point|coordinates)["']\s*:\s*
    ((?:[\s,()\[\]]*{_NUMBER})+)""",
    re.VERBOSE,
)
_LABEL = re.compile(
    rf"""["'](?:label|name|class|category|object|text|text_content)["']\s*:\s*({_STRING})""",
    re.VERBOSE | re.DOTALL,
)
_POINTS = re.compile(r"<points?\s([^<>]*)>([^<]*)</points?>")
_POINTS_SO_FAR = re.compile(r"<points?\s[^<>]*(?:>[^<]*(?:</?[points]*)?)?\Z")
_PLACE = re.compile(rf"""x\d*\s*=\s*["']?({_NUMBER})["']?\s*y\d*\s*=\s*["']?({_NUMBER})""")
_BARE = re.compile(rf"\[\s*{_NUMBER}(?:\s*,\s*{_NUMBER}){{3}}\s*\]")
_CORNERS = re.compile(
    rf"\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)\s*,\s*\(\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\)"
)


@dataclass(frozen=True, slots=True)
class Item:
    """One box (four numbers) or one point (two), as the answer has it."""

    label: str
    numbers: tuple[float, ...]
    raw: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A piece that should have been an item."""

    why: str


def items(answer: str) -> Generator[Item | Unreadable]:
    """Each item in order; those not yet complete are left for later, the last of them told.

    Never raises, whatever the text.
    """
    at = 0
    while opening := _OPENING.search(answer, at):
        start = opening.start()
        match opening.group()[0]:
            case "{":
                body = _OBJECT_BODY.match(answer, start + 1)
                end = body.end() if body else start + 1
                if end == len(answer) or answer[end] in "\"'":
                    yield Unreadable("the answer breaks off inside an object")
                    return
                at = end
                if answer[end] == "}":
                    at = end + 1
                    yield from _object(answer[start:at])
            case "<":
                if _POINTS_SO_FAR.match(answer, start):
                    yield Unreadable("the answer breaks off inside a point")
                    return
                points = _POINTS.match(answer, start)
                at = points.end() if points else start + 1
                if points:
                    yield from _points(points)
            case bracket:
                bare = (_BARE if bracket == "[" else _CORNERS).match(answer, start)
                at = bare.end() if bare else start + 1
                if bare:
                    yield Item("", _numbers(bare.group()), bare.group())


def _object(text: str) -> Generator[Item | Unreadable]:
    coordinates = _COORDINATES.search(text)
    if coordinates is None:
        return  # some other object: nothing says that it should have been a box
    label = _LABEL.search(text)
    numbers = _numbers(coordinates.group(1))
    if len(numbers) in (2, 4):
        yield Item(_unquoted(label.group(1)) if label else "", numbers, text)
    else:
        yield Unreadable(f"{len(numbers)} numbers are neither a box nor a point: {text}")


def _points(found: re.Match[str]) -> Generator[Item]:
    for x, y in _PLACE.findall(found.group(1)):
        yield Item(found.group(2).strip(), (float(x), float(y)), found.group())


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in re.findall(_NUMBER, text))


def _unquoted(string: str) -> str:
    """Never with half of a surrogate pair, which no file and no terminal takes."""
    try:
        text = str(json.loads(string) if string[0] == '"' else ast.literal_eval(string))
    except (SyntaxError, ValueError):  # an escape that is none, a line break
        text = string[1:-1]
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
