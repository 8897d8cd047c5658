"""The Tailscale provider against a stub of headscale's command line, which answers as 0.29 does."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.twin.providers.engine import Engine, engine
from twin.providers import tailscale

EXCHANGE = Path(__file__).with_name("tailnet_key.json")
KEY = "tailscale:index/tailnetKey:TailnetKey"
IDENTITY = "tailscale:index/federatedIdentity:FederatedIdentity"
REUSABLE = {"reusable": True, "ephemeral": True, "tags": ["tag:llm-gateway"], "expiry": 3600}

HEADSCALE = f"""#!{sys.executable}
import json, pathlib, sys, time
here = pathlib.Path(__file__).parent
arguments = sys.argv[1:]
assert arguments[0] == "--config" and arguments[-2:] == ["--output", "json"], arguments
words = arguments[2:-2]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps(words) + "\\n")
file = here / "keys.json"
keys = json.loads(file.read_text()) if file.exists() else []
stamp = lambda seconds: {{"seconds": int(seconds), "nanos": 5}}
if words[:2] == ["preauthkeys", "create"]:
    if not any(word.startswith("--tags=") for word in words):
        sys.exit("Cannot create Pre Auth Key: auth-key must be either tagged or owned by user")
    keys.append({{
        "id": len(keys) + 1,
        "key": "hskey-auth-abc",
        "expiration": stamp(time.time() + int(words[-1].split("=")[1][:-1])),
        "created_at": stamp(1_800_000_000),
    }})
    print(json.dumps(keys[-1], indent="\\t"))
elif words == ["preauthkeys", "list"]:
    print(json.dumps(keys))
elif words[:2] == ["preauthkeys", "expire"]:
    keys[int(words[3]) - 1]["expiration"] = stamp(time.time() - 1)
    print("{{}}")
