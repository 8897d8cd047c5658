"""Wakes the home server when the gateway asks: `POST /wake`, at this device's tailnet address.

    python3 home-waker.py ADDRESS PORT MAC

It wakes this one machine and nothing else, and the tailnet's policy says who reaches the port.
"""

from __future__ import annotations

import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

MAC = sys.argv[3]
MAGIC_PACKET = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16
"""AMD, "Magic Packet Technology", 1995."""
DISCARD = 9
"""The port that is customary for it; the adapter looks at no port."""


def broadcast() -> list[str]:
    """Send the packet on each network that this device is in, but for the tailnet."""
    sent: list[str] = []
    for _, name in socket.if_nameindex():
        if name == "lo" or name.startswith("tailscale"):
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
            try:
                line.sendto(MAGIC_PACKET, ("255.255.255.255", DISCARD))
            except OSError:
                continue  # it is down, or has no address
            sent.append(name)
    return sent


class Waker(BaseHTTPRequestHandler):
    """One request after the other."""

    timeout = 5
    """Seconds that a client may be silent."""

    def do_POST(self) -> None:  # the name that the server calls
        if self.path != "/wake":
            self.send_error(404)
            return
        sent = broadcast()
        body = json.dumps({"sentOn": sent}).encode()
        self.send_response(200 if sent else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    HTTPServer((sys.argv[1], int(sys.argv[2])), Waker).serve_forever()
