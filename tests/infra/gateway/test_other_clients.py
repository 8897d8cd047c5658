"""Clients of other projects ask through a real Caddy; a home that answers in vLLM's form.

Each sends a picture, the model is silent for 40 s, and the client gets the whole answer; streamed,
vLLM's comments come meanwhile.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.support.gateway import API_KEYS, chat_headers, is_up, running_gateway
from tests.support.http_server import Handler, serving
from tests.support.other_clients import NAMES, Form, ask, install
from tests.support.waiting import until

pytestmark = pytest.mark.slow

PIECES = ["A ", "red ", "square, ", "오른쪽", "."]
ANSWER = "A red square, 오른쪽."
PAUSE_SECONDS = 40
COMMENT_SECONDS = 15
"""As the model server is told, ``--sse-keep-alive-interval``."""
COMMENT = b": keep-alive\n\n"
"""vLLM 0.32.0's, ``entrypoints/serve/utils/sse_keep_alive.py``."""
FORMS: tuple[Form, ...] = ("whole", "stream")
Answers = dict[tuple[str, Form], Future[str]]
QUESTION, HASTY_QUESTION = "What is this?", "What is this? At once!"


class Home(Handler):
    """One model, one answer. It refuses a question without the picture."""

    png = b""
    stopping = threading.Event()

    def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
        model = {"id": "vlm", "object": "model", "created": 0, "owned_by": "vllm"}
        self.json({"object": "list", "data": [model]} if self.path != "/health" else {})

    def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
        question = json.loads(self.body())
        [message] = question["messages"]
        picture, text = sorted(message["content"], key=lambda part: part["type"])
        if picture["image_url"]["url"] != data_url(self.png):
            self.whole(400, b'{"error": {"message": "not the picture"}}')
            return
        pause = 0 if text["text"] == HASTY_QUESTION else PAUSE_SECONDS
        if question.get("stream"):
            self.stream(pause)
        else:
            self.stopping.wait(pause)
            self.json(whole_answer())

    def stream(self, pause: float) -> None:
        self.begin_events()
        while pause > 0 and not self.stopping.wait(min(pause, COMMENT_SECONDS)):
            if (pause := pause - COMMENT_SECONDS) > 0:
                self.piece(COMMENT)
        for event in streamed_answer():
            self.piece(f"data: {event}\n\n".encode())
        self.piece(b"")

    def json(self, value: object) -> None:
        self.whole(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def data_url(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def completion(kind: str, **choice: object) -> dict[str, object]:
    choices = [{"index": 0, "logprobs": None, **choice}]
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "vlm", "choices": choices}


def whole_answer() -> dict[str, object]:
    message = {"role": "assistant", "content": ANSWER}
    usage = {"prompt_tokens": 9, "total_tokens": 14, "completion_tokens": 5}
    return completion("chat.completion", message=message, finish_reason="stop") | {"usage": usage}


def streamed_answer() -> Sequence[str]:
    deltas = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in PIECES), {}]
    chunks = [
        completion("chat.completion.chunk", delta=delta, finish_reason=None if delta else "stop")
        for delta in deltas
    ]
    return [*map(json.dumps, chunks), "[DONE]"]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("picture") / "red.png"
    Image.new("RGB", (640, 480), "red").save(file)
    return file


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, picture: Path) -> Generator[str]:
    """The gateway's."""
    Home.png = picture.read_bytes()
    folder = tmp_path_factory.mktemp("caddy")
    with serving(Home) as port, running_gateway(folder, home_port=port, body_mb=20) as running:
        until(lambda: is_up(running))
        yield running
        Home.stopping.set()


@pytest.fixture(scope="module")
def answers(url: str, picture: Path) -> Generator[Answers]:
    """Of each client in each form; all wait together."""
    commands = install()

    def answer(name: str, form: Form) -> str:
        key = API_KEYS["laptop"]
        return ask(commands[name], form, picture, QUESTION, base_url=f"{url}/v1", key=key)

    with ThreadPoolExecutor(len(NAMES) * len(FORMS)) as clients:
        yield {(name, form): clients.submit(answer, name, form) for name in NAMES for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_client_gets_the_whole_answer_after_forty_seconds(
    answers: Answers, name: str, form: Form
) -> None:
    assert answers[name, form].result() == ANSWER


@pytest.mark.parametrize(
    "version",
    [
        "--http1.0",
        "--http1.1",
        "--http2",  # asks for a change to HTTP/2, which the gateway does not make
        "--http2-prior-knowledge",
    ],
)
@pytest.mark.parametrize("form", FORMS)
def test_curl_gets_the_whole_answer_over_each_version(
    url: str, picture: Path, version: str, form: Form
) -> None:
    image = {"type": "image_url", "image_url": {"url": data_url(picture.read_bytes())}}
    content = [image, {"type": "text", "text": HASTY_QUESTION}]
    question = {"model": "vlm", "messages": [{"role": "user", "content": content}]}
    body = json.dumps({**question, "stream": form == "stream"})
    printed = curl(url, version, body)
    parse: Callable[[str], str] = {"whole": text_of_whole, "stream": text_of_events}[form]
    assert parse(printed) == ANSWER


def curl(url: str, *options: str) -> str:
    """What curl prints for a question; the body is the last option."""
    program = shutil.which("curl")
    assert program, "curl is not on PATH; install your system's curl package"
    *before, body = options
    command = [
        *(program, "--silent", "--show-error", "--fail-with-body", "--max-time", "20", *before),
        *("--oauth2-bearer", API_KEYS["laptop"], "--json", "@-", f"{url}/v1/chat/completions"),
    ]
    done = subprocess.run(command, input=body.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.decode()


def text_of_whole(printed: str) -> str:
    return json.loads(printed)["choices"][0]["message"]["content"]


def text_of_events(printed: str) -> str:
    *events, done = [line.removeprefix("data: ") for line in printed.splitlines() if line]
    assert done == "[DONE]"
    chunks: list[Any] = [json.loads(event) for event in events]
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)


def test_open_webuis_test_of_a_connection_finds_the_model(url: str) -> None:
    # What its `get_models` and `verify_connection` ask for: backend/open_webui/routers/openai.py.
    headers = {**chat_headers("laptop"), "Content-Type": "application/json"}
    answer = httpx2.get(f"{url}/v1/models", headers=headers)
    assert answer.status_code == 200
    assert [model["id"] for model in answer.json()["data"]] == ["vlm"]
