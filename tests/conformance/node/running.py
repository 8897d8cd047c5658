"""Run the cases on the node that a twin has, and write down what it does and says."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address
from typing import Any

from tests.conformance.node.cases import (
    CASES,
    GPU_PODS,
    NAMESPACE,
    OBJECTS,
    SHARED,
    Case,
    pod,
    shell,
)
from tests.conformance.running import Facts, flat
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, HubUnderTest
from twin.node.pod_network import NODE_CIDR

LOOK_SECONDS = 0.5
FIRST_BACKOFF_SECONDS = 9
"""The kubelet's ten, which it counts from whole seconds."""
ENDED = ("Succeeded", "Failed")
"""Phases of pods whose address another may have."""
Json = dict[str, Any]


def run_cases(hub: HubUnderTest) -> dict[str, Facts]:
    """What was seen, by case."""
    kubectl(hub, "create", "namespace", NAMESPACE, namespace="")
    try:
        apply(hub, *OBJECTS, *(pod_object(case.name, case.spec) for case in CASES))
        seen = dict(_each_when_it_is_there(hub))
        seen["is-restarted"] = _is_restarted(hub)
        seen["stops-in-order"] = _stops_in_order(hub)
        seen["does-not-stop"] = _does_not_stop(hub)
        seen["gpu-slices"] = _gpu_slices(hub)
        return {name: seen[name] for name in sorted(seen)}
    finally:
        kubectl(hub, "delete", "namespace", NAMESPACE, "--grace-period=1", namespace="")


def _each_when_it_is_there(hub: HubUnderTest) -> Iterator[tuple[str, Facts]]:
    waiting, deadline = {case.name: case for case in CASES}, time.monotonic() + PATIENCE
    while waiting:
        pods = _get(hub, "pods", "--all-namespaces")["items"]
        for found in pods:
            case = waiting.get(found["metadata"]["name"])
            if case is None or not case.until(found["status"]):
                continue
            events = _kubelets_events(hub, case.name)
            if not case.event or any(one["reason"] == case.event for one in events):
                del waiting[case.name]
                facts = _facts(hub, case, found["status"], events)
                yield case.name, facts | {"address": address(found, pods)}
        assert time.monotonic() < deadline, f"still waiting for {sorted(waiting)}"
        time.sleep(LOOK_SECONDS)


def _kubelets_events(hub: HubUnderTest, name: str) -> list[Json]:
    events = _get(hub, "events", f"--field-selector=involvedObject.name={name}")["items"]
    return [one for one in events if one.get("source", {}).get("component") == "kubelet"]


def _facts(hub: HubUnderTest, case: Case, status: Json, events: list[Json]) -> Facts:
    facts: Facts = dict(flat(by_name(status), "status"))
    for line in case.ask:
        done = kubectl(hub, *line, check=False)
        path = f"asked/{' '.join(one for one in line if one != case.name)}"
        facts[f"{path}/exit"] = done.returncode
        facts[f"{path}/words"] = plain(done.stdout if done.returncode == 0 else done.stderr)
    for event in events:
        facts[f"events/{event['type']}/{event['reason']}"] = plain(event["message"])
    varies = re.compile(f"{OF_THE_API_SERVER}|{VARIES}|{case.varies}")
    return {path: value for path, value in facts.items() if not varies.search(path)}


def _stops_in_order(hub: HubUnderTest) -> Facts:
    """preStop, SIGTERM, the end: by the node's clock, which is this machine's."""
    script = "trap 'date +%s.%N >> /shared/stops-in-order; exit 0' TERM; sleep 1000 & wait"
    hook = {"preStop": {"sleep": {"seconds": 3}}}
    spec = _on_shared(script, lifecycle=hook)
    _start(hub, "stops-in-order", {**spec, "terminationGracePeriodSeconds": 30})
    asked = time.time()
    gone = _seconds_to_go(hub, "stops-in-order")
    [told] = _times_on_shared(hub, "stops-in-order")
    return {"SIGTERM comes after the hook": told - asked >= 3, "ends before its grace": gone < 25}


def _is_restarted(hub: HubUnderTest) -> Facts:
    """When a container that ends at once is started again."""
    apply(hub, pod_object("restarted", _on_shared("date +%s.%N >> /shared/restarted; exit 1")))

    def restarts() -> int:
        statuses = _get(hub, "pod", "restarted")["status"].get("containerStatuses", [{}])
        return statuses[0].get("restartCount", 0)

    until(lambda: restarts() >= 2, seconds=PATIENCE, shown=restarts)
    times = _times_on_shared(hub, "restarted")
    return {
        "the first time at once": times[1] - times[0] < FIRST_BACKOFF_SECONDS,
        "the second time after a while": times[2] - times[1] >= FIRST_BACKOFF_SECONDS,
    }


