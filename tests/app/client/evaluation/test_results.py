"""The file of results: kept, taken up, and never mixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.client.evaluation.results import ResultsError, append, begin, load
from tests.app.client.evaluation.made import DOWN, RUN, result


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "results.jsonl"


def test_what_is_kept_is_read_back(file: Path) -> None:
    assert begin(file, RUN) == []
    kept = [result(1, [(1.5, 2, 3, 4)], problems=("broke off",)), result(2, failure=DOWN)]
    for one in kept:
        append(file, one)
    run, results = load(file)
    assert (run, results) == (RUN, kept)
    assert run.begun == "2026-11-24 02:40 UTC"
    assert begin(file, replace(RUN, begun="later")) == kept


@pytest.mark.parametrize("answer", ["[]", " [ ]\n", "```json\n[]\n```"])
def test_an_answer_may_say_that_there_is_none(answer: str) -> None:
    assert not result(1, [], answer=answer).unreadable


@pytest.mark.parametrize("answer", ["", "There is no cat.", '[{"bbox_2d": [1, 2', "[] or so"])
def test_an_answer_without_boxes_that_does_not_say_so_is_unreadable(answer: str) -> None:
    assert result(1, [], answer=answer).unreadable
    assert not result(1, answer=answer).unreadable


def test_the_last_result_of_a_question_counts(file: Path) -> None:
    begin(file, RUN)
    append(file, result(1, failure=DOWN))
    append(file, result(1))
    assert load(file)[1] == [result(1)]


def test_a_line_that_a_stop_cut_off_is_dropped_and_overwritten(file: Path) -> None:
    begin(file, RUN)
    append(file, result(1))
    with file.open("ab") as torn:
        torn.write(b'{"question": {"id": "2", "pict')
    assert load(file)[1] == [result(1)]
    assert begin(file, RUN) == [result(1)]
    append(file, result(2))
    assert load(file)[1] == [result(1), result(2)]


def test_results_of_another_run_are_not_mixed_in(file: Path) -> None:
    begin(file, RUN)
    before = file.read_bytes()
    with pytest.raises(
        ResultsError, match=r"another run: label was '7B' and is 'AWQ', concurrency was 2 and is 4"
    ):
        begin(file, replace(RUN, label="AWQ", concurrency=4))
    assert file.read_bytes() == before


@pytest.mark.parametrize("data", [b"", b"{}\n", b"text\n", b'{"set": "x"}\n'])
def test_another_file_is_told(file: Path, data: bytes) -> None:
    with pytest.raises(ResultsError, match="cannot be read: No such file"):
        load(file)
    file.parent.mkdir()
    file.write_bytes(data)
    with pytest.raises(ResultsError, match="holds no results of `hub eval`"):
        load(file)
