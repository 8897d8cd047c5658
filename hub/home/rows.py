"""What is told of a hop at home: how it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from twin.status.rows import COLOURS, State

UP = "pulumi up --refresh"
"""Without a look at what is there, it would not miss what was deleted by hand."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the answer."""

    hop: str
    what: str
    state: State
    detail: str
    remedy: str = ""
    """What to do; of each row that is down, and of some that will be."""


def row(hop: str, what: str, detail: str, *, ok: bool = True, remedy: str = "") -> Row:
    """Down with its remedy, where it is not ok."""
    if ok:
        return Row(hop=hop, what=what, state="ok", detail=detail)
    return Row(hop=hop, what=what, state="down", detail=detail, remedy=remedy)


def table(rows: list[Row]) -> Table:
    """The rows for a person: the remedy beside what is down."""
    shown = Table("hop", box=None, header_style="bold")
    for title in ("what", "state"):
        shown.add_column(title, no_wrap=True)
    shown.add_column("detail", overflow="fold")
    shown.add_column("what to do", overflow="fold")
    previous = ""
    for one in rows:
        colour = COLOURS[one.state]
        hop = one.hop if one.hop != previous else ""
        state = f"[{colour}]{one.state}[/{colour}]"
        shown.add_row(hop, escape(one.what), state, escape(one.detail), escape(one.remedy))
        previous = one.hop
    return shown
