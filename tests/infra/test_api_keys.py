from __future__ import annotations

import json
import subprocess

import pulumi

from infra.api_keys import ApiKeys
from infra.outputs import curl_line
from tests.support.pulumi_mocks import deploy

RANDOM = "random:index/randomPassword:RandomPassword"


class Outer(pulumi.ComponentResource):
    """A parent, so that a child which forgets its own parent is seen."""

    def __init__(self) -> None:
        super().__init__("test:index:Outer", "outer")
        keys = ApiKeys("key", ["laptop", "robot"], pulumi.ResourceOptions(parent=self))
        self.by_name = keys.by_name
        self.upstream = keys.upstream
        self.register_outputs({})


def test_each_client_and_the_gateway_get_a_long_key_of_their_own() -> None:
    deployed = deploy(
        lambda: {"keys": Outer().by_name}, computed={RANDOM: lambda _: {"result": "k" * 43}}
    )
    passwords = [r for r in deployed.resources if r.typ == RANDOM]
    assert sorted(r.name for r in passwords) == ["key-laptop", "key-robot", "key_upstream"]
    for password in passwords:
        assert password.parent == "key"
        assert (password.inputs["length"], password.inputs["special"]) == (43, False)
    assert deployed.outputs["keys"] == {"laptop": "k" * 43, "robot": "k" * 43}


def test_the_keys_by_name_are_secret() -> None:
    seen: list[bool] = []

    async def note(keys: pulumi.Output[dict[str, str]]) -> None:
        seen.append(await keys.is_secret())

    def program() -> dict[str, pulumi.Input[None]]:
        return {"noted": pulumi.Output.from_input(note(Outer().by_name))}

    deploy(program, computed={RANDOM: lambda _: {"result": "k" * 43}})
    assert seen == [True]


def test_the_curl_line_takes_the_key_from_the_shell_and_asks_for_a_stream() -> None:
    line = curl_line("https://x.run.app")
    done = subprocess.run(
        ["sh", "-c", f"curl() {{ printf '%s\\n' \"$@\"; }}; {line}"],
        env={"OPENAI_API_KEY": "k1"},
        capture_output=True,
        text=True,
        check=True,
    )
    words = done.stdout.splitlines()
    assert words[:2] == ["-N", "https://x.run.app/v1/chat/completions"]
    assert "Authorization: Bearer k1" in words
    question = json.loads(words[-1])
    assert question["model"] == "vlm"
    assert question["stream"] is True
