"""Auth keys and how home's node joins, with programs that note what they were given."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from twin.network import Network
from twin.parts.tailnet import join_home, last_key
from twin.paths import TwinPaths

HEADSCALE = """#!/bin/sh
echo '{"key": "hskey-auth-secret"}'
"""
TAILSCALE = """#!/bin/sh
case "$*" in
*status*)
	echo '{"BackendState": "Running", "Self": {"Online": true}, "TailscaleIPs": ["100.64.0.1"]}' ;;
*" up "*)
	echo "$*" >NOTES/line
	for word in "$@"; do
		case "$word" in
		--auth-key=file:*)
			stat -c %a "${word#--auth-key=file:}" >NOTES/mode
			cat "${word#--auth-key=file:}" >NOTES/key ;;
		esac
	done ;;
esac
"""


def key(tag: str, created: int, expires: int) -> dict[str, object]:
    times = {"created_at": {"seconds": created}, "expiration": {"seconds": expires}}
    return {"acl_tags": [tag], **times}


def test_of_the_gateways_auth_keys_the_one_that_expires_last_counts() -> None:
    home, gateway = "tag:llm-home", "tag:llm-gateway"
    keys = [key(home, 0, 4000000), key(gateway, 0, 864000), key(gateway, 0, 10)]
    assert last_key(keys, gateway) == (datetime(1970, 1, 11, tzinfo=UTC), 10)
    assert last_key(keys[:1], gateway) is None


def test_an_auth_key_that_was_revoked_on_its_first_day_has_lived_for_one() -> None:
    revoked = [key("tag:llm-gateway", 0, 9)]
    assert last_key(revoked, "tag:llm-gateway") == (datetime(1970, 1, 1, 0, 0, 9, tzinfo=UTC), 1)


def test_home_joins_with_a_key_that_no_command_line_shows_and_no_file_keeps(tmp_path: Path) -> None:
    for name, script in (("headscale", HEADSCALE), ("tailscale", TAILSCALE)):
        (tmp_path / name).write_text(script.replace("NOTES", str(tmp_path)))
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    assert join_home(TwinPaths(tmp_path), Network("flat", {}), path) == "100.64.0.1"
    line = (tmp_path / "line").read_text()
    assert "hskey-auth-secret" not in line
    assert (tmp_path / "key").read_text() == "hskey-auth-secret"
    assert (tmp_path / "mode").read_text() == "600\n"
    file = line.partition("--auth-key=file:")[2].split()[0]
    assert not Path(file).exists()
