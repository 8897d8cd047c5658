"""The table of docs/reliability.md, from rows that were measured."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.faults.measured import Measured
from tests.faults.page import BEGIN, END, line, rows_of, with_rows

NOTHING: Counter[str] = Counter()
FAILURES = Counter({"503 off": 40, "cut": 8})


QUIET = Measured(10, 50, NOTHING, [], 3.14, 0, None, Counter(caddy=-3), Counter(caddy=3, go=-1))
FAILING = Measured(25.2, 80, FAILURES, [], 14.2, 11.57, 7.12, Counter(caddy=6), Counter(go=-4))
MENDED_BY_ITSELF = Measured(10, 9, Counter(cut=1), [], 4, 0, -3, NOTHING, NOTHING)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (QUIET, "10 s | 0 of 50 |  |  |  | 3.1 s | -3 MB | +2"),
        (
            FAILING,
            "25 s | 48 of 80 | 503 off: 40<br>cut: 8 | 11.6 s | 7.1 s | 14.2 s | +6 MB | -4",
        ),
        (MENDED_BY_ITSELF, "10 s | 1 of 9 | cut: 1 | 0.0 s | before that | 4.0 s | +0 MB | +0"),
    ],
)
def test_a_row_says_what_clients_saw_and_what_was_left(row: Measured, expected: str) -> None:
    assert line("home sleeps", row, "today") == f"| home sleeps | {expected} | today |"


def test_new_rows_take_the_place_of_the_old_ones_and_nothing_else_changes() -> None:
    page = with_rows(f"before\n{BEGIN}old{END}after\n", ["| relay | 1 s |", "| sleep | 2 s |"])
    rows = rows_of(page)
    assert rows == {"relay": "| relay | 1 s |", "sleep": "| sleep | 2 s |"}
    assert with_rows(page, rows.values()) == page
    again = with_rows(page, ["| sleep | 3 s |"])
    assert rows_of(again) == {"sleep": "| sleep | 3 s |"}
    assert (again[:7], again[-6:]) == ("before\n", "after\n")
