"""The rules as the engine asks for them: over the wire, with what each stack registers.

The language host of Pulumi 3.259 starts a pack by `python -m pulumi.policy ENGINE FOLDER` and reads
the port from its first line. The twin's host is too old to start one.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto.analyzer_pb2 import AnalyzeRequest, EnforcementLevel
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from policy.rules import RULES, SERVICE
from tests.support.pulumi_mocks import Registered
from tests.support.stacks import ROOT, STACKS, deploy_stack

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What a text is in a preview while nobody knows it (`plugin.UnknownStringValue`)."""


@pytest.fixture(scope="module")
def pack() -> Iterator[Any]:
    line = (sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", "policy")
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(server.stdout.readline())}") as channel:
            yield AnalyzerStub(channel)
        server.terminate()


def refused_by(pack: Any, resource: Registered, **changes: bool | str) -> list[tuple[str, str]]:
    """The rules that refuse a registration with these changes, each with its reason and words."""
    inputs = Struct()
    inputs.CopyFrom(resource.request.object)
    inputs.update(changes)
    asked = AnalyzeRequest(
        type=resource.typ,
        name=resource.name,
        urn=f"urn:pulumi:dev::personal-cloud-hub::{resource.typ}::{resource.name}",
        properties=inputs,
    )
    return [
        (one.policyName, one.message)
        for one in pack.Analyze(asked).diagnostics
        if one.enforcementLevel == EnforcementLevel.Value("MANDATORY")
    ]


def gateway_service() -> Registered:
    [service] = [one for one in deploy_stack(STACKS[0]).resources if one.typ == SERVICE]
    return service


def test_every_rule_is_announced(pack: Any) -> None:
    info = pack.GetAnalyzerInfo(Empty())
    assert info.name == "personal-cloud-hub"
    assert [one.name for one in info.policies] == list(RULES)


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_a_stack_is_refused_by_none(pack: Any, stack: Path) -> None:
    resources = deploy_stack(stack).resources
    assert [refusal for one in resources for refusal in refused_by(pack, one)] == []


def test_what_breaks_a_rule_is_refused_with_the_reason(pack: Any) -> None:
    [(name, words)] = refused_by(pack, gateway_service(), deletionProtection=True)
    assert name == "gateway-can-be-destroyed"
    assert words == (
        "Deletion protection is read from state: it must be off from the beginning.\n"
        "`pulumi destroy` would be refused; write deletionProtection false"
    )


def test_what_a_preview_does_not_know_yet_is_not_refused(pack: Any) -> None:
    unknown = {"deletionProtection": UNKNOWN, "template": UNKNOWN}
    assert refused_by(pack, gateway_service(), **unknown) == []
