"""What is told of a hop, for a person and for a program."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.markup import escape
from rich.table import Table

State = Literal["ok", "idle", "down"]
"""Idle: nothing is wrong, and something may be worth knowing."""
COLOURS: dict[State, str] = {"ok": "green", "idle": "yellow", "down": "red"}


@dataclass(frozen=True)
class Row:
    """One line of the answer."""

    hop: str
    what: str
    state: State
    detail: str
    version: str = ""
    source: str = ""
    """Where the program of this version was found."""
    uptime_seconds: int | None = None


def table(rows: Iterable[Row]) -> Table:
    """The rows for a person."""
    shown = Table("hop", box=None, header_style="bold")
    for title in ("what", "state"):
        shown.add_column(title, no_wrap=True)
    shown.add_column("version, uptime, detail", overflow="fold")
    previous = ""
    for row in rows:
        colour = COLOURS[row.state]
        version = f"{row.version} from {row.source}" if row.source else row.version
        up = "" if row.uptime_seconds is None else f"up {_duration(row.uptime_seconds)}"
        told = ", ".join(part for part in (version, up, row.detail) if part)
        hop = row.hop if row.hop != previous else ""
        state = f"[{colour}]{row.state}[/{colour}]"
        # Much of it is what others say.
        shown.add_row(hop, escape(row.what), state, escape(told))
        previous = row.hop
    return shown


def as_json(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
