"""What a person sees while several things are prepared at once."""

from __future__ import annotations

import asyncio
import io
from dataclasses import dataclass

import pytest
from rich.console import Console

from twin.toolchain import overview as module
from twin.toolchain.overview import Overview


@dataclass
class Clock:
    now: float = 1000

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def overview(clock: Clock, screen: io.StringIO) -> Overview:
    return Overview(Console(file=screen, width=100), later_seconds=60)


def rows(overview: Overview) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as shown:
        console.print(overview.table())
    return [" ".join(line.split()) for line in shown.get().splitlines()]


def test_all_that_is_planned_is_shown_and_counts_before_it_begins(overview: Overview) -> None:
    overview.plan("downloading", 45)
    overview.plan("building", 400)
    assert rows(overview) == ["downloading", "building", "0 s spent, about 8 min left"]


def test_what_runs_is_marked_with_what_happens_in_it(overview: Overview) -> None:
    building = overview.plan("building", 400)
    with overview.running(building):
        building.detail = "1,231 of 4,015 packages, [net]/http"
        assert rows(overview)[0] == "… building 1,231 of 4,015 packages, [net]/http"


def test_of_a_long_detail_the_count_at_its_beginning_is_kept(overview: Overview) -> None:
    building = overview.plan("building", 400)
    with overview.running(building):
        building.detail = "1,231 of 4,015 packages, github.com/pb33f/libopenapi/datamodel/low/v3"
        assert rows(overview)[0] == "… building 1,231 of 4,015 packages, github.com/pb33f/libopen…"


def test_what_is_done_is_a_line_above_and_no_row_any_more(
    overview: Overview, clock: Clock, screen: io.StringIO
) -> None:
    building = overview.plan("building", 400)
    with overview.running(building):
        clock.now += 125
    assert screen.getvalue() == "  ✓ building: 2 min 05 s\n"
    assert rows(overview)[0].startswith("2 min 05 s spent")


def test_time_is_progress_only_where_nothing_is_counted(overview: Overview, clock: Clock) -> None:
    counted, timed = overview.plan("counted", 100), overview.plan("timed", 100)
    with overview.running(counted), overview.running(timed):
        counted.counts = True
        clock.now += 100
        overview.line()
        assert (counted.share.done, timed.share.done) == (0, 100)


def test_in_a_log_a_line_comes_now_and_then(
    overview: Overview, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LINES", 0.01)

    async def build() -> None:
        work = overview.plan("building", 400)
        async with overview.shown():
            with overview.running(work):
                work.detail = "3 of 9 packages"
                while "packages" not in screen.getvalue():
                    await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(build(), 10))
    assert "0 s spent, about 8 min left · building: 3 of 9 packages" in screen.getvalue()


def test_on_a_terminal_the_table_goes_away_at_the_end(clock: Clock) -> None:
    screen = io.StringIO()
    overview = Overview(Console(file=screen, width=100, force_terminal=True), later_seconds=60)

    async def build() -> None:
        async with overview.shown():
            with overview.running(overview.plan("building", 400)):
                await asyncio.sleep(0)

    asyncio.run(build())
    assert "spent, about" in screen.getvalue()
    assert screen.getvalue().rstrip().endswith("\x1b[2K")
