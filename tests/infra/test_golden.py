"""What each stack registers is what its golden file says, to the last input."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.config import SETTINGS_KEY, Settings
from tests.infra.golden import DEV, FOLDER, GOLDEN, golden
from tests.support.shellcheck import findings
from tests.support.stacks import STACKS, deploy_stack


def test_every_stack_file_has_a_golden_file() -> None:
    assert {stack for stack, _ in GOLDEN.values()} == set(STACKS)


def test_no_golden_file_is_left_over() -> None:
    assert sorted(file.stem for file in FOLDER.iterdir()) == sorted(GOLDEN)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_stack_registers_and_puts_out_what_its_golden_file_says(name: str) -> None:
    written = (FOLDER / f"{name}.yaml").read_text()
    assert golden(name) == written, "`make golden` writes it anew; read the difference"


def scripts(value: Any) -> Iterator[tuple[str, str]]:
    """Each program's name that is given a text to run, and the text."""
    match value:
        case dict():
            yield from (one for below in value.values() for one in scripts(below))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case [program, "-c", str(text), *_]:
            yield str(program), text
        case list():
            yield from (one for below in value for one in scripts(below))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return


@pytest.mark.parametrize("name", GOLDEN)
def test_each_script_of_a_container_is_in_order_as_it_is_deployed(name: str) -> None:
    found = list(scripts(yaml.safe_load((FOLDER / f"{name}.yaml").read_text())))
    assert {program for program, _ in found} == {"/bin/sh", "python3"}
    for program, text in found:
        if program == "python3":
            compile(text, "<probe>", "exec")
        else:
            assert findings(text, "sh") == ""


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Each setting with its place in the file."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        place: leaf
        for key, one in value.items()  # pyright: ignore[reportUnknownVariableType]
        for place, leaf in leaves(one, f"{path}.{key}".removeprefix(".")).items()
    }


def test_in_one_golden_file_each_setting_is_another_than_its_default() -> None:
    """So that a setting that does not arrive, or arrives in another's place, shows there."""
    written = yaml.safe_load(DEV.read_text())["config"][f"personal-cloud-hub:{SETTINGS_KEY}"]

    def settings(changes: Any) -> dict[str, Any]:
        return leaves(Settings.model_validate({**written, **changes}).model_dump(by_alias=True))

    usual, others = settings({}), settings(GOLDEN["dev-other-settings"][1])
    same = {place for place, value in others.items() if value == usual.get(place)}
    # Of joining there is a golden file of its own.
    assert same == {"apiKeys", "cloud.project", "tailnet.joinWith"}


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_each_resource_is_made_by_the_plugin_of_its_sdks_version(stack: Path) -> None:
    """The golden files leave versions out, which change with each update."""
    for one in deploy_stack(stack).resources:
        package = one.typ.removeprefix("pulumi:providers:").partition(":")[0]
        own = package == "personal-cloud-hub"
        assert one.request.version == ("" if own else metadata.version(f"pulumi-{package}"))
