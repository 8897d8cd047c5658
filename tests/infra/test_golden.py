"""What each stack registers is what its golden file says, to the last input."""

from __future__ import annotations

import pytest

from tests.infra.golden import FOLDER, GOLDEN, golden
from tests.support.stacks import STACKS


def test_every_stack_file_has_a_golden_file() -> None:
    assert {stack for stack, _ in GOLDEN.values()} == set(STACKS)


def test_no_golden_file_is_left_over() -> None:
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_stack_registers_and_puts_out_what_its_golden_file_says(name: str) -> None:
    written = (FOLDER / f"{name}.yaml").read_text()
    assert golden(name) == written, "`make golden` writes it anew; read the difference"
