from __future__ import annotations

import pytest

from twin.toolchain.go_tools import GO_TOOLS, KUBELET, PROVIDERS, fits, modules

PROGRAMS = [p for tool in (*GO_TOOLS, *PROVIDERS, KUBELET) for p in tool.built_from]


@pytest.mark.parametrize(
    ("found", "pinned", "answer"),
    [
        ("v3.259.0", "3.259.0", True),
        ("v3.261.2", "3.259.0", True),
        ("v3.258.9", "3.259.0", False),
        ("v4.0.0", "3.259.0", False),
        ("Kubernetes v1.36.4+k3s1", "1.36.3", True),
        ("headscale version dev", "0.29.2", False),
    ],
)
def test_a_program_fits_at_the_pinned_minor_or_later(found: str, pinned: str, answer: bool) -> None:
    assert fits(found, pinned) is answer


def test_every_module_has_its_hashes_checked_in() -> None:
    for module in {program.module.name: program.module for program in PROGRAMS}.values():
        assert (module.folder / "go.sum").stat().st_size > 0


def test_every_tool_has_its_pinned_version() -> None:
    for tool in (*GO_TOOLS, KUBELET):
        pins = "".join((p.module.folder / "go.mod").read_text() for p in tool.built_from)
        for version in tool.versions.values():
            assert f"v{version}" in pins


def test_what_a_tool_calls_is_what_is_built_of_it() -> None:
    for tool in (*GO_TOOLS, KUBELET):
        built = {name for p in tool.built_from for name in (p.file, *p.names)}
        script = {"pulumi-language-python-exec"}
        assert set(tool.programs) - script <= built


def test_tools_are_built_by_their_modules_each_named_once() -> None:
    assert [module.name for module in modules((*PROVIDERS, KUBELET))] == [
        "pulumi-resource-random",
        "pulumi-resource-kubernetes",
        "kubelet",
    ]
