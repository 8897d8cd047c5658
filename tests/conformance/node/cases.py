"""What a node does with pods, a pod for each: all run on the emulated and on the real node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.conformance.node.machine import PAUSE

NAMESPACE = "node-conformance"
SHARED = "/var/lib/node-conformance"
"""A folder of the node."""
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One pod, what is waited for, and what is asked then."""

    name: str
    spec: Json
    until: Callable[[Json], bool]
    """Of the pod's status."""
    event: str = ""
    """The reason of an event that is waited for, too."""
    ask: tuple[tuple[str, ...], ...] = ()
    """Calls of kubectl whose words are compared."""
    varies: str = "^$"
    """A regular expression for facts that depend on the moment of the look."""


def shell(script: str, name: str = "main", **more: Any) -> dict[str, Any]:
    """A container."""
    return {"name": name, "image": PAUSE, "command": ["sh", "-c", script], **more}


def pod(*containers: Json, **more: Any) -> dict[str, Any]:
    """A pod's spec; it is killed a second after it is told to stop, if it does not."""
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "containers": list(containers),
        **more,
    }


def _main(status: Json) -> Json:
    """The first container's status."""
    statuses: list[Json] = status.get("containerStatuses", [])
    return statuses[0] if statuses else {}


def _ready(status: Json) -> bool:
    return _main(status).get("ready", False)


def _waits(*reasons: str) -> Callable[[Json], bool]:
    return lambda status: _main(status).get("state", {}).get("waiting", {}).get("reason") in reasons


def _started_again(status: Json) -> bool:
    return _main(status).get("restartCount", 0) > 0


BETWEEN_RESTARTS = (
    r"status/(conditions|containerStatuses/main/(state|restartCount|ready|started))"
    r"|events/Warning/BackOff"
)


def _phase(phase: str) -> Callable[[Json], bool]:
    return lambda status: status.get("phase") == phase


def _logs(name: str, *more: str) -> tuple[str, ...]:
    return ("logs", name, *more)


