"""What others have to know of the cloud by name."""

from __future__ import annotations

SERVICE = "home-gateway"
"""At Cloud Run; its account and its secrets begin so, too."""
