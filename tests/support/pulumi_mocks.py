"""Run a Pulumi program against an in-memory engine and look at what it asked for."""
# The SDK's mock runtime is only partly annotated; the gap is fenced into this file.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.rpc import deserialize_properties

SECRET = "1b47061264138c4ac30d75fd1eb44270"
"""How Pulumi tags a secret on the wire."""
Computed = Mapping[str, Callable[[str], Mapping[str, Any]]]
"""For a type token, what its provider computes for a resource of this name."""


class EchoMocks(Mocks):
    """Outputs are the inputs; computed properties are added per type token."""

    def __init__(self, computed: Computed) -> None:
        self._computed = computed

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        compute = self._computed.get(args.typ)
        return f"{args.name}-id", {**args.inputs, **(compute(args.name) if compute else {})}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        # Loud on purpose: an unmocked lookup would otherwise resolve to nothing.
        raise AssertionError(f"unexpected provider call {args.token}")


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One registration: the inputs, and the options that ``Mocks`` does not show."""

    typ: str
    name: str
    inputs: Mapping[str, Any]
    parent: str
    protect: bool
    retain_on_delete: bool
    depends_on: frozenset[str]
    secrets: frozenset[str]
    """Top-level inputs that hold a secret anywhere inside."""
    request: Any
    """What went to the engine, whole: a ``RegisterResourceRequest``."""


class RecordingMonitor(MockMonitor):
    """Keeps each request whole, because options are part of a component's contract."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.registered: list[Registered] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(
                Registered(
                    typ=request.type,
                    name=request.name,
                    inputs=deserialize_properties(request.object),
                    parent=request.parent.rpartition("::")[2],
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    depends_on=frozenset(u.rpartition("::")[2] for u in request.dependencies),
                    secrets=frozenset(
                        key for key, value in request.object.fields.items() if SECRET in str(value)
                    ),
                    request=request,
                )
            )
        return response


@dataclass(frozen=True)
class Deployment:
    """What a program registered, and the plain values of what it returned."""

    resources: list[Registered]
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    secret_outputs: set[str] = field(default_factory=set[str])
    """The names of those that nobody is shown without asking."""

    def one(self, typ: str) -> Registered:
        """The only resource of this type."""
        found = [r for r in self.resources if r.typ == typ]
        assert len(found) == 1, f"{len(found)} of {typ}; registered: {self.names()}"
        return found[0]

    def names(self) -> list[str]:
        return sorted(r.name for r in self.resources)


Program = Callable[[], Mapping[str, pulumi.Input[Any]]]


def deploy(
    program: Program, computed: Computed | None = None, *, preview: bool = False
) -> Deployment:
    """Run ``program`` to completion; every registration has settled on return."""
    monitor = RecordingMonitor(EchoMocks(computed or {}))
    pulumi.runtime.set_mocks(
        monitor.mocks, project="personal-cloud-hub", stack="test", preview=preview, monitor=monitor
    )
    outputs: dict[str, Any] = {}
    secret: dict[str, bool] = {}

    @pulumi.runtime.test
    def run() -> pulumi.Output[Any]:
        returned = {name: pulumi.Output.from_input(one) for name, one in program().items()}
        hidden = {name: pulumi.Output.from_input(one.is_secret()) for name, one in returned.items()}
        return pulumi.Output.all(
            pulumi.Output.all(**returned).apply(outputs.update),
            pulumi.Output.all(**hidden).apply(secret.update),
        )

    run()
    return Deployment(monitor.registered, outputs, {name for name in secret if secret[name]})
