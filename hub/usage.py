"""`hub usage`: what each API key asked for, by day, from the gateway's log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.console import Console
from rich.table import Table

from hub.words import told_in_words
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir

NOBODY = "(no key)"
console = Console(highlight=False)


@dataclass(frozen=True)
class Asked:
    """One request."""

    day: date
    """In UTC."""
    key: str
    """The key's name; empty for a stranger, and for ``/health``."""
    status: int
    size: int
    """Bytes of the answer's body."""
    seconds: float


@dataclass
class Used:
    """By one key on one day."""

    day: str
    key: str
    answered: int = 0
    refused: int = 0
    """4xx."""
    failed: int = 0
    """5xx."""
    megabytes: float = 0
    """Of answers."""
    minutes: float = 0
    """From each request to the end of its answer, added up."""


def requests(text: str) -> Iterator[Asked]:
    """The requests in a log: Caddy's lines, or what `gcloud logging read --format=json` prints."""
    for entry in _entries(text):
        line = cast("dict[str, Any]", entry.get("jsonPayload", entry))
        if "request_id" in line and "status" in line:
            yield Asked(
                datetime.fromtimestamp(float(line["ts"]), UTC).date(),
                str(line.get("key") or ""),
                int(line["status"]),
                int(line["size"]),
                float(line["duration"]),
            )


def _entries(text: str) -> Iterator[dict[str, Any]]:
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def summed(asked: Iterable[Asked]) -> list[Used]:
    """By day, then key."""
    rows: dict[tuple[str, str], Used] = {}
    for one in asked:
        place = (one.day.isoformat(), one.key or NOBODY)
        row = rows.setdefault(place, Used(*place))
        row.answered += one.status < 400
        row.refused += 400 <= one.status < 500
        row.failed += one.status >= 500
        row.megabytes += one.size / 1e6
        row.minutes += one.seconds / 60
    return [rows[place] for place in sorted(rows)]


def usage(
    log: Annotated[
        Path | None,
        typer.Argument(metavar="[LOG]", help="The gateway's log, or - for standard input."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,  # noqa: FBT002
) -> None:
    """Show what each API key asked for, by day. Strangers stand there as "(no key)".

    [bold]Examples[/bold]

    hub usage                                                 of the twin in HUB_STATE

    gcloud logging read 'resource.labels.service_name="home-gateway" AND jsonPayload.request_id:*'
    --freshness=30d --format=json | hub usage -
    """
    with told_in_words():
        try:
            rows = summed(requests(_text(log)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TwinError(f"This is no log of the gateway: {error!r}") from error
        if as_json:
            print(json.dumps([asdict(row) for row in rows], indent=2))  # noqa: T201
        else:
            console.print(table(rows))


def _text(log: Path | None) -> str:
    if log is None:
        files = sorted(TwinPaths(state_dir()).logs.rglob("*caddy*.log"))
        if not files:
            raise TwinError("No gateway has run in this twin yet. `hub up` starts it.")
        return "".join(file.read_text(errors="replace") for file in files)
    if str(log) == "-":
        return sys.stdin.read()
    try:
        return log.read_text()
    except OSError as error:
        raise TwinError(f"{log} cannot be read: {error.strerror}") from error


def table(rows: Iterable[Used]) -> Table:
    """For a person."""
    shown = Table("day", "key", box=None, header_style="bold")
    for title in ("answered", "refused", "failed", "MB", "minutes"):
        shown.add_column(title, justify="right")
    for row in rows:
        counts = (f"{count:,}" for count in (row.answered, row.refused, row.failed))
        shown.add_row(row.day, row.key, *counts, f"{row.megabytes:,.2f}", f"{row.minutes:,.1f}")
    return shown
