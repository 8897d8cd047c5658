"""What is not as declared, from what `pulumi preview --refresh --json` prints (3.259)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doctor.drift import changes, drift
from doctor.observations import Change, NotSeen

PARENT = "urn:pulumi:dev::personal-cloud-hub::personal-cloud-hub:k3s:Entry$"
RATE = f"{PARENT}kubernetes:traefik.io/v1alpha1:Middleware::entry-rate"
SERVICE = "urn:pulumi:dev::personal-cloud-hub::gcp:cloudrunv2/service:Service::gateway-service"


def step(op: str, urn: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": urn, "oldState": {}, "newState": {}, **more}


PREVIEW = {
    "steps": [
        step("refresh", RATE, detailedDiff=None),
        step("same", SERVICE),
        step(
            "update",
            RATE,
            diffReasons=["spec"],
            detailedDiff={"spec.rateLimit.burst": {}, "spec.rateLimit.average": {}},
        ),
        step("create", SERVICE),
    ]
}


def pulumi(folder: Path, says: str, code: int, on_error: str = "") -> dict[str, str]:
    """An environment in which it says this, whatever it is asked."""
    program = folder / "pulumi"
    (folder / "says").write_text(says)
    (folder / "error").write_text(on_error)
    program.write_text(
        f'#!/bin/sh\necho "$@" > {folder}/asked\n'
        f"cat {folder}/error >&2\ncat {folder}/says\nexit {code}\n"
    )
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_each_object_that_a_deployment_would_change_is_told_with_its_fields() -> None:
    assert changes(PREVIEW) == (
        Change(
            op="update",
            kind="kubernetes:traefik.io/v1alpha1:Middleware",
            name="entry-rate",
            fields=("spec.rateLimit.average", "spec.rateLimit.burst"),
        ),
        Change(op="create", kind="gcp:cloudrunv2/service:Service", name="gateway-service"),
    )


def test_pulumi_looks_at_every_object_of_the_stack_first(tmp_path: Path) -> None:
    found = drift("dev", pulumi(tmp_path, json.dumps(PREVIEW), 0))
    assert found == changes(PREVIEW)
    asked = (tmp_path / "asked").read_text()
    assert asked == "preview --refresh --json --non-interactive --stack dev\n"


@pytest.mark.parametrize(
    ("says", "on_error", "why"),
    [
        ("", "error: no stack named 'dev' found\n", "error: no stack named 'dev' found"),
        (
            json.dumps(
                {
                    "diagnostics": [
                        {"severity": "warning", "message": "warning: old\n"},
                        {"severity": "error", "message": "error: no kubeconfig\n"},
                    ]
                }
            ),
            "",
            "error: no kubeconfig",
        ),
    ],
)
def test_a_preview_that_fails_says_why(tmp_path: Path, says: str, on_error: str, why: str) -> None:
    found = drift("dev", pulumi(tmp_path, says, 255, on_error))
    assert found == NotSeen(why=f"pulumi preview failed: {why}")


def test_without_pulumi_nothing_was_seen() -> None:
    assert drift("dev", {"PATH": "/nowhere"}) == NotSeen(why="pulumi is not installed here")
