"""Home loses its power twenty times while it writes; nobody helps, and nothing is lost."""

from __future__ import annotations

import random
import time

import pytest

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.home_machine import HomeMachine
from tests.twin.power_cut import BACK_SECONDS, cut_and_boot, model_answers

pytestmark = pytest.mark.faults

CUTS = 20
"""Each but the first comes while the model is still loading, as where the power flickers."""
SEED = 20261126
LONGEST_MOMENT = 4.0
"""Seconds between the first write and the cut."""


@pytest.fixture
def home(hub: HubUnderTest) -> HomeMachine:
    return HomeMachine(hub)


def test_after_each_of_twenty_power_cuts_home_answers_again_and_nothing_is_lost(
    home: HomeMachine,
) -> None:
    moments, power_at = random.Random(SEED), 0.0  # noqa: S311
    for number in range(1, CUTS + 1):
        recovery = cut_and_boot(home, moments.uniform(0, LONGEST_MOMENT), f"cut-{number}")
        print(f"{number}: {recovery}", flush=True)  # noqa: T201  # the table of docs/power-cuts.md
        power_at = recovery.power_at
    until(lambda: model_answers(home.hub), seconds=BACK_SECONDS)
    print(f"the model answered after {time.monotonic() - power_at:.1f} s")  # noqa: T201