STAYS = "trap 'exit 0' TERM; sleep 1000 & wait"
SERVES = "cd /tmp; exec python3 -m http.server --bind 0.0.0.0 8000"
_CONNECTS = "import socket; socket.create_connection(('127.0.0.1', 8000))"
LISTENS = f'until python3 -c "{_CONNECTS}"; do :; done'
"""Ends when the server of ``SERVES`` listens: which probe is its first one is then no race."""
OBJECTS: tuple[Json, ...] = (
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings"},
        "data": {"COLOUR": "red", "SIZE": "10"},
    },
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "key"},
        "stringData": {"KEY": "s3cret"},
    },
)
CASES = (
    Case(
        name="environment",
        spec=pod(
            shell(
                "env | grep -E '^(COLOUR|SIZE|KEY|MINE|TWICE|KEPT|POD|SPACE|NODE)=' | sort;"
                f" echo $0 $1; {STAYS}",
                args=["$(MINE)", "$$(MINE)"],
                envFrom=[{"configMapRef": {"name": "settings"}}],
                env=[
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "key", "key": "KEY"}}},
                    {"name": "SIZE", "value": "11"},
                    {"name": "MINE", "value": "$(COLOUR)-$(SIZE)"},
                    {"name": "TWICE", "value": "$(MINE)$(MINE)"},
                    {"name": "KEPT", "value": "$$(MINE) $(UNKNOWN)"},
                    {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                    {
                        "name": "SPACE",
                        "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
                    },
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                ],
            )
        ),
        until=_ready,
        ask=(_logs("environment"), _logs("environment", "--tail=2")),
    ),
    Case(
        name="volumes",
        spec=pod(
            shell(
                "until [ -e /between/there ]; do sleep 0.1; done; cat /settings/COLOUR; echo;"
                " cat /key/KEY; echo; stat -Lc '%a' /key/KEY /settings/COLOUR;"
                f" cat /between/there; touch /settings/new 2>/dev/null || echo refused; {STAYS}",
                volumeMounts=[
                    {"name": "settings", "mountPath": "/settings"},
                    {"name": "key", "mountPath": "/key"},
                    {"name": "between", "mountPath": "/between"},
                ],
            ),
            shell(
                f"echo from the other > /between/there; {STAYS}",
                "other",
                volumeMounts=[{"name": "between", "mountPath": "/between"}],
            ),
            volumes=[
                {"name": "settings", "configMap": {"name": "settings"}},
                {"name": "key", "secret": {"secretName": "key", "defaultMode": 0o400}},
                {"name": "between", "emptyDir": {}},
            ],
        ),
        until=lambda status: (
            [c["ready"] for c in status.get("containerStatuses", [])] == [True] * 2
        ),
        ask=(_logs("volumes", "--container=main"),),
    ),
    Case(
        name="ends-with-3",
        # Once: a kubelet drops the log of an earlier run as soon as there are two.
        spec=pod(
            shell(
                f"[ -e /kept/ended ] && {{ echo again; {STAYS}; }};"
                " echo about to end; touch /kept/ended; exit 3",
                volumeMounts=[{"name": "kept", "mountPath": "/kept"}],
            ),
            volumes=[{"name": "kept", "emptyDir": {}}],
        ),
        until=lambda status: _started_again(status) and _ready(status),
        ask=(_logs("ends-with-3"), _logs("ends-with-3", "--previous")),
    ),
    Case(
        name="ends-well",
        spec=pod(shell("echo done"), restartPolicy="Never"),
        until=_phase("Succeeded"),
        ask=(_logs("ends-well"),),
    ),
    Case(
        name="ends-badly",
        spec=pod(shell("echo failed; exit 3"), restartPolicy="Never"),
        until=_phase("Failed"),
        ask=(_logs("ends-badly"),),
    ),
    Case(
        name="ready-later",
        spec=pod(
            shell(
                f"sleep 3; {SERVES}",
                ports=[{"name": "web", "containerPort": 8000}],
                readinessProbe={"httpGet": {"path": "/", "port": "web"}, "periodSeconds": 1},
            )
        ),
        until=_ready,
    ),
    Case(
        name="not-ready",
        spec=pod(
            shell(
                SERVES,
                startupProbe={"exec": {"command": ["sh", "-c", LISTENS]}, "timeoutSeconds": 60},
                readinessProbe={"httpGet": {"path": "/missing", "port": 8000}, "periodSeconds": 1},
            )
        ),
        until=lambda status: _main(status).get("started", False),
        event="Unhealthy",
    ),
    Case(
        name="never-starts",
        spec=pod(
            shell(
                STAYS,
                startupProbe={"tcpSocket": {"port": 9}, "periodSeconds": 1, "failureThreshold": 2},
            )
        ),
        until=_started_again,
        varies=BETWEEN_RESTARTS,
    ),
    Case(
        name="not-alive",
        spec=pod(
            shell(
                STAYS,
                livenessProbe={
                    "exec": {"command": ["sh", "-c", "echo it is stuck; exit 1"]},
                    "periodSeconds": 1,
                    "failureThreshold": 2,
                },
            )
        ),
        until=_started_again,
        varies=BETWEEN_RESTARTS,
    ),
    Case(
        name="first-things-first",
        spec=pod(
            shell(
                f"cat /between/first; {STAYS}",
                volumeMounts=[{"name": "between", "mountPath": "/between"}],
            ),
            initContainers=[
                shell(
                    "sleep 1; echo prepared > /between/first",
                    "prepare",
                    volumeMounts=[{"name": "between", "mountPath": "/between"}],
                )
            ],
            volumes=[{"name": "between", "emptyDir": {}}],
        ),
        until=_ready,
        ask=(_logs("first-things-first", "--container=main"),),
    ),
    Case(
        name="no-secret",
        spec=pod(shell(STAYS, envFrom=[{"secretRef": {"name": "missing"}}])),
        until=_waits("CreateContainerConfigError"),
    ),
    Case(
        name="no-key",
        spec=pod(
            shell(
                STAYS,
                env=[
                    {"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "missing"}}}
                ],
            )
        ),
        until=_waits("CreateContainerConfigError"),
    ),
    Case(
        name="no-program",
        spec=pod({"name": "main", "image": PAUSE, "command": ["/no/such/program"]}),
        until=_started_again,
        varies=BETWEEN_RESTARTS,
    ),
    Case(
        name="no-image",
        spec=pod({"name": "main", "image": "registry.invalid/nothing:1"}),
        until=_waits("ErrImagePull", "ImagePullBackOff"),
        varies="status/containerStatuses/main/state",
    ),
    Case(
        name="too-much-memory",
        spec=pod(
            shell(
                "exec python3 -c 'x = bytearray(200_000_000);"
                " import http.server; http.server.test(port=8000)'",
                resources={"limits": {"memory": "64Mi"}},
                readinessProbe={"tcpSocket": {"port": 8000}, "periodSeconds": 1},
            )
        ),
        until=lambda status: _started_again(status) or _ready(status),
        varies=f"{BETWEEN_RESTARTS}|events/Warning/Unhealthy",
    ),
    Case(
        name="two-gpus",
        spec=pod(shell(STAYS, resources={"limits": {"nvidia.com/gpu": "2"}})),
        until=_phase("Failed"),
    ),
    Case(
        name="a-command-inside",
        spec=pod(shell(STAYS)),
        until=_ready,
        ask=(("exec", "a-command-inside", "--", "echo", "hello"),),
    ),
)
GPU_PODS = 10
"""Beside the model server's: one more than there are slices."""
