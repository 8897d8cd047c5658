"""`hub usage`: what each API key asked for, by day, and how long instances ran, from the log."""

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
from rich.markup import escape
from rich.table import Table

from doctor.instances import (
    Day,
    Month,
    by_day,
    by_month,
    entries,
    lives,
    still_running,
)
from doctor.twin_side import running
from hub.words import told_in_words
from infra.gcp.costs import prices
from twin.errors import TwinError
from twin.paths import TwinPaths, state_dir

NOBODY = "(no key)"
app = typer.Typer()
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
    relayed: bool
    """Home's answer came through a relay, which is slower."""


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
    relayed: int = 0
    """Of all of them, through a relay."""


def requests(logged: Iterable[dict[str, Any]]) -> Iterator[Asked]:
    """The requests among them: Caddy's lines, bare or in Cloud Logging's entries."""
    for entry in logged:
        line = cast("dict[str, Any]", entry.get("jsonPayload", entry))
        if "request_id" in line and "status" in line:
            ended, took = float(line["ts"]), float(line["duration"])
            if "arrived_ms" in line:
                # Older gateways do not tell it; Caddy's own duration is 0 where the client left.
                took = ended - int(line["arrived_ms"]) / 1000
            yield Asked(
                datetime.fromtimestamp(ended, UTC).date(),
                str(line.get("key") or ""),
                int(line["status"]),
                int(line["size"]),
                took,
                line.get("tunnel") == "relayed",
            )


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
        row.relayed += one.relayed
    return [rows[place] for place in sorted(rows)]


@app.command(rich_help_panel="Look")
def usage(
    log: Annotated[
        Path | None,
        typer.Argument(metavar="[LOG]", help="The gateway's log, or - for standard input."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,  # noqa: FBT002
) -> None:
    """Show what each API key asked for, and how long the gateway's instances ran for it.

    Strangers stand there as "(no key)". Days and months are in UTC. What an instance took of the
    free tiers is calculated, not read from a bill: it runs from its first line in the log
    to its last. The twin's cost nothing; the table tells what Cloud Run would count.

    [bold]Examples[/bold]

    hub usage                                                 of the twin in HUB_STATE

    gcloud logging read 'resource.labels.service_name="home-gateway" AND jsonPayload.msg:*'
    --freshness=30d --format=json | hub usage -
    """
    with told_in_words():
        try:
            logged = entries(_text(log))
            rows = summed(requests(logged))
            lived = lives(logged)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            lacks = f"has no {error}" if isinstance(error, KeyError) else "is not in its form"
            raise TwinError(
                f"This is no log of the gateway: an entry {lacks}. Give it the lines of the "
                "gateway's Caddy, or what `gcloud logging read … --format=json` prints for it; "
                "docs/operations.md has that command."
            ) from error
        if log is None:
            lived = still_running(lived, running(TwinPaths(state_dir())), datetime.now(UTC))
        days = by_day(lived)
        months = by_month(days)
        if as_json:
            shown = {"requests": rows, "instances": days, "months": months}
            lists = {name: [asdict(row) for row in of] for name, of in shown.items()}
            print(json.dumps(lists, indent=2))  # noqa: T201
        else:
            for part in (table(rows), days_table(days), months_table(months)):
                console.print(part)
                console.print()
            console.print(free_tiers())


def _text(log: Path | None) -> str:
    if log is None:
        logs = TwinPaths(state_dir()).logs
        files = sorted([*logs.glob("run/*-caddy.log"), *logs.glob("run/*-system.log")])
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
    for title in ("answered", "refused", "failed", "relayed", "MB", "minutes"):
        shown.add_column(title, justify="right")
    for row in rows:
        counts = (f"{count:,}" for count in (row.answered, row.refused, row.failed, row.relayed))
        shown.add_row(
            row.day, escape(row.key), *counts, f"{row.megabytes:,.2f}", f"{row.minutes:,.1f}"
        )
    return shown


def days_table(days: Iterable[Day]) -> Table:
    """For a person."""
    shown = Table("day", "region", box=None, header_style="bold")
    for title in ("instances started", "minutes they ran"):
        shown.add_column(title, justify="right")
    for day in days:
        shown.add_row(day.day, escape(day.region), f"{day.starts:,}", f"{day.minutes:,.1f}")
    return shown


def months_table(months: Iterable[Month]) -> Table:
    """For a person."""
    shown = Table("month", "region", box=None, header_style="bold")
    for title in ("minutes", "of free CPU", "of memory", "of tailnet", "above"):
        shown.add_column(title, justify="right")
    for month in months:
        shares = (f"{share:.1%}" for share in (month.free_cpu, month.free_memory, month.tailnet))
        shown.add_row(
            month.month,
            escape(month.region),
            f"{month.minutes:,.1f}",
            *shares,
            f"${month.usd:,.2f}",
        )
    return shown


def free_tiers() -> str:
    """What the shares of a month are shares of."""
    known = prices()
    free = known.cloud_run.free
    return (
        f"Free each month: {free.vcpu_seconds:,} vCPU-seconds and {free.gib_seconds:,} GiB-seconds "
        f"of Cloud Run, {known.tailscale.ephemeral_minutes:,} minutes of ephemeral nodes on "
        f"Tailscale's free plan. List prices of {known.read_on}."
    )
