"""Pieces of Markdown that both reports are made of."""

from __future__ import annotations

from collections.abc import Iterable


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Its lines and an empty one."""
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return [lines[0], f"|{'---|' * len(head)}", *lines[1:], ""]


def cell(text: str) -> str:
    """Foreign text as it is, on one line."""
    for mark in "\\|`*_<>[]":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def number(value: float | None, sign: str = "") -> str:
    """Three decimals, or a dash for what was not measured."""
    return "-" if value is None else f"{value:{sign}z.3f}"


def interval(bounds: tuple[float, float] | None, sign: str = "") -> str:
    """From one to the other."""
    return "-" if bounds is None else f"{bounds[0]:{sign}z.3f} … {bounds[1]:{sign}z.3f}"
