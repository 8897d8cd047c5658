"""What the measured gateways are called, in tables and in targets."""

from __future__ import annotations

DIRECT = "direct"
NGINX = "nginx"
HAPROXY = "HAProxy"
TRAEFIK = "Traefik"
LOOPBACK = "our gateway, loopback"
TUNNEL = "our gateway, whole tunnel"
LITELLM = "LiteLLM, 1 worker"
LITELLM_2 = "LiteLLM, 2 workers"
