"""`hub eval` from the command line to the report, on a small server with literal answers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from hub.cli import app
from tests.support.http_server import Handler, serving
from tests.support.signals import ctrl_c_interrupts

CARD = {"id": "vlm", "root": "Qwen/Qwen2.5-VL-7B-Instruct", "max_model_len": 8192}
CAT = '[{"bbox_2d": [14, 28, 54, 68], "label": "cat"}]'
DOGS = (
    '[{"bbox_2d": [0, 0, 20, 20], "label": "dog"}, '
    '{"bbox_2d": [100, 50, 140, 110], "label": "dog"}]'
)
PERFECT = {"cat": CAT, "dog": DOGS}


@dataclass
class Server:
    """Says what it is told to about each thing it is asked to locate; ``None`` is a 503."""

    answers: dict[str, str | None] = field(default_factory=dict[str, str | None])
    asked: list[str] = field(default_factory=list[str])
    busy: int = 0
    """So many of the next questions are too many in this minute."""
    ctrl_c_at: str = ""
    """Asked for this, it never answers, and Ctrl-C is pressed."""
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Answering(Handler):
        def do_GET(self) -> None:  # noqa: N802
            self.json(200, {"object": "list", "data": [CARD]})

        def do_POST(self) -> None:  # noqa: N802
            body = json.loads(self.body())
            content = body["messages"][-1]["content"]
            text = next(part["text"] for part in content if part["type"] == "text")
            what = text.removeprefix("Locate every ").split(" in the image")[0]
            state.asked.append(what)
            if state.busy:
                state.busy -= 1
                refusal = {"error": {"message": "full", "type": "x", "code": "x"}}
                self.json(429, refusal, {"Retry-After": "1"})
                return
            if what == state.ctrl_c_at:
                os.kill(os.getpid(), signal.SIGINT)
                state.ended.wait(20)
                self.close_connection = True
                return
            if (answer := state.answers[what]) is None:
                # Longer than the client waits.
                refusal = {"error": {"message": "off", "type": "x", "code": 503}}
                self.json(503, refusal, {"Retry-After": "600"})
                return
            self.begin_events()
            for start in range(0, len(answer), 7):
                self.piece(event({"content": answer[start : start + 7]}, None))
            self.piece(event({}, "stop"))
            self.piece(b"data: [DONE]\n\n")
            self.piece(b"")

        def json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
            told = {"Content-Type": "application/json", **(headers or {})}
            self.whole(status, json.dumps(body).encode(), told)

    with serving(Answering) as port:
        state.url = f"http://127.0.0.1:{port}/v1"
        yield state
        state.ended.set()


def event(delta: dict[str, Any], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "vlm",
        "choices": [choice],
    }
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@pytest.fixture
def folder(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of one cat and two dogs; each picture of a size that is sent as it is."""
    monkeypatch.setenv("HUB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    pets = tmp_path / "pets"
    pets.mkdir()
    for name in ("cat.png", "dogs.png"):
        Image.new("RGB", (140, 112), "grey").save(pets / name)
    boxes = [(1, 1, [14, 28, 40, 40]), (2, 2, [0, 0, 20, 20]), (2, 2, [100, 50, 40, 60])]
    instances = {
        "images": [
            {"id": 1, "file_name": "cat.png", "width": 140, "height": 112},
            {"id": 2, "file_name": "dogs.png", "width": 140, "height": 112},
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"id": i, "image_id": image, "category_id": category, "bbox": box}
            for i, (image, category, box) in enumerate(boxes)
        ],
    }
    (pets / "instances.json").write_text(json.dumps(instances))
    return tmp_path


def hub(*words: str) -> Result:
    return CliRunner().invoke(app, ["eval", *words])


def values(folder: Path) -> dict[str, str]:
    """The report's first column to its second."""
    lines = (folder / "report.md").read_text().splitlines()
    cells = [line.split(" | ") for line in lines if line.startswith("| ")]
    return {row[0][2:]: row[1] for row in cells}


