"""The table of docs/reliability.md, from rows that were measured."""

from __future__ import annotations

from collections import Counter

from tests.faults.measured import Measured
from tests.faults.page import section

QUIET = Measured(10, 50, Counter(), [], 3.14, 0, None, -2.6)
FAILING = Measured(
    25.2, 80, Counter({"broken off": 8, "503 home_unavailable": 40}), [], 14.2, 11.57, 7.12, 5.7
)
MENDED_BY_ITSELF = Measured(10, 9, Counter({"broken off": 1}), [], 4, 0, -3, 0)


def test_each_fault_has_a_row_and_the_sums_stand_above() -> None:
    rows = {"relay": QUIET, "sleep": FAILING, "kill": MENDED_BY_ITSELF}
    assert section(rows, "Here and now.") == (
        "Here and now.\n"
        "8 streams asked 139 times around 3 faults: 90 answers were right, 0 wrong, 49 requests "
        "failed.\n\n"
        "| fault | lasted | failed | how | failing for | back after | longest | memory |\n"
        "|---|---|---|---|---|---|---|---|\n"
        "| relay | 10 s | 0 of 50 |  |  |  | 3.1 s | -3 MB |\n"
        "| sleep | 25 s | 48 of 80 | 503 home_unavailable: 40<br>broken off: 8 | 11.6 s | 7.1 s "
        "| 14.2 s | +6 MB |\n"
        "| kill | 10 s | 1 of 9 | broken off: 1 | 0.0 s | before that | 4.0 s | +0 MB |\n\n"
    )
