"""How large an instance of the gateway is, as plain numbers: what it costs follows from them."""

from __future__ import annotations

CPU, MEMORY_MIB = 1, 512
"""What each container has. Less than one CPU is possible only with the first generation, one
request at a time, and CPU during requests only: https://cloud.google.com/run/docs/configuring/services/cpu"""
VCPUS, GIB = 2 * CPU, 2 * MEMORY_MIB / 1024
"""What an instance has: its two containers together."""