file.write_text(json.dumps(keys))
"""


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    stub = folder / "headscale"
    stub.write_text(HEADSCALE)
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


@pytest.fixture
def tailnet(bin_folder: Path, tmp_path: Path) -> Iterator[Engine]:
    config = tmp_path / "config.yaml"
    with engine(lambda _: lambda token: tailscale.type_of(token, config), KEY) as attached:
        yield attached


def calls(bin_folder: Path) -> list[Any]:
    file = bin_folder / "calls"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_key_is_created_with_what_the_program_says(tailnet: Engine, bin_folder: Path) -> None:
    id_, outputs = tailnet.create(REUSABLE)
    assert calls(bin_folder) == [
        [
            "preauthkeys",
            "create",
            "--reusable",
            "--ephemeral",
            "--tags=tag:llm-gateway",
            "--expiration=3600s",
        ]
    ]
    assert id_ == "1"
    assert outputs["key"] == "hskey-auth-abc"
    assert outputs["createdAt"] == "2027-01-15T08:00:00Z"
    assert outputs["invalid"] is False


def test_a_key_has_the_state_that_an_answer_of_tailscales_form_gives(tailnet: Engine) -> None:
    """``tailscale/resource_tailnet_key.go`` keeps the answer's fields under these names.

    The exchange is written by hand, with the stub's values; what it shows is names and types.
    """
    exchange = json.loads(EXCHANGE.read_text())
    asked, answer = exchange["request"]["body"], exchange["answer"]
    id_, outputs = tailnet.create(REUSABLE)
    assert id_ == answer["id"]
    assert outputs.keys() == {
        *("key", "createdAt", "expiresAt", "expiry", "invalid", "description", "userId"),
        *asked["capabilities"]["devices"]["create"],
    }
    for name, value in asked["capabilities"]["devices"]["create"].items():
        assert outputs[name] == value
    assert outputs["expiry"] == asked["expirySeconds"] == answer["expirySeconds"]
    for name in ("key", "description", "invalid"):
        assert outputs[name] == answer[name]
    assert outputs["userId"] == ""  # headscale's keys with tags have no owner
    assert outputs["createdAt"] == answer["created"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", outputs["expiresAt"])


def test_a_key_lives_for_ninety_days_unless_told(tailnet: Engine, bin_folder: Path) -> None:
    _, outputs = tailnet.create({"tags": ["tag:a", "tag:b"]})
    assert calls(bin_folder) == [
        ["preauthkeys", "create", "--tags=tag:a,tag:b", "--expiration=7776000s"]
    ]
    assert outputs["expiry"] == 7_776_000


def test_what_the_control_server_refuses_is_told_in_its_words(tailnet: Engine) -> None:
    with pytest.raises(
        grpc.RpcError,
        match=r"the control server refused `preauthkeys create`: .*must be either tagged or owned",
    ):
        tailnet.create({"reusable": True})


def test_the_preview_creates_no_key(tailnet: Engine, bin_folder: Path) -> None:
    tailnet.create(REUSABLE, preview=True)
    assert calls(bin_folder) == []


def test_every_attribute_of_a_key_replaces_it(tailnet: Engine) -> None:
    changed = {
        "reusable": False,
        "ephemeral": False,
        "tags": ["tag:llm-home"],
        "expiry": 60,
        "description": "d",
        "preauthorized": True,
    }
    assert tailnet.diff(REUSABLE, changed) == {
        "reusable": "UPDATE_REPLACE",
        "ephemeral": "UPDATE_REPLACE",
        "tags[0]": "UPDATE_REPLACE",
        "expiry": "UPDATE_REPLACE",
        "description": "ADD_REPLACE",
        "preauthorized": "ADD_REPLACE",
    }


def test_whether_to_renew_a_key_and_whose_it_is_are_changed_in_place(tailnet: Engine) -> None:
    changed = {**REUSABLE, "recreateIfInvalid": "always", "userId": "7"}
    assert tailnet.diff(REUSABLE, changed) == {"recreateIfInvalid": "ADD", "userId": "ADD"}


def test_an_update_keeps_the_key_and_reads_it_again(tailnet: Engine) -> None:
    always = {**REUSABLE, "recreateIfInvalid": "always"}
    id_, outputs = tailnet.create(always)
    changed = {**REUSABLE, "userId": "7"}
    updated = {name: value for name, value in outputs.items() if name != "recreateIfInvalid"}
    assert tailnet.update(id_, outputs, changed) == updated
    tailnet.delete(id_, outputs)
    assert tailnet.update(id_, outputs, changed, preview=True) == updated
    assert tailnet.update(id_, outputs, changed) == {**updated, "invalid": True}


@pytest.mark.parametrize("wish", ["", "always", "never"])
def test_whether_to_renew_a_key_is_one_of_three_words(tailnet: Engine, wish: str) -> None:
    assert tailnet.check({"recreateIfInvalid": wish}) == {}
    assert tailnet.check({"recreateIfInvalid": f"{wish}s"}) == {
        "recreateIfInvalid": "must be always or never"
    }


def test_a_description_longer_than_tailscale_takes_is_refused(tailnet: Engine) -> None:
    assert tailnet.check({"description": "x" * 50}) == {}
    assert tailnet.check({"description": "x" * 51}) == {"description": "may have 50 characters"}


def test_a_valid_key_stays_as_it_is_at_refresh(tailnet: Engine) -> None:
    id_, outputs = tailnet.create(REUSABLE)
    assert tailnet.read(id_, outputs) == outputs


@pytest.mark.parametrize(
    ("inputs", "is_replaced"),
    [
        (REUSABLE, True),
        ({**REUSABLE, "reusable": False}, False),
        ({**REUSABLE, "reusable": False, "recreateIfInvalid": "always"}, True),
        ({**REUSABLE, "recreateIfInvalid": "never"}, False),
    ],
)
def test_a_revoked_key_is_kept_as_invalid_and_replaced_where_that_is_wished(
    tailnet: Engine, inputs: dict[str, Any], *, is_replaced: bool
) -> None:
    id_, outputs = tailnet.create(inputs)
    assert tailnet.diff(inputs, inputs, live=outputs) == {}
    tailnet.delete(id_, outputs)
    revoked = tailnet.read(id_, outputs)
    assert revoked == {**outputs, "invalid": True}
    planned = tailnet.diff(inputs, inputs, live=revoked)
    assert planned == ({"invalid": "DELETE_REPLACE"} if is_replaced else {})


@pytest.mark.parametrize(
    ("before", "now", "planned"),
    [
        ("never", "always", {"recreateIfInvalid": "UPDATE", "invalid": "DELETE_REPLACE"}),
        ("always", "never", {"recreateIfInvalid": "UPDATE"}),
    ],
)
def test_an_invalid_key_is_replaced_or_not_as_the_program_says_now(
    tailnet: Engine, before: str, now: str, planned: dict[str, str]
) -> None:
    inputs = {**REUSABLE, "recreateIfInvalid": before}
    _, outputs = tailnet.create(inputs)
    live = {**outputs, "invalid": True}
    assert tailnet.diff(inputs, {**inputs, "recreateIfInvalid": now}, live=live) == planned
    once = {**REUSABLE, "reusable": False, "recreateIfInvalid": "always"}
    dropped = {name: value for name, value in once.items() if name != "recreateIfInvalid"}
    assert tailnet.diff(once, dropped, live={**once, "invalid": True}) == {
        "recreateIfInvalid": "DELETE"
    }


def test_an_expired_key_is_invalid(tailnet: Engine) -> None:
    id_, outputs = tailnet.create({**REUSABLE, "expiry": 0, "recreateIfInvalid": "never"})
    until = time.monotonic() + 3
    while not (tailnet.read(id_, outputs) or {})["invalid"]:
        assert time.monotonic() < until


def test_a_key_the_control_server_does_not_know_is_kept_as_invalid(tailnet: Engine) -> None:
    assert tailnet.read("7", REUSABLE) == {**REUSABLE, "invalid": True}


def test_a_key_that_is_gone_or_invalid_can_be_deleted(tailnet: Engine, bin_folder: Path) -> None:
    id_, outputs = tailnet.create(REUSABLE)
    for _ in range(2):
        tailnet.delete(id_, outputs)
    tailnet.delete("7", REUSABLE)
    revoked = [words for words in calls(bin_folder) if words[1] == "expire"]
    assert revoked == [["preauthkeys", "expire", "--id", "1"]]


def test_a_federated_identity_is_refused_with_the_way_out(tailnet: Engine) -> None:
    with pytest.raises(grpc.RpcError, match=r"write tailnet\.joinWith: authKey for the twin"):
        tailnet.of(IDENTITY).check({})


def test_a_type_that_the_program_does_not_use_is_refused(tailnet: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="the twin has no tailscale:index/acl:Acl"):
        tailnet.of("tailscale:index/acl:Acl").check({})
