"""Whether a server listens.

Only a connection shows it: the file of a unix socket exists before its server listens, and it still
exists after a server was killed.
"""

from __future__ import annotations

import socket
from pathlib import Path

CONNECT_SECONDS = 1


def listens(address: Path | tuple[str, int]) -> bool:
    """Whether the unix socket at this path, or this host and port, accepts a connection."""
    is_path = isinstance(address, Path)
    family = socket.AF_UNIX if is_path else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(CONNECT_SECONDS)
        try:
            probe.connect(str(address) if is_path else address)
        except OSError:
            return False
    return True
