"""Lists of keys as people write them; all that is not a key has to stay."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hub.stack_file import api_keys, with_api_keys
from twin.engine import ROOT, stack_file
from twin.errors import TwinError

HEAD = """\
# yaml-language-server: $schema=docs/stack.schema.json
config:
  pulumi:disable-default-providers: ["*"]   # a reason
  personal-cloud-hub:settings:
    cloud: {project:   my-project}

"""
FLOW = HEAD + "    apiKeys: [ laptop,  robot ]  # of mine\n    model:\n        profile: 7b\n"
LINES = """\
    # one each
    apiKeys:
      - laptop    # Anna's
      # the arm
      - robot
    limits: {burst: 5}
"""
BLOCK = HEAD + LINES


def test_a_key_is_added_to_a_list_in_brackets_and_nothing_else_moves() -> None:
    assert with_api_keys(FLOW, ["laptop", "robot", "phone"]) == FLOW.replace(
        "robot ]", "robot, phone ]"
    )


def test_a_key_is_added_to_a_list_of_lines_and_nothing_else_moves() -> None:
    assert with_api_keys(BLOCK, ["laptop", "laptop.2", "robot"]) == BLOCK.replace(
        "# Anna's\n", "# Anna's\n      - laptop.2\n"
    )


def test_a_key_goes_with_its_line_and_the_other_comments_stay() -> None:
    assert with_api_keys(BLOCK, ["robot"]) == BLOCK.replace("      - laptop    # Anna's\n", "")
    assert with_api_keys(FLOW, ["robot"]) == FLOW.replace("laptop,  ", "")
    assert with_api_keys(FLOW, ["laptop"]) == FLOW.replace(",  robot", "")


def test_the_last_line_of_a_file_needs_no_line_break() -> None:
    text = HEAD + "    apiKeys:\n    - robot"
    assert with_api_keys(text, ["robot", "phone"]) == text + "\n    - phone"


@pytest.mark.parametrize("name", ["no", "true", "null"])
def test_a_name_that_yaml_reads_as_something_else_is_quoted(name: str) -> None:
    for text in (FLOW, BLOCK):
        changed = with_api_keys(text, ["laptop", "robot", name])
        loaded = yaml.safe_load(changed)["config"]["personal-cloud-hub:settings"]["apiKeys"]
        assert loaded == ["laptop", "robot", name]
        assert with_api_keys(changed, ["laptop", "robot"]) == text


names = st.lists(st.sampled_from("abcdefgh"), min_size=1, unique=True)


@given(names, st.data(), st.booleans())
def test_any_change_of_the_list_leaves_the_rest_of_the_file(
    before: list[str], data: st.DataObject, flow: bool
) -> None:
    kept = data.draw(st.lists(st.sampled_from(before), min_size=1, unique=True))
    first, *others = sorted(kept, key=before.index)
    after = [first, *data.draw(st.lists(st.sampled_from("stuvwxyz"), unique=True)), *others]
    lines = "[" + ", ".join(before) + "]" if flow else "".join(f"\n      - {b}" for b in before)
    text = f"{HEAD}    apiKeys: {lines}\n    model: {{}}   # end\n"
    changed = with_api_keys(text, after)
    assert api_keys(changed) == after
    head, _, tail = text.partition(lines)
    assert changed.startswith(head)
    assert changed.endswith(tail)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no list of API keys"),
        ("config: {}", "has no list of API keys"),
        (HEAD + "    apiKeys: laptop\n", "has no list of API keys"),
        ("config: [", "is no YAML"),
    ],
)
def test_a_file_without_the_list_is_told(text: str, told: str) -> None:
    with pytest.raises(TwinError, match=told):
        api_keys(text)


def test_the_file_is_the_one_that_pulumi_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stack_file("dev") == ROOT / "Pulumi.dev.yaml"
    assert stack_file("me/personal-cloud-hub/dev") == ROOT / "Pulumi.dev.yaml"
    monkeypatch.setenv("PULUMI_OPTION_CONFIG_FILE", str(tmp_path / "mine.yaml"))
    assert stack_file("dev") == tmp_path / "mine.yaml"


@pytest.mark.parametrize("stack", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda f: f.name)
def test_the_checked_in_files_have_the_list(stack: Path) -> None:
    assert api_keys(stack.read_text()) == ["laptop", "robot"]
