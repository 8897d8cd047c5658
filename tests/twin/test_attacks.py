"""What a question's content can do to the model server, through the whole path to real vLLM.

Each attack is answered as a client's mistake, or bounded; afterwards an ordinary question gets its
answer. What a request's form can do to the gateway is in ``tests/infra/gateway/test_attacks.py``.
"""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from PIL import Image

from tests.support.pictures import png_that_lies
from tests.twin.conftest import HubUnderTest, Patient
from tests.twin.questions import as_data, by_url, chat, first_key, picture

pytestmark = pytest.mark.twin

CHAT = "/v1/chat/completions"
BOUND_SECONDS = 60
"""For an attack that is served, such as 8 answers of 600 tokens by the small model."""


@pytest.fixture
def http(hub: HubUnderTest) -> Generator[httpx2.Client]:
    """Asks; afterwards an ordinary question has to be answered."""
    with hub.http(first_key(hub), Patient) as client:
        yield client
        assert client.post(CHAT, json=chat("Hello")).status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:8000/v1/models", "http://localhost/x.png", "http://[::1]/x.png"),
        *("http://0.0.0.0/x.png", "http://2130706433/x.png", "http://127.1/x.png"),
        *("http://192.168.0.1/", "http://10.43.0.1/", "https://kubernetes.default.svc/"),
        *("http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/"),
        *("http://100.100.100.200/", "http://[fd00:ec2::254]/", "http://100.64.0.1/health"),
        *("http://home/health", "http://home-gateway/", "http://vllm-qwen.vlm/health"),
        # A name that is allowed is not the same as one that ends in it, or has it as its user.
        *("http://media.invalid@127.0.0.1/", "http://127.0.0.1\\@media.invalid/"),
        *(
            "http://x.media.invalid/",
            "http://media.invalid.example/",
            "http://127.0.0.1#media.invalid",
        ),
        *("file:///etc/passwd", "FILE:///etc/passwd", "file://localhost/etc/passwd"),
        *(
            "file:///nothing/../etc/passwd",
            "file:///nothing/%2e%2e/etc/passwd",
            "file:/proc/self/environ",
        ),
        *(
            "ftp://127.0.0.1/x.png",
            "gopher://127.0.0.1:6379/_x",
            "s3://bucket/x.png",
            "/etc/passwd",
        ),
        *("javascript:0", "unix:/run/x.sock", "http://", "http://[", "\0"),
    ],
)
def test_no_picture_is_fetched(http: httpx2.Client, url: str) -> None:
    answer = http.post(CHAT, json=by_url(url))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert "root:" not in answer.text


