"""What others have to know of home by name: this program's own modules, and the twin."""

from __future__ import annotations

NAMESPACE = "vlm"
MODEL = "vllm-qwen"
"""Deployment and Service. One called vllm would inject VLLM_PORT and break the server."""
FRESH = "fresh"
"""Traefik's transport to the model server: each request on a connection of its own."""
FIELD_MANAGER = "personal-cloud-hub"
"""Under which the API server keeps what this program wrote of an object."""
MODEL_CACHE = "/var/lib/personal-cloud-hub/model-cache"
"""A folder of the node, with the weights."""
DEVICE_PLUGINS = "/var/lib/kubelet/device-plugins"
"""The kubelet's folder in which a device plugin announces itself."""
