"""How requests cross the tailnet, for the access log: directly, or through a relay.

Only tailscaled knows. It counts the packets that it sends by path, so once a second a loop in the
other container sees which count has grown, and writes a word into a file that Caddy reads for each
line of its log. The way may change at any moment.
"""

from __future__ import annotations

TAILSCALE_PORT = 9002
"""Health and metrics of the tailscale container, on all addresses of the instance: Cloud Run's
startup probe asks there, and the script below, over loopback."""
FILE_ENV = "TUNNEL_FILE"
"""The file's path: ``direct``, ``relayed``, or empty before the first packet."""

WATCH = f"""\
# Which way packets crossed in the last second. A peer of the tailnet that relays counts as a relay.
: >"${FILE_ENV}"
direct=0 relayed=0
while kill -0 $$ && sleep 1; do
	sent=$(wget -q -T 1 -O - http://127.0.0.1:{TAILSCALE_PORT}/metrics | awk -F '[" ]' '
		/^tailscaled_outbound_packets_total/ && $2 ~ /direct/ {{ direct += $NF; next }}
		/^tailscaled_outbound_packets_total/ {{ relayed += $NF }}
		END {{ printf "%.0f %.0f", direct, relayed }}')
	if [ $((${{sent% *}} - direct)) -gt $((${{sent#* }} - relayed)) ]; then
		echo direct >"${FILE_ENV}"
	elif [ "${{sent#* }}" -gt "$relayed" ]; then
		echo relayed >"${FILE_ENV}"
	fi
	direct=${{sent% *}} relayed=${{sent#* }}
done </dev/null >/dev/null 2>&1 &
"""
"""For ``sh``. It runs beside Caddy in the same container, and ends with it."""