def test_a_minutes_limit_costs_no_question_its_answer(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def at_once(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    server.answers, server.busy = {**PERFECT}, 100
    done = hub("pets", "--concurrency", "1")
    assert "2 answered, 0 failed" in done.output
    assert sum(waits) >= 100, "longer than a person in front of it would wait"


def test_perfect_answers_have_perfect_measures(folder: Path, server: Server) -> None:
    server.answers = {**PERFECT}
    done = hub("pets")
    assert done.exit_code == 0, done.output
    assert "mean IoU 1.000; 2 answered, 0 failed" in done.output
    out = folder / "evaluations" / "pets-Qwen2.5-VL-7B-Instruct"
    found = values(out)
    assert found["mean IoU"] == found["precision at 0.5"] == found["recall at 0.5"] == "1.000"
    assert found["right at 0.5, one box asked for"] == "1.000"
    assert found["unreadable answers"] == "0.000"
    assert float(found["first token"]) <= float(found["whole answer"])
    with Image.open(out / "plot.png") as plot:
        assert plot.size == (2240, 760)
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert lines[0]["model"] == "Qwen/Qwen2.5-VL-7B-Instruct"
    assert {line["answer"] for line in lines[1:]} == {CAT, DOGS}


def test_shifted_boxes_have_the_overlap_they_have(folder: Path, server: Server) -> None:
    # Of the cat's 40 by 40 box, moved right by 20: IoU 800 / 2400. One of two dogs is missing.
    cat = '[{"bbox_2d": [34, 28, 74, 68], "label": "cat"}]'
    server.answers = {"cat": cat, "dog": '[{"bbox_2d": [0, 0, 20, 20], "label": "dog"}]'}
    assert hub("pets", "--out", "out").exit_code == 0
    found = values(folder / "out")
    assert found["mean IoU"] == "0.444"  # (1/3 + 1 + 0) / 3
    assert found["mean IoU, one box asked for"] == "0.333"
    assert found["right at 0.5, one box asked for"] == "0.000"
    assert found["precision at 0.5"] == "0.500"
    assert found["recall at 0.5"] == "0.333"


def test_garbage_is_an_unreadable_answer_not_a_failure(folder: Path, server: Server) -> None:
    server.answers = {"cat": "I am afraid I cannot see any cat.", "dog": DOGS}
    done = hub("pets", "--out", "out", "--model-name", "Babbler")
    assert done.exit_code == 0, done.output
    found = values(folder / "out")
    assert found["unreadable answers"] == "0.500"
    assert found["mean IoU"] == "0.667"
    report = (folder / "out" / "report.md").read_text()
    assert report.startswith("# Grounding: Babbler on pets")
    assert "| 1 | cat.png | cat | 0.00 | 0 | I am afraid I cannot see any cat. |" in report


def test_no_boxes_is_a_readable_answer(folder: Path, server: Server) -> None:
    server.answers = {"cat": "[]", "dog": DOGS}
    assert hub("pets", "--out", "out").exit_code == 0
    assert values(folder / "out")["unreadable answers"] == "0.000"


def test_a_failed_service_is_counted_apart_and_asked_again(folder: Path, server: Server) -> None:
    server.answers = {"cat": CAT, "dog": None}
    done = hub("pets", "--out", "out")
    assert done.exit_code == 1
    assert "1 answered, 1 failed" in done.output
    report = (folder / "out" / "report.md").read_text()
    assert "- 2 questions: 1 answered, 1 failures of the service" in report
    assert values(folder / "out")["mean IoU"] == "1.000"
    server.answers = {"cat": None, "dog": DOGS}
    server.asked.clear()
    again = hub("pets", "--out", "out")
    assert again.exit_code == 0, again.output
    assert set(server.asked) == {"dog"}
    assert "2 answered, 0 failed" in again.output


def test_ctrl_c_keeps_what_is_answered_and_reports_it(folder: Path, server: Server) -> None:
    server.answers, server.ctrl_c_at = {**PERFECT}, "dog"
    with ctrl_c_interrupts():
        done = hub("pets", "--out", "out")
    assert done.exit_code == 130
    assert "1 answered, 0 failed" in done.output
    assert "The same command takes up where this one stopped" in done.output
    assert "1 not asked yet" in (folder / "out" / "report.md").read_text()
    server.ctrl_c_at = ""
    again = hub("pets", "--out", "out")
    assert again.exit_code == 0, again.output
    assert server.asked == ["cat", "dog", "dog"]


def test_a_service_that_fails_on_everything_is_given_up(folder: Path, server: Server) -> None:
    server.answers = {"square": None}
    pets = json.loads((folder / "pets" / "instances.json").read_text())
    pets["categories"] = [{"id": i, "name": "square"} for i in range(40)]
    pets["annotations"] = [
        {"id": i, "image_id": 1, "category_id": i, "bbox": [0, 0, 9, 9]} for i in range(40)
    ]
    (folder / "pets" / "instances.json").write_text(json.dumps(pets))
    done = hub("pets", "--out", "out")
    assert done.exit_code == 1
    assert "The service failed 10 times in a row" in done.output
    assert len(server.asked) == 10


def test_a_limit_asks_fewer_and_a_larger_one_takes_them_up(folder: Path, server: Server) -> None:
    server.answers = {**PERFECT}
    assert hub("pets", "--out", "out", "--limit", "1").exit_code == 0
    assert len(server.asked) == 1
    assert hub("pets", "--out", "out").exit_code == 0
    assert sorted(server.asked) == ["cat", "dog"]
    assert "1 answered, 0 failed" in hub("pets", "--out", "out", "--limit", "1").output
    assert "- 1 questions: 1 answered" in (folder / "out" / "report.md").read_text()
    assert len(server.asked) == 2


def test_two_runs_are_compared(folder: Path, server: Server) -> None:
    server.answers = {**PERFECT}
    hub("pets", "--out", "a", "--model-name", "7B")
    server.answers = {"cat": "[]", "dog": DOGS}
    hub("pets", "--out", "b", "--model-name", "AWQ", "--concurrency", "2")
    done = hub("compare", "a/results.jsonl", "b/results.jsonl")
    assert done.exit_code == 0, done.output
    assert "# AWQ (B) against 7B (A) on pets" in done.output
    assert "| mean IoU | 1.000 | 0.667 | -0.333 |" in done.output
    assert "| cat.png | cat | 1.00 | 0.00 | \\[\\] |" in done.output


def test_the_drawn_set_is_asked_at_the_sizes_given(folder: Path, server: Server) -> None:
    class Everything(dict[str, str | None]):
        def __missing__(self, what: str) -> str:
            return "[]"

    server.answers = Everything()
    done = hub("drawn", "--size", "140x112,56x56", "--limit", "6", "--out", "out")
    assert done.exit_code == 0, done.output
    assert len(server.asked) == 6
    report = (folder / "out" / "report.md").read_text()
    assert "## By picture" in report
    assert "| 140x112 |" in report


@pytest.mark.parametrize("size", ["640", "0x5", "640x480;1x1"])
def test_a_size_of_another_form_is_told(folder: Path, size: str) -> None:
    done = hub("drawn", "--size", size)
    assert done.exit_code == 2
    assert "640x480,1920x1080" in done.output


def test_what_is_no_set_is_told(folder: Path) -> None:
    (folder / "empty").mkdir()
    done = hub("empty")
    assert done.exit_code == 1
    assert "is no grounding set" in done.output


def test_a_folder_of_another_run_is_refused(folder: Path, server: Server) -> None:
    server.answers = {**PERFECT}
    hub("pets", "--out", "out", "--model-name", "7B")
    done = hub("pets", "--out", "out", "--model-name", "AWQ")
    assert done.exit_code == 1
    assert "label was '7B' and is 'AWQ'" in done.output


def test_help_names_both_uses(folder: Path) -> None:
    shown = hub("--help").output
    assert "compare" in shown
    assert "hub eval SET" in shown
    assert "--concurrency" in hub("run", "--help").output
