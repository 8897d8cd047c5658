"""When the real provider calls an object ready, and why one is not."""

from __future__ import annotations

from collections.abc import Callable

from twin.providers.properties import Properties

ListObjects = Callable[[str, str], list[Properties]]
"""API path and label selector to objects."""


def not_ready(live: Properties, list_objects: ListObjects) -> str | None:
    """The reason in words, or ``None`` when the object is ready."""
    match live["kind"]:
        case "Deployment":
            return _deployment(live, list_objects)
        case "DaemonSet":
            return _daemon_set(live, list_objects)
        case "Ingress":
            if live.get("status", {}).get("loadBalancer", {}).get("ingress"):
                return None
            return "waiting for the ingress controller to publish its address"
        case "Service":
            return _service(live, list_objects)
        case _:
            return None


def _deployment(live: Properties, list_objects: ListObjects) -> str | None:
    status, wanted = live.get("status", {}), live["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= live["metadata"]["generation"]
    counts = [status.get(f"{which}Replicas", 0) for which in ("updated", "available")]
    if seen and counts == [wanted, wanted] and status.get("replicas", 0) == wanted:
        return None
    # A quota or an admission rule that refuses the pods is known to the deployment alone.
    refused = [
        f" ({condition['message']})"
        for condition in status.get("conditions", [])
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True"
    ]
    words = "".join(refused) or _pods_in_words(live, list_objects)
    return f"{counts[1]} of {wanted} pods available{words}"


def _daemon_set(live: Properties, list_objects: ListObjects) -> str | None:
    status = live.get("status", {})
    wanted = status.get("desiredNumberScheduled", 0)
    seen = status.get("observedGeneration", 0) >= live["metadata"]["generation"]
    ready, updated = status.get("numberReady", 0), status.get("updatedNumberScheduled", 0)
    if seen and wanted and ready == updated == wanted:
        return None
    return f"{ready} of {wanted} pods ready" + _pods_in_words(live, list_objects)


def _service(live: Properties, list_objects: ListObjects) -> str | None:
    if not live["spec"].get("selector"):
        return None
    metadata = live["metadata"]
    slices = list_objects(
        f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices",
        f"kubernetes.io/service-name={metadata['name']}",
    )
    endpoints: list[Properties] = []
    for one in slices:
        endpoints += one.get("endpoints") or []
    if any(endpoint.get("conditions", {}).get("ready") for endpoint in endpoints):
        return None
    return "waiting for a ready pod behind the service"


def _pods_in_words(live: Properties, list_objects: ListObjects) -> str:
    labels = live["spec"]["selector"]["matchLabels"]
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    namespace = live["metadata"]["namespace"]
    pods = list_objects(f"/api/v1/namespaces/{namespace}/pods", selector)
    words = [f"{pod['metadata']['name']}: {why}" for pod in pods if (why := _why(pod))]
    return f" ({'; '.join(words)})" if words else ""


def _why(pod: Properties) -> str:
    for container in pod["status"].get("containerStatuses", []):
        if waiting := container["state"].get("waiting"):
            return f"{waiting['reason']} {waiting.get('message', '')}".strip()
        if not container["ready"]:
            restarts = container["restartCount"]
            again = f" after {restarts} restarts" if restarts else ""
            return f"{container['name']} is starting{again}"
    for condition in pod["status"].get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            return str(condition.get("message", "not scheduled"))
    return ""
