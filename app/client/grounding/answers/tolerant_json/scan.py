"""JSON as models write it, read into values.

Well-formed JSON is read exactly. Of damaged JSON as much as possible is read: a lost quote, comma,
colon or bracket costs the value it stood at, never the values behind it. Python's literals,
comments, bare words and escaped quotes are read, too. Nothing is completed: what the text does not
close is marked as open.
"""

from __future__ import annotations

import re

from app.client.grounding.answers.tolerant_json.stack import Stack
from app.client.grounding.answers.tolerant_json.strings import (
    AFTER_TEXT,
    COLON,
    END,
    KEY,
    OPENING_QUOTE,
    QUOTE,
    Strings,
    unquoted,
)
from app.client.grounding.answers.tolerant_json.values import NUMBER, Array, Number, Object, Word

MAX_DEPTH = 32
"""Deeper brackets are skipped: no answer nests so deep, and a walk may use recursion."""

_NUMBER = re.compile(rf"({NUMBER})(?:\s?px)?(?=[\s,;:\]\)}}/#]|\\?[\"']|\Z)")
_NOT_FINITE = re.compile(r"[-+]?(?:NaN|nan|Infinity|inf)\b")
_SPACE = re.compile(r"(?:[\s,;]|\\[nrt])+")
_WHOLE_KEY = re.compile(
    rf"(\"(?:[^\"\\\n]|\\.){{0,200}}\"|'(?:[^'\\\n]|\\.){{0,200}}')\s{{0,99}}{COLON}"
)
_BARE_KEY = re.compile(
    rf"(?:{QUOTE}|`)?([\w.-][\w .-]{{0,60}}?)(?:{QUOTE}|`)?\s{{0,99}}(?:{COLON}|=|(?=\{{))"
)
"""Also before a brace alone, as in Protocol Buffers: ``box { x_min: 10 …``."""
_NEVER_QUOTED_KEY = re.compile(r"[\w.-][\w .-]{0,60}?[\"']?\s{0,99}:")
_WITHOUT_COLON = re.compile(
    r"(\"[^\"\\\n{}\[\]<]{1,60}\"|'[^'\\\n{}\[\]<]{1,60}')(?=\s{0,99}[\"'{\[(\d])"
)
_COLON = re.compile(r"\s*:")
_KEYWORD = r"\(\s{0,9}[A-Za-z_]\w{0,40}\s{0,9}(?:=(?!=)|:(?=\s?[-\d.]))"
_BEGINS_WITH_A_KEYWORD = re.compile(_KEYWORD)
CALL = re.compile(rf"\b[A-Za-z_][\w.]{{0,60}}{_KEYWORD}")
"""``Box(x1=10, …`` and Swift's ``Box(x1: 10, …``: read as an object."""
_CALLED = re.compile(rf"{_KEYWORD}|\(\s{{0,9}}(?:[\[(]|{NUMBER}\s{{0,9}},|{KEY})")
"""``np.array([10, …``, ``Box(10, …`` and ``Box(x1=10, …``: the word before it says nothing."""
_A_TYPE = re.compile(r"[A-Z][\w.:]{0,60}\s?(?=\{\s{0,99}\w{1,40}\s?:)")
"""``Rect {x: 10, …``, as Rust prints it; the word says nothing, either."""
_OF_A_TENSOR = re.compile(
    r"(?:device|dtype|requires_grad|grad_fn)\s{0,9}=\s{0,9}"
    r"(?:\"[^\"\n]{0,60}\"|'[^'\n]{0,60}'|<[^<>\n]{0,60}>|[\w.:]{1,60})"
)
"""Behind its numbers, in ``tensor([[10, …]], device='cuda:0')``: it names nothing."""
_MORE_NUMBERS = re.compile(rf"(?:[\s,]{{1,99}}{NUMBER}|{NUMBER}){{1,8}}\s{{0,99}}\]")
_NUMBER_IN_BRACE = re.compile(rf"\{{\s{{0,99}}(?:,|[\"']?{NUMBER}(?![\"']?\s{{0,99}}:))")
_WORD = r"[^\s,;:{}\[\]()<\"'`\u201c\u201d]+"
_BARE = re.compile(rf"{_WORD}(?:[ \t]{_WORD})*")
_NEXT_KEY = re.compile(rf"\s{{0,99}}[,;]?\s{{0,99}}{KEY}")
_NEXT_KEY_SO_FAR = re.compile(
    rf"{_NEXT_KEY.pattern}|\s{{0,99}},?\s{{0,99}}(?:{QUOTE}[^\"'\n{{}}\[\]]{{0,60}}{QUOTE}?\s{{0,9}})?\Z"
)
_STRAY_BEFORE_KEY = re.compile(rf"[\[(][\s,]{{0,99}}(?:{KEY}|:|\w{{1,40}}[\"']?\s*:)")
_A_LINE_WITH_A_LIST = re.compile(
    r"(?:[-*\u2022]|\d{1,3}[.)])?[ \t]*[*`]{0,3}[^\W\d][^\n\[\](){}\"']{0,80}[\[(]"
)
"""``- dog: [50, …``."""
_COMMENT = re.compile(
    r"(?://|#)(?:(?![\"']\s{0,9}:)[^\n{}\[\]]){0,300}(?=\n|\Z)|/\*[^{}\[\]]{0,300}?\*/"
)
"""With no bracket or key in it: a stray ``#`` must not hide a box."""


