"""What the measured gateways are called, in tables and in targets."""

from __future__ import annotations

DIRECT = "direct"
NGINX = "nginx"
HAPROXY = "HAProxy"
TRAEFIK = "Traefik"
ONE_CADDY = "our gateway, one Caddy"
LOOPBACK = "our gateway, loopback"
BARE_TUNNEL = "the tunnel alone"
TUNNEL = "our gateway, whole tunnel"
EMULATED = "whole tunnel, twin's front"
LITELLM = "LiteLLM, 1 worker"
LITELLM_2 = "LiteLLM, 2 workers"
