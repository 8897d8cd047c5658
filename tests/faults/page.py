"""The table of docs/reliability.md: each row is written as soon as it is measured.

A run of some of the faults writes their rows and leaves the others, so each row says when, and
beside how much other work, it was measured.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.measured import Measured

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults under load -->\n", "<!-- end of faults under load -->\n"
ASKED = "HUB_WRITE_RELIABILITY"
"""Environment variable that `make reliability` sets."""
COLUMNS = (
    *("fault", "lasted", "failed", "how", "failing for", "back after", "longest", "memory"),
    *("files", "measured"),
)


def write_if_asked(name: str, row: Measured, order: Iterable[str]) -> None:
    """The row of the fault ``name``; ``order`` has the names of all faults that have one."""
    if ASKED in os.environ:
        text = PAGE.read_text()
        rows = {**rows_of(text), name: line(name, row, _when())}
        PAGE.write_text(with_rows(text, [rows[one] for one in order if one in rows]))


def rows_of(page: str) -> dict[str, str]:
    """Its table's lines, by their faults."""
    table = page.partition(BEGIN)[2].partition(END)[0]
    _, _, *rows = [row for row in table.splitlines() if row]
    return {row.split(" | ")[0].removeprefix("| "): row for row in rows}


def with_rows(page: str, rows: Iterable[str]) -> str:
    """The page, its table's lines replaced."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    head = [_cells(COLUMNS), "|---" * len(COLUMNS) + "|"]
    return before + begin + "\n".join([*head, *rows]) + "\n\n" + end + after


def line(name: str, row: Measured, when: str) -> str:
    """A row of the table, in Markdown."""
    how = "<br>".join(f"{what}: {count}" for what, count in row.failures.most_common())
    failing, back = ("", "") if row.back is None else (f"{row.failing:.1f} s", _back(row.back))
    return _cells(
        (
            name,
            f"{row.lasted:.0f} s",
            f"{row.failures.total()} of {row.asked}",
            how,
            failing,
            back,
            f"{row.longest:.1f} s",
            f"{row.megabytes.total():+d} MB",
            f"{row.files.total():+d}",
            when,
        )
    )


def _cells(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _back(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds > 0 else "before that"


def _when() -> str:
    load, _, _ = os.getloadavg()
    return f"{datetime.now(UTC):%Y-%m-%d}, load {load:.0f}"
