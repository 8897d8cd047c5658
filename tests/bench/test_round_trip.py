from __future__ import annotations

import errno
import os
import time
from collections import deque
from itertools import pairwise

import pytest

from bench.gateway_speed.results import Load
from bench.round_trip import line
from bench.round_trip.__main__ import COLUMNS, table
from bench.round_trip.client import Times, load
from bench.round_trip.ways import EXPECT, HTTP1, HTTP2, ways
from tests.support.http_server import Handler, serving


def test_a_frame_leaves_the_line_when_its_delay_is_over_and_not_before() -> None:
    reader, writer = os.pipe2(os.O_NONBLOCK)
    waiting = deque([(1.0, b"first"), (2.0, b"second")])
    line.let_out(waiting, writer, 0.9)
    with pytest.raises(BlockingIOError):
        os.read(reader, 100)
    line.let_out(waiting, writer, 1.0)
    assert os.read(reader, 100) == b"first"
    line.let_out(waiting, writer, 2.5)
    assert os.read(reader, 100) == b"second"
    assert not waiting


def test_a_device_that_is_not_up_yet_loses_a_frame_and_does_not_end_the_line() -> None:
    reader, writer = os.pipe2(os.O_NONBLOCK)
    downs = iter([OSError(errno.EIO, "down"), OSError(errno.EBADF, "no device")])

    def write(target: int, frame: bytes) -> int:
        if frame == b"lost":
            raise next(downs)
        return os.writev(target, [frame])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.round_trip.line.os.write", write)
        line.let_out(deque([(1.0, b"lost"), (1.0, b"next")]), writer, 1.0)
        assert os.read(reader, 100) == b"next"
        with pytest.raises(OSError, match="no device"):
            line.let_out(deque([(1.0, b"lost")]), writer, 1.0)


def test_all_that_has_come_is_taken_in_with_its_moment() -> None:
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_DIRECT)
    for frame in (b"one", b"two"):
        os.write(writer, frame)
    waiting = line.Waiting()
    line.take_in(reader, waiting, 7.0)
    assert list(waiting) == [(7.0, b"one"), (7.0, b"two")]


@pytest.mark.parametrize(
    ("to_other", "to_one", "seconds"),
    [
        ([], [], None),
        ([(5.0, b"")], [], 2.0),
        ([(5.0, b"")], [(4.0, b"")], 1.0),
        ([(1, b"")], [], 0),
    ],
)
def test_the_line_sleeps_until_the_next_frame_of_either_direction_is_due(
    to_other: list[tuple[float, bytes]], to_one: list[tuple[float, bytes]], seconds: float | None
) -> None:
    assert line.seconds_to_next((deque(to_other), deque(to_one)), now=3.0) == seconds


def test_the_ways_differ_in_the_protocol_and_in_nothing_else() -> None:
    texts = {name: set(text.splitlines()) for name, text in ways().items()}
    assert texts[HTTP2] - texts[HTTP1] == {"\t\tversions h2c"}
    assert texts[HTTP1] - texts[HTTP2] == {"\t\tversions 1.1"}
    assert texts[EXPECT] - texts[HTTP1] == {
        "\theader_up Expect 100-continue",
        "\t\texpect_continue_timeout 5s",
    }
    assert texts[HTTP1] <= texts[EXPECT]


def test_the_table_has_the_median_of_each_round_and_tells_what_failed() -> None:
    def one(p50: float, refused: int = 0) -> Load:
        return Load(10, 1, p50, 9, refused, 0)

    loads = {(20, HTTP1, column): [one(3), one(21), one(4)] for column in COLUMNS}
    loads[20, HTTP1, COLUMNS[-1]] = [one(1200.5, refused=2)]
    lines = list(table(loads))
    assert lines[0].startswith("| round trip, way | 1 kB, 1 at once | 1 MB, 1 at once |")
    assert "| 1 MB, 1 at once, each after 0.5 s | 1 MB, 8 at once |" in lines[0]
    [row, end] = lines[2:]
    assert end == ""
    assert row == (
        f"| 20 ms, {HTTP1}"
        + " | 4.0 (3.0 to 21.0)" * 3
        + " | 1,200.5 (1,200.5 to 1,200.5), 2 failed |"
    )


def test_the_client_waits_for_the_answer_behind_a_continue_and_counts_what_failed() -> None:
    class Slow(Handler):
        def do_POST(self) -> None:  # noqa: N802
            assert self.body() == b"question"
            assert self.headers["Authorization"] == "Bearer key"
            self.send_response_only(100)
            self.end_headers()
            time.sleep(0.02)
            self.whole(next(statuses), b"answer")

    statuses = iter([200, 503] + 1000 * [200])
    with serving(Slow) as port:
        found = load(port, "key", b"question", at_once=2, times=Times.from_now(0, 0.3))
    assert found.requests > 4
    assert (found.refused, found.broken) == (1, 0)
    assert found.p50_ms >= 20
    assert load(port, "key", b"question", at_once=1, times=Times.from_now(0, 0.01)).broken >= 1


def test_what_a_connection_takes_to_warm_up_does_not_count_and_a_pause_does_not_either() -> None:
    class Warming(Handler):
        def do_POST(self) -> None:  # noqa: N802
            asked.append(time.monotonic())
            time.sleep(1 if len(asked) == 1 else 0)
            self.body()
            self.whole(200, b"answer")

    asked: list[float] = []
    with serving(Warming) as port:
        found = load(port, "key", b"question", 1, Times.from_now(1, 1, 0.1))
    assert found.requests < len(asked)
    # The first answer takes 1,000 ms; most of the others, on a busy machine too, less than a pause.
    assert found.p99_ms < 1000
    assert found.p50_ms < 100
    assert min(later - sooner for sooner, later in pairwise(asked)) >= 0.1
