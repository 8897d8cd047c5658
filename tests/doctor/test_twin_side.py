"""What the twin's control server says, and that it says nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from doctor import twin_side
from doctor.observations import NotSeen
from twin.paths import TwinPaths

KEY = """\
{"acl_tags": ["tag:llm-gateway"], "created_at": {"seconds": 0}, "expiration": {"seconds": 864000}}
"""


@pytest.mark.parametrize(
    ("script", "expires"),
    [
        (f"[ $3 = preauthkeys ] && echo '[{KEY}]'", datetime(1970, 1, 11, tzinfo=UTC)),
        ("""[ $3 = nodes ] && echo '[{"given_name": "home"}]' || echo '[]'""", None),
    ],
)
def test_an_auth_key_is_the_last_that_is_listed(
    script: str, expires: datetime | None, tmp_path: Path
) -> None:
    assert auth_key(tmp_path, script) == expires


def test_an_auth_key_that_nobody_could_list_was_not_seen(tmp_path: Path) -> None:
    unseen = auth_key(tmp_path, "echo 'context deadline exceeded' >&2; exit 1")
    assert isinstance(unseen, NotSeen)
    assert "control server does not answer" in unseen.why


def auth_key(folder: Path, script: str) -> datetime | NotSeen | None:
    """As a headscale says that does this."""
    headscale = folder / "headscale"
    headscale.write_text(f"#!/bin/sh\n{script}\n")
    headscale.chmod(0o755)
    return twin_side.auth_key(TwinPaths(folder), f"{folder}:/usr/bin:/bin")
