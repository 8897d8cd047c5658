"""Which faults are made under load, and of which the page tells."""

from __future__ import annotations

from tests.faults.cases import CASES, STANDS_FOR, THE_DOCTORS
from tests.faults.page import PAGE, rows_of
from tests.faults.test_the_doctor import FAULTS, HARMLESS


def test_each_fault_of_the_doctors_is_made_under_load_or_another_stands_for_it() -> None:
    assert THE_DOCTORS.keys() | STANDS_FOR.keys() == FAULTS.keys() | HARMLESS.keys()
    assert THE_DOCTORS.keys() & STANDS_FOR.keys() == set()
    assert set(STANDS_FOR.values()) <= CASES.keys()


def test_each_row_of_the_page_is_of_a_fault_that_is_made_and_they_stand_in_order() -> None:
    rows = rows_of(PAGE.read_text())
    assert list(rows) == [name for name in CASES if name in rows]
