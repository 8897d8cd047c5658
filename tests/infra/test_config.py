from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from jsonschema import Draft202012Validator
from pulumi.runtime.config import set_all_config

from docs.generate import PAGE, SCHEMA, page, schema
from infra import config, stack_config
from tests.support.stacks import STACKS

COMMIT_OF_7B = "cc594898137f460bfe9f0759e9844b3ce807cfb5"
GOOD: dict[str, Any] = {
    "apiKeys": ["laptop"],
    "cloud": {"project": "my-project"},
}


def load(**changes: Any) -> config.Settings:
    set_all_config({"personal-cloud-hub:settings": json.dumps({**GOOD, **changes})}, [])
    return stack_config.load(pulumi.Config("personal-cloud-hub"))


def refusal(**changes: Any) -> str:
    with pytest.raises(stack_config.ConfigError) as error:
        load(**changes)
    return str(error.value)


def test_the_defaults_are_the_missions() -> None:
    settings = load()
    assert settings.cloud.region == "asia-northeast3"
    assert settings.cloud.timeout_seconds == 300
    assert settings.home.gpu_slices == 10
    assert settings.tailnet.mtu == 1024
    assert settings.limits.body_mb == 20
    assert settings.model.profile == "7b"


def test_a_stack_without_settings_is_told_where_to_get_them() -> None:
    set_all_config({}, [])
    with pytest.raises(stack_config.ConfigError, match=r"copy it from Pulumi\.dev\.yaml"):
        stack_config.load(pulumi.Config("personal-cloud-hub"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clodu": {}}, "settings.clodu: no such setting"),
        ({"tailnet": {"mtu": 9000}}, "settings.tailnet.mtu"),
        ({"tailnet": {"keyDays": 91}}, "settings.tailnet.keyDays"),
        ({"cloud": {"project": "my-project", "timeoutSeconds": 301}}, "cloud.timeoutSeconds"),
        ({"cloud": {"project": "Bad Name"}}, "settings.cloud.project"),
        (
            {"cloud": {"project": "my-project", "fallback": {"url": "http://x/v1", "model": "m"}}},
            "cloud.fallback.url",
        ),
        (
            {"cloud": {"project": "my-project", "fallback": {"url": "https://x", "model": "a b"}}},
            "cloud.fallback.model",
        ),
        (
            {"home": {"wake": {"through": "http://100.1.2.3:9"}}},
            "settings.home.wake.through",
        ),
        ({"apiKeys": []}, "settings.apiKeys"),
        ({"apiKeys": ["laptop", "laptop"]}, "laptop stands there twice"),
        ({"apiKeys": ["My Laptop"]}, "'My Laptop' is no name for a key"),
        ({"apiKeys": ["robot.1"]}, "'robot.1' is no name for a key"),
        ({"model": {"revision": "main"}}, "settings.model.revision"),
        ({"model": {"profile": "72b"}}, "settings.model.profile"),
        ({"tailnet": {"ownsPolicy": True}}, "tailnet.ownsPolicy: no such setting"),
        (
            {"tailnet": {"joinWith": "workloadIdentity", "controlUrl": "http://10.0.0.1"}},
            "remove controlUrl or write joinWith: authKey",
        ),
    ],
)
def test_a_wrong_setting_is_named_as_the_file_spells_it(changes: dict[str, Any], told: str) -> None:
    assert told in refusal(**changes)


@pytest.mark.parametrize(
    "image", ["vllm/vllm-openai", "vllm/vllm-openai:latest", "host:5000/vllm/vllm-openai"]
)
def test_an_image_without_a_version_is_refused(image: str) -> None:
    assert "model.image: " in (told := refusal(model={"image": image}))
    assert "does not say which version" in told
    for key in ("caddyImage", "tailscaleImage"):
        told = refusal(cloud={"project": "my-project", key: image})
        assert f"cloud.{key}: {image} does not say which version" in told


@pytest.mark.parametrize("image", ["vllm/vllm-openai:v0.33.0", "host:5000/v@sha256:" + "a" * 64])
def test_an_image_with_a_tag_or_a_digest_is_taken(image: str) -> None:
    assert load(model={"image": image}).model.image == image


def test_a_model_that_cannot_fit_fails_with_the_sum_and_a_way_out() -> None:
    told = refusal(home={"gpuMemoryGib": 11.6})
    assert "model.profile 7b does not fit a GPU of 11.6 GiB" in told
    assert "15.4 are weights" in told
    assert "7b-awq" in told


def test_a_model_that_fits_exactly_where_the_other_does_not_is_taken() -> None:
    small = load(home={"gpuMemoryGib": 11.6}, model={"profile": "7b-awq"})
    assert small.model.profile == "7b-awq"


@pytest.mark.parametrize(
    "revision",
    [COMMIT_OF_7B, f"Qwen/Qwen2.5-VL-7B-Instruct@{'0' * 40}", "0" * 40],
)
@pytest.mark.parametrize("profile", ["7b-awq", "3b", "tiny"])
def test_a_commit_of_another_models_repository_is_refused_with_what_to_write(
    profile: str, revision: str
) -> None:
    told = refusal(model={"profile": profile, "revision": revision})
    assert f"profile {profile} is " in told
    assert "remove revision, or write revision: " in told
    assert "@COMMIT" in told


def test_each_profile_serves_its_own_commit() -> None:
    assert load().model.commit == COMMIT_OF_7B
    three = load(model={"profile": "3b"}).model.commit
    assert three == "66285546d2b821cf421d4f5eb2576359d3770cd3"
    small = load(model={"profile": "7b-awq"}).model.commit
    assert small == "536a35794df8831aa814970ee8f89eff577e7718"
    chosen = load(model={"revision": f"Qwen/Qwen2.5-VL-7B-Instruct@{'1' * 40}"})
    assert chosen.model.commit == "1" * 40
    assert load(model={"revision": COMMIT_OF_7B}).model.commit == COMMIT_OF_7B


def test_a_person_may_overrule_the_forecast() -> None:
    small = {"gpuMemoryGib": 11.6}
    assert "evenIfTooLarge: true" in refusal(home=small)
    assert load(home=small, model={"evenIfTooLarge": True}).model.profile == "7b"


def test_the_configuration_page_is_what_the_models_say() -> None:
    assert PAGE.read_text() == page(), "run `python -m docs.generate`"


def test_the_schema_for_editors_is_what_the_models_say() -> None:
    assert SCHEMA.read_text() == schema(), "run `python -m docs.generate`"


def problems(stack: str) -> list[str]:
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    found = validator.iter_errors(yaml.safe_load(stack))  # pyright: ignore[reportUnknownMemberType]
    return [error.message for error in found]


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.name)
def test_every_stack_file_names_the_schema_and_follows_it(stack: Path) -> None:
    text = stack.read_text()
    assert text.startswith("# yaml-language-server: $schema=docs/stack.schema.json\n")
    assert problems(text) == []
    [problem] = problems(text.replace("profile:", "profil:"))
    assert "'profil' was unexpected" in problem
