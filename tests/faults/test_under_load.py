"""Each fault while eight clients ask: no answer is wrong, no failure is hidden, all comes back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults import page
from tests.faults.cases import CASES
from tests.faults.look import look, more
from tests.faults.measured import BACK_SECONDS, await_answers, measure
from tests.faults.streams import Streams, steady_streams
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.faults

MEGABYTES = 150
"""A Go program's heap may double before it is collected; what is left over adds to this."""
LONGEST_SECONDS = 45
"""A request's end, whatever happens: 30 s for its body, and the work of a busy machine."""
FILES = 40
"""More that may be open after all faults than before them: one for each fault would be seen."""


@pytest.fixture(scope="module")
def streams(hub: HubUnderTest) -> Iterator[Streams]:
    """The same from one fault to the next."""
    with steady_streams(hub) as streams:
        await_answers(streams)
        yield streams


@pytest.fixture(scope="module")
def files_before(hub: HubUnderTest, streams: Streams) -> Counter[str]:
    """Open ones, with all eight streams and no fault yet."""
    return look(hub).files


@pytest.mark.usefixtures("files_before")
@pytest.mark.parametrize("name", CASES)
def test_every_failure_is_told_no_answer_is_wrong_and_all_streams_come_back(
    hub: HubUnderTest, streams: Streams, name: str
) -> None:
    case = CASES[name]
    row = measure(hub, streams, case.fault, case.seconds)
    print(name, row)  # noqa: T201  # shown when it is asked for
    assert row.wrong == []
    assert set(row.failures) <= case.failures
    assert row.longest < LONGEST_SECONDS
    assert row.megabytes.total() < MEGABYTES, row.megabytes.most_common()
    page.write_if_asked(name, row, CASES)


def test_when_idle_connections_have_ended_no_file_or_socket_is_left(
    hub: HubUnderTest, files_before: Counter[str]
) -> None:
    def left() -> Counter[str]:
        return more(files_before, look(hub).files)

    until(lambda: left().total() < FILES, seconds=BACK_SECONDS, shown=left)