def png(width: int, height: int) -> bytes:
    """A black picture of any size; its file is a thousandth of it."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG", optimize=True)
    return file.getvalue()


def png_with_a_text_bomb() -> bytes:
    """One pixel, and a comment that unpacks to 500 MB."""
    whole = png(1, 1)
    data = b"Comment\0\0" + zlib.compress(b"\0" * 500_000_000, 9)
    text = len(data).to_bytes(4, "big") + b"zTXt" + data
    text += zlib.crc32(b"zTXt" + data).to_bytes(4, "big")
    return whole[:33] + text + whole[33:]


def animation(frames: int) -> bytes:
    file = io.BytesIO()
    first, *others = (Image.new("P", (500, 500), colour % 250) for colour in range(frames))
    first.save(file, "GIF", save_all=True, append_images=others)
    return file.getvalue()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: as_data(png(20_000, 20_000)), id="400 megapixels"),
        pytest.param(lambda: as_data(png(4097, 4097)), id="one row over the bound"),
        pytest.param(lambda: as_data(png_that_lies(60_000, 60_000)), id="a head that lies"),
        pytest.param(lambda: as_data(png_that_lies(3000, 3000)), id="pixels that are missing"),
        pytest.param(lambda: as_data(png(16_000_000, 1)), id="a line of 16 megapixels"),
        pytest.param(lambda: as_data(zlib.compress(b"\0" * 10**8, 9)), id="zlib"),
        pytest.param(
            lambda: as_data(zlib.compress(b"\0" * 10**8, 9), "image/svg+xml"), id="zipped SVG"
        ),
        pytest.param(lambda: as_data(b"<svg><!ENTITY a 'b'></svg>", "image/svg+xml"), id="SVG"),
        pytest.param(lambda: as_data(b"%PDF-1.7"), id="PDF"),
        pytest.param(lambda: as_data(b"%!PS-Adobe-3.0 EPSF-3.0\n"), id="EPS"),
    ],
)
def test_a_picture_that_would_unpack_to_too_much_is_a_clients_mistake(
    http: httpx2.Client, make: Callable[[], str]
) -> None:
    answer = http.post(CHAT, json=by_url(make()), timeout=BOUND_SECONDS)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: as_data(png(4096, 4096)), id="16.8 megapixels"),
        pytest.param(lambda: as_data(animation(200), "image/gif"), id="an animation"),
        pytest.param(lambda: as_data(png_with_a_text_bomb()), id="a comment of 500 MB"),
    ],
)
def test_an_odd_picture_is_answered_in_time_one_way_or_the_other(
    http: httpx2.Client, make: Callable[[], str]
) -> None:
    answer = http.post(CHAT, json=by_url(make()), timeout=BOUND_SECONDS)
    assert answer.status_code in (200, 400), answer.text


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return schema


def with_schema(schema: object) -> dict[str, Any]:
    named = {"name": "answer", "schema": schema}
    return chat("Hello", response_format={"type": "json_schema", "json_schema": named})


def structured(**form: object) -> dict[str, Any]:
    return chat("Hello", structured_outputs=form)


def deep_json() -> str:
    """A question nested so deeply that a recursive parser would end."""
    depth = 100_000
    whole = json.dumps(chat("Hello", metadata="x"))
    return whole.replace('"x"', "[" * depth + "]" * depth)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(chat("Hello", n=1000), id="n"),
        pytest.param(chat("Hello", n=9), id="n, one over the bound"),
        pytest.param(chat("Hello", n=-1), id="n below 0"),
        pytest.param(chat("Hello", max_tokens=10**9), id="max_tokens"),
        pytest.param(chat("Hello", max_tokens=-1), id="max_tokens below 0"),
        pytest.param(chat("Hello", logprobs=True, top_logprobs=10_000), id="top_logprobs"),
        pytest.param(chat("Hello", prompt_logprobs=10_000), id="prompt_logprobs"),
        pytest.param(chat("Hello", use_beam_search=True, n=1000), id="beams"),
        pytest.param(chat("Hello", stop=["x"] * 10_000), id="stop"),
        pytest.param(chat("Hello " * 200_000), id="a prompt of 1.2 MB"),
        pytest.param(chat([picture(28, 28)] * 1000), id="a thousand pictures"),
        pytest.param(chat([{"type": "text", "text": "x"}] * 200_000), id="200,000 parts"),
        pytest.param(structured(regex="(" * 20_000), id="a regular expression of brackets"),
        pytest.param(structured(grammar="root ::= " + "(" * 20_000), id="a grammar of brackets"),
        pytest.param(chat("Hello", chat_template="{{ 7 * 7 }}"), id="a template of its own"),
        pytest.param(chat("Hello", model="../../etc/passwd"), id="another model"),
        pytest.param({**chat("Hello"), "messages": []}, id="no message"),
    ],
)
def test_too_much_is_refused(http: httpx2.Client, body: dict[str, Any]) -> None:
    answer = http.post(CHAT, json=body, timeout=BOUND_SECONDS)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"prompt": ["Hello"] * 9}, id="9 prompts, one over the bound"),
        pytest.param({"prompt": [[1]] * 100_000}, id="100,000 prompts"),
        pytest.param({"prompt": "Hello", "n": 9}, id="n"),
        pytest.param({"prompt": "Hello", "logprobs": 10_000}, id="logprobs"),
        pytest.param({"prompt": [10**9]}, id="a token that is none"),
        pytest.param({"prompt": []}, id="no prompt"),
    ],
)
def test_too_much_of_a_completion_is_refused(http: httpx2.Client, body: dict[str, Any]) -> None:
    answer = http.post("/v1/completions", json={"model": "vlm", "max_tokens": 1, **body})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]


def test_as_many_prompts_as_are_allowed_are_completed(http: httpx2.Client) -> None:
    body = {"model": "vlm", "max_tokens": 1, "prompt": ["Hello"] * 8}
    assert len(http.post("/v1/completions", json=body).json()["choices"]) == 8


def said(content: object) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": content}]}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            said([{"type": "input_image", "image_url": "http://127.0.0.1:8000/v1/models"}]),
            id="a picture by URL",
        ),
        pytest.param(
            said([{"type": "input_image", "image_url": "file:///etc/passwd"}]), id="a file"
        ),
        pytest.param({"input": "Hello " * 200_000}, id="a prompt of 1.2 MB"),
        pytest.param(
            {
                "input": "Hello",
                "include": ["message.output_text.logprobs"],
                "top_logprobs": 10_000,
            },
            id="top_logprobs",
        ),
        pytest.param({"input": "Hello", "max_output_tokens": -1}, id="max_output_tokens below 0"),
        pytest.param({"input": "Hello", "previous_response_id": "resp_1"}, id="one of before"),
    ],
)
def test_too_much_of_a_response_is_refused(http: httpx2.Client, body: dict[str, Any]) -> None:
    answer = http.post("/v1/responses", json={"model": "vlm", **body}, timeout=BOUND_SECONDS)
    assert 400 <= answer.status_code < 500, answer.text
    assert "root:" not in answer.text


def test_a_question_that_is_nested_100_000_deep_is_refused(http: httpx2.Client) -> None:
    json_type = {"Content-Type": "application/json"}
    answer = http.post(CHAT, content=deep_json(), headers=json_type, timeout=BOUND_SECONDS)
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(chat("Hello", n=8, max_tokens=600, ignore_eos=True), id="8 long answers"),
        pytest.param(chat("Hello", logprobs=True, top_logprobs=20), id="20 logprobs"),
        pytest.param(with_schema(nested(30)), id="a schema 30 deep"),
        pytest.param(
            with_schema({"type": "array", "items": {"type": "integer"}, "minItems": 10**9}),
            id="an array without an end",
        ),
        pytest.param(with_schema({"enum": [f"v{i}" for i in range(5000)]}), id="5,000 values"),
        pytest.param(structured(regex="((a{1,900}){1,900}){1,900}"), id="repeated repetitions"),
        pytest.param(structured(regex="(a+)+(b+)+$"), id="a regular expression that goes back"),
        pytest.param(
            structured(grammar='root ::= root "a" | "b"'), id="a grammar that begins with itself"
        ),
    ],
)
def test_what_is_costly_is_bounded_and_others_are_answered_meanwhile(
    hub: HubUnderTest, http: httpx2.Client, body: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(2) as people, hub.http(hub.api_keys()["robot"]) as other:
        attack = people.submit(http.post, CHAT, json=body, timeout=2 * BOUND_SECONDS)
        answer = other.post(CHAT, json=chat("Hello"), timeout=BOUND_SECONDS)
        assert answer.status_code == 200
        assert attack.result().status_code in (200, 400), attack.result().text