class Scanner:
    """Reads the values of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.strings = Strings(text)

    def scan(self, start: int) -> tuple[Object | Array, int]:
        """The object or array that begins at ``start``, and where the text goes on behind it.

        An object that has lost its brace begins with its first key.
        """
        return _Scan(self.strings, start).run()


class _Scan:
    """One pass over the text with a stack of what is open."""

    def __init__(self, strings: Strings, start: int) -> None:
        self.strings = strings
        self.text = strings.text
        self.at: int = start
        self.stack = Stack()
        self.open = self.stack.open

    def run(self) -> tuple[Object | Array, int]:
        root = self._push(self.text[self.at])
        while self.open and self.at < len(self.text):
            self._step()
        self.stack.end_inside(len(self.text))
        return root, self.at

    def _step(self) -> None:
        text, at = self.text, self.at
        if space := _SPACE.match(text, at):
            self.at = space.end()
            if "," in space.group():
                self.stack.settle(self.open[-1], self.at)
            is_in_a_line = "\n" in space.group() and _A_LINE_WITH_A_LIST.match(text, self.at)
            if is_in_a_line and self.stack.is_one_place():  # that has lost its bracket
                self.stack.close_down_to(0, at)
        elif comment := _COMMENT.match(text, at):
            self.at = comment.end()
        elif END.match(text, at):
            self.stack.close_down_to(0, at)
        elif len(self.open) - 1 in self.stack.round and (told := _OF_A_TENSOR.match(text, at)):
            self.at = told.end()
        elif text[at] in "{[(":
            self._opening(text[at])
        elif text[at] in "}])":
            self._closing(text[at])
        else:
            self._word()

    def _opening(self, bracket: str) -> None:
        top = self.open[-1]
        if (
            bracket == "{"
            and isinstance(top, Object)
            and top.key is None
            and any(pair.key for pair in top.pairs)
        ):
            # An object cannot stand at a key's place: the one before it has lost its brace.
            self.stack.close_down_to(len(self.open) - 1, self.at)
            if not self.open:
                return
        if (
            bracket != "{"
            and isinstance(top, Object)
            and _STRAY_BEFORE_KEY.match(self.text, self.at)
            and not _BEGINS_WITH_A_KEYWORD.match(self.text, self.at)
        ):
            self.at += 1
        elif isinstance(top, Array) and _NUMBER_IN_BRACE.match(self.text, self.at):
            self.stack.add(Word(bracket, self.at, self.at + 1))
            self.at += 1
        elif len(self.open) < MAX_DEPTH:
            self._push(bracket)
        else:
            self.at += 1

    def _push(self, bracket: str) -> Object | Array:
        is_call = bracket == "(" and _BEGINS_WITH_A_KEYWORD.match(self.text, self.at)
        new = Array(self.at) if bracket in "[(" and not is_call else Object(self.at)
        self.stack.push(new, is_round=bracket == "(")
        if bracket in "{[(":
            self.at += 1
        return new

    def _closing(self, bracket: str) -> None:
        depth = self.stack.depth_of(bracket)
        top = self.open[-1]
        has_keys = isinstance(top, Object) and any(pair.key for pair in top.pairs)
        stray = bracket == "]" and has_keys and _NEXT_KEY.match(self.text, self.at + 1)
        if depth is None or stray:
            self.at += 1
            return
        if self._is_a_wrong_one(depth):
            depth = len(self.open) - 1
        elif self._is_inside_numbers(bracket, depth):
            self.stack.add(Word(bracket, self.at, self.at + 1))
            self.at += 1
            return
        self.stack.close_down_to(depth + 1, self.at)
        self.at += 1
        self.stack.close_down_to(depth, self.at)

    def _is_a_wrong_one(self, depth: int) -> bool:
        """Of ``{"bbox_2d": [10, 20, 30, 40}, "label": "cup"}``: it closes the list alone."""
        outer, before, top = [None, None, *self.open][-3:]
        return (
            isinstance(top, Array)
            and self.text[top.start] in "[("
            and isinstance(before, Object)
            and not isinstance(outer, Object)
            and depth < len(self.open) - 1
            and _NEXT_KEY_SO_FAR.match(self.text, self.at + 1) is not None
        )

    def _is_inside_numbers(self, bracket: str, depth: int) -> bool:
        """Of ``"bbox_2d": [10, 20], 30, 40]``: behind a value in an object a key would stand."""
        return (
            isinstance(self.open[-1], Array)
            and depth == len(self.open) - 1 - (bracket == "}")
            and len(self.open) > 1
            and isinstance(self.open[-2], Object)
            and _MORE_NUMBERS.match(self.text, self.at + 1) is not None
        )

    def _word(self) -> None:
        """A key, a text, a number or a bare word; what is none of them is skipped."""
        text, at = self.text, self.at
        top = self.open[-1]
        number = _NUMBER.match(text, at)
        if isinstance(top, Object) and top.key is None:
            if number is None or _COLON.match(text, number.end()):
                self._key(top)
                return
            if self._spill(top):
                return
        if number:
            self.stack.add(Number.of(number.group(1), at, number.end()))
            self.at = number.end()
        elif odd := _NOT_FINITE.match(text, at):
            self.stack.add(Number(float(odd.group()), at, odd.end()))
            self.at = odd.end()
        elif isinstance(top, Array) and self._key_in_list():
            return
        elif (quote := OPENING_QUOTE.match(text, at)) and self._can_begin_text():
            self._text(quote.group())
        elif bare := _A_TYPE.match(text, at) or _BARE.match(text, at):
            if bare.re is not _A_TYPE and not _CALLED.match(text, bare.end()):
                self.stack.add(Word(bare.group(), at, bare.end()))
            stray = OPENING_QUOTE.match(text, bare.end())
            is_its_end = stray and AFTER_TEXT.match(text, stray.end())
            self.at = stray.end() if stray and is_its_end else bare.end()
        else:
            self.at = at + 1

    def _can_begin_text(self) -> bool:
        """A quote directly behind a letter, a digit or a bracket is a stray one; so is an
        apostrophe in JSON with double quotes.
        """
        before = self.text[self.at - 1]
        if before.isalnum() or before in "}])":
            return False
        return self.strings.single_quoted or not self.text.startswith("'", self.at)

    def _key(self, top: Object) -> None:
        text, at = self.text, self.at
        if whole := _WHOLE_KEY.match(text, at) or _WITHOUT_COLON.match(text, at):
            top.key, self.at = (unquoted(whole.group(1)), at), whole.end()
        elif bare := _BARE_KEY.match(text, at):
            top.key, self.at = (bare.group(1), at), bare.end()
        elif bare := _BARE.match(text, at):
            self.at = bare.end()
        else:
            self.at = at + 1

    def _spill(self, top: Object) -> bool:
        """``"bbox_2d": 10, 20, 30, 40]``: the numbers of a list that has lost its bracket."""
        if not top.pairs or not isinstance(first := top.pairs[-1].value, Number):
            return False
        pair = top.pairs.pop()
        pair.value = Array(first.start, items=[first])
        top.pairs.append(pair)
        self.open.append(pair.value)
        return True

    def _key_in_list(self) -> bool:
        """A key in a list: the list has lost its end, or the key its object's beginning."""
        found = _WHOLE_KEY.match(self.text, self.at) or _NEVER_QUOTED_KEY.match(self.text, self.at)
        if not found:
            return False
        depth = len(self.open) - 1
        while depth > 0 and isinstance(self.open[depth], Array):
            depth -= 1
        lists = [each for each in self.open[depth + 1 :] if isinstance(each, Array)]
        if isinstance(self.open[depth], Object) and any(map(_is_of_no_objects, lists)):
            self.stack.close_down_to(depth + 1, self.at)
        elif len(self.open) < MAX_DEPTH:
            self.stack.push(Object(self.at))
        else:
            self.at = found.end()
        return True

    def _text(self, quote: str) -> None:
        string, end = self.strings.read(self.at, quote)
        if string is None and len(quote) > 1:
            # Only its beginning is escaped.
            string, end = self.strings.read(self.at + len(quote) - 1, quote[-1])
        self.at = end
        if string is not None:
            self.stack.add(string)


def _is_of_no_objects(array: Array) -> bool:
    return bool(array.items) and not any(isinstance(item, Object) for item in array.items)
