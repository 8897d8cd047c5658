"""Where the service is, found in the order that a person expects."""

from __future__ import annotations

import pytest

from app.client import ClientError, Connection


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_MODEL", raising=False)


def test_arguments_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://env.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "from-env")
    assert Connection.find("https://arg.example/v1/", "arg") == Connection(
        "https://arg.example/v1", "arg"
    )
    assert Connection.find() == Connection("https://env.example/v1", "from-env")
    assert Connection.find(api_key="arg") == Connection("https://env.example/v1", "arg")


def test_the_environment_names_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_MODEL", "vlm")
    assert Connection.find("https://a.example/v1", "k") == Connection(
        "https://a.example/v1", "k", "vlm"
    )


def test_without_anything_the_reader_learns_what_to_set() -> None:
    with pytest.raises(ClientError, match=r"No address or no API key is set\. Give base_url"):
        Connection.find()


def test_blanks_around_a_pasted_key_are_left_out() -> None:
    assert Connection.find(" https://a.example/v1/ ", "k1\n") == Connection(
        "https://a.example/v1", "k1"
    )


@pytest.mark.parametrize(
    ("address", "key", "words"),
    [
        ("door.example/v1", "k1", "no address of a service; it begins with https://"),
        ("localhost:8080/v1", "k1", "no address of a service; it begins with https://"),
        ("http://[::1/v1", "k1", "no address of a service; it begins with https://"),
        ("https:///v1", "k1", "no address of a service; it begins with https://"),
        ("https://door.example/v1", "sk-…", "The API key has letters that no key has"),
        ("https://door.example/v1", "a\nb", "The API key has letters that no key has"),
    ],
)
def test_what_cannot_be_asked_is_told_before_it_is(address: str, key: str, words: str) -> None:
    with pytest.raises(ClientError, match=words):
        Connection(address, key)


def test_the_key_is_not_in_what_is_printed() -> None:
    assert "secret" not in repr(Connection("https://door.example/v1", "secret"))
