"""The liveness probe's program, against servers that answer like vLLM in each of its states."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from app.model import alive
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port


@dataclass
class Engine:
    """A server whose engine is as the test says."""

    port: int = 0
    tokens: int = 100
    grows: bool = False
    """More tokens at each look."""
    running: int = 0
    metrics: int = 200
    status: int | None = 200
    """Of the answer to a question; ``None`` for none."""
    asked: list[str] = field(default_factory=list[str])
    over: Event = field(default_factory=Event)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(alive, "TOKEN_SECONDS", 0.2)
    monkeypatch.setattr(alive, "LOOK_AGAIN_SECONDS", 0.01)
    state = Engine()

    class Vllm(Handler):
        def do_GET(self) -> None:  # noqa: N802
            state.tokens += state.grows
            # As vLLM 0.32 prints them, among others.
            shown = (
                "# HELP vllm:prompt_tokens_total Number of prefill tokens processed.\n"
                f'vllm:num_requests_running{{engine="0",model_name="qwen"}} {state.running}.0\n'
                'vllm:num_requests_waiting{engine="0",model_name="qwen"} 0.0\n'
                f'vllm:prompt_tokens_total{{engine="0",model_name="qwen"}} {state.tokens}.0\n'
                'vllm:prompt_tokens_by_source_total{engine="0",source="local"} 7.0\n'
                'vllm:generation_tokens_total{engine="0",model_name="qwen"} 1.048576e+06\n'
            )
            self.whole(state.metrics, shown.encode())

        def do_POST(self) -> None:  # noqa: N802
            state.asked.append(self.body().decode())
            if state.status is None:
                state.over.wait(10)
            else:
                self.whole(state.status, b"{}")

    with serving(Vllm) as state.port:
        yield state
        state.over.set()


def test_an_idle_engine_is_asked_for_one_token(engine: Engine) -> None:
    assert alive.is_alive(engine.port, "qwen")
    assert engine.asked == ['{"model": "qwen", "prompt": "1", "max_tokens": 1, "temperature": 0}']


def test_an_idle_engine_that_writes_none_is_not_alive(engine: Engine) -> None:
    engine.status = None
    assert not alive.is_alive(engine.port, "qwen")


def test_a_busy_engine_that_gets_on_is_not_asked(engine: Engine) -> None:
    engine.running, engine.grows, engine.status = 3, True, None
    assert alive.is_alive(engine.port, "qwen")
    assert engine.asked == []


def test_a_busy_engine_that_has_no_place_for_the_question_and_gets_on_is_alive(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long prompt: nothing is counted in the two seconds, and then all at once."""
    engine.running, engine.status = 32, None
    looks = iter([100, 100, 8292])

    def progress(port: int) -> tuple[float, bool]:
        return next(looks), True

    monkeypatch.setattr(alive, "_progress", progress)
    assert alive.is_alive(engine.port, "qwen")
    assert len(engine.asked) == 1


def test_a_busy_engine_that_stands_still_is_not_alive(engine: Engine) -> None:
    engine.running, engine.status = 3, None
    assert not alive.is_alive(engine.port, "qwen")


@pytest.mark.parametrize(
    ("status", "lives"), [(400, True), (404, True), (500, False), (503, False)]
)
def test_an_error_of_the_engine_counts_and_a_refusal_of_the_question_does_not(
    status: int, lives: bool, engine: Engine
) -> None:
    engine.status = status
    assert alive.is_alive(engine.port, "qwen") is lives


def test_a_server_that_does_not_answer_is_not_alive_and_it_says_why(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alive.main(str(free_port()), "qwen") == 1
    assert "the server does not answer: ConnectionRefusedError" in capsys.readouterr().out
    engine.metrics = 500
    assert alive.main(str(engine.port), "qwen") == 1
    assert "/metrics answers 500" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_the_program_needs_nothing_but_python(status: int, code: int, engine: Engine) -> None:
    """As the kubelet runs it: its text as an argument, no module of this project."""
    engine.status = status
    command = ["python3", "-I", "-c", Path(alive.__file__).read_text(), str(engine.port), "qwen"]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == code, done.stdout + done.stderr
    assert time.monotonic() - begun < 10
