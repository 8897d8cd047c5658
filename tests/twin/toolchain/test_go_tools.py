from __future__ import annotations

import pytest

from twin.toolchain.go_tools import GO_TOOLS, MODULES, fits


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


def test_every_tool_has_its_hashes_checked_in_and_its_pinned_version() -> None:
    for tool in GO_TOOLS:
        module = MODULES / tool.name
        assert (module / "go.sum").stat().st_size > 0
        assert f"v{tool.version}" in (module / "go.mod").read_text()