def _on_shared(script: str, **more: Any) -> Json:
    """A pod that sees the node's shared folder."""
    seen = [{"name": "shared", "mountPath": "/shared"}]
    folder = {"name": "shared", "hostPath": {"path": SHARED, "type": "DirectoryOrCreate"}}
    return pod(shell(script, volumeMounts=seen, **more), volumes=[folder])


def _times_on_shared(hub: HubUnderTest, file: str) -> list[float]:
    """What containers have written there, read by another pod."""
    reader = f"reads-{file}"
    spec = _on_shared(f"cat /shared/{file}")
    apply(hub, pod_object(reader, {**spec, "restartPolicy": "Never"}))

    def phase() -> str:
        return _get(hub, "pod", reader)["status"]["phase"]

    until(lambda: phase() == "Succeeded", seconds=PATIENCE, shown=phase)
    return [float(one) for one in kubectl(hub, "logs", reader).stdout.split()]


def _does_not_stop(hub: HubUnderTest) -> Facts:
    spec = pod(shell("trap '' TERM; while :; do sleep 1; done"), terminationGracePeriodSeconds=3)
    _start(hub, "does-not-stop", spec)
    seconds = _seconds_to_go(hub, "does-not-stop")
    return {"is given its grace": seconds >= 3, "is killed after it": seconds < 25}


def _gpu_slices(hub: HubUnderTest) -> Facts:
    """The model server has one slice of ten."""
    spec = pod(shell("sleep 1000", resources={"limits": {"nvidia.com/gpu": "1"}}))
    names = [f"slice-{number}" for number in range(GPU_PODS)]
    apply(hub, *(pod_object(name, spec) for name in names))

    def phases() -> list[str]:
        listed = _get(hub, "pods")["items"]
        ours = [one for one in listed if one["metadata"]["name"].startswith("slice-")]
        return sorted(one["status"]["phase"] for one in ours)

    until(lambda: phases().count("Running") >= GPU_PODS - 1, seconds=PATIENCE, shown=phases)
    return {"phases": phases()}


def _start(hub: HubUnderTest, name: str, spec: Json) -> None:
    apply(hub, pod_object(name, spec))
    kubectl(hub, "wait", "pod", name, "--for=condition=Ready", f"--timeout={PATIENCE}s")


def _seconds_to_go(hub: HubUnderTest, name: str) -> float:
    begun = time.monotonic()
    kubectl(hub, "delete", "pod", name)
    return time.monotonic() - begun


def pod_object(name: str, spec: Mapping[str, Any], labels: Mapping[str, str] | None = None) -> Json:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def apply(hub: HubUnderTest, *objects: Mapping[str, Any], namespace: str = NAMESPACE) -> None:
    """Make objects, whose ``metadata`` names no namespace."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl(hub, "apply", "--filename=-", namespace=namespace, stdin=listed)


def _get(hub: HubUnderTest, *what: str) -> Json:
    return json.loads(kubectl(hub, "get", *what, "-o", "json").stdout)


def kubectl(
    hub: HubUnderTest,
    *line: str,
    check: bool = True,
    namespace: str = NAMESPACE,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """A call of kubectl, in the cases' namespace unless another is named."""
    where = ("--namespace", namespace) if namespace else ()
    return subprocess.run(
        ["kubectl", *where, *line],
        env=hub.shell_env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=check,
    )


def by_name(status: Mapping[str, Any]) -> Json:
    """A pod's status with its conditions and containers by name instead of in some order."""
    named = {**status, "conditions": {c["type"]: c for c in status.get("conditions", [])}}
    for kind in ("containerStatuses", "initContainerStatuses"):
        if kind in status:
            named[kind] = {c["name"]: c for c in status[kind]}
    return named


def address(pod: Json, pods: Iterable[Json]) -> str:
    """Whose a pod's address is, as two nodes give different ones."""
    own = pod["status"].get("podIP")
    if own is None:
        return "none"
    others = (other["status"] for other in pods if other is not pod)
    if own in {other.get("podIP") for other in others if other["phase"] not in ENDED}:
        return "another pod's"
    return "its own" if IPv4Address(own) in NODE_CIDR else "not of the node's range"


def plain(words: str) -> str:
    """Without what varies from run to run."""
    words = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", words)
    words = re.sub(r"\b10\.42\.0\.\d+\b", "ADDRESS", words)
    return re.sub(r"\b(\d+m)?\d+(\.\d+)?m?s\b", "TIME", words).strip()


OF_THE_API_SERVER = r"^status/(qosClass|.*/type|.*/name|.*/?(allocatedR|r)esources)(/|$)"
"""What is the same whatever node there is, and what stands in the path itself."""
VARIES = (
    r"/(lastTransitionTime|lastProbeTime|startTime|startedAt|finishedAt|containerID|imageID|image"
    r"|observedGeneration|podIP)$|/podIPs/"
)
