"""The table of docs/reliability.md, written from what was measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil

from tests.faults.measured import Measured
from tests.faults.streams import CLIENTS

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults under load -->", "<!-- end of faults under load -->"
ASKED = "HUB_WRITE_RELIABILITY"
"""Environment variable that `make reliability` sets."""


def write_if_asked(rows: Mapping[str, Measured]) -> None:
    if ASKED in os.environ:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n{section(rows, _where())}{END}{after}")


def section(rows: Mapping[str, Measured], where: str) -> str:
    """Markdown: where and when it was measured, the sums, and a line for each fault."""
    return "\n".join(_lines(rows, where)) + "\n"


def _lines(rows: Mapping[str, Measured], where: str) -> Iterator[str]:
    asked = sum(row.asked for row in rows.values())
    failed = sum(row.failures.total() for row in rows.values())
    wrong = sum(len(row.wrong) for row in rows.values())
    yield where
    yield (
        f"{CLIENTS} streams asked {asked:,} times around {len(rows)} faults: "
        f"{asked - failed - wrong:,} answers were right, {wrong} wrong, {failed} requests failed."
    )
    yield ""
    yield "| fault | lasted | failed | how | failing for | back after | longest | memory |"
    yield "|---" * 8 + "|"
    for name, row in rows.items():
        how = "<br>".join(f"{what}: {count}" for what, count in row.failures.most_common())
        failing, back = ("", "") if row.back is None else (f"{row.failing:.1f} s", _back(row.back))
        cells = (
            name,
            f"{row.lasted:.0f} s",
            f"{row.failures.total()} of {row.asked}",
            how,
            failing,
            back,
            f"{row.longest:.1f} s",
            f"{row.megabytes:+.0f} MB",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _back(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds > 0 else "before that"


def _where() -> str:
    memory_gib = psutil.virtual_memory().total / 2**30
    load, _, _ = os.getloadavg()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux "
        f"{platform.release()}, no GPU; load average at the end {load:.1f}."
    )
