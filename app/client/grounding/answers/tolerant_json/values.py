"""The values of an answer's JSON; each knows its place in the text."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    start: int
    end: int
    decimal: bool = False
    """Whether it is written with a decimal point or an exponent."""
    is_side: bool = False
    """Whether a key, or a word for the order, says which side it is."""

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Number:
        """``text`` is a match of ``NUMBER``."""
        return cls(float(text), start, end, any(mark in text for mark in ".eE"))


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """Neither a number nor in quotes: ``null``, ``true``, anything else."""

    value: str
    start: int
    end: int


@dataclass(slots=True)
class Array:
    start: int
    end: int = -1
    items: list[Value] = field(default_factory=list["Value"])
    closed: bool = False
    """By its own bracket, or by what can only stand behind it."""


@dataclass(slots=True)
class Pair:
    key: str | None
    """``None`` where a value has lost its key."""
    start: int
    value: Value


@dataclass(slots=True)
class Object:
    start: int
    end: int = -1
    pairs: list[Pair] = field(default_factory=list[Pair])
    closed: bool = False
    key: tuple[str, int] | None = None
    """A key that waits for its value, and where it begins."""


Value = Number | Text | Word | Array | Object

NUMBER = r"[-+]?(?:\d+(?:_\d{3})*(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
"""A number, as JSON and Python write it."""
QUOTED_NUMBER = rf"(?:{NUMBER}|\"{NUMBER}\"|'{NUMBER}')"
"""As in a tag: ``x="10" y="20"``."""
