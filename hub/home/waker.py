"""An always-on device in home's LAN that sends the packet when the gateway asks for it."""

from __future__ import annotations

from hub.home.files import Placed, diff
from hub.home.machine import FILES, HomeError, Machine
from hub.home.steps import Step, place
from infra.tailnet.policy import WAKER

PROGRAM = Placed("/usr/local/lib/home-waker.py", FILES / "waker")
UNIT = Placed("/etc/systemd/system/home-waker.service", FILES / "waker")
SERVICE = "home-waker.service"


def tailnet_address(device: Machine) -> str:
    """Of the device itself.

    Raises:
        HomeError: it is not in the tailnet, or has no Python.
    """
    told = device.read("command -v python3 || true\ntailscale ip -4 2>/dev/null || true").split()
    if not told or not told[0].endswith("python3"):
        raise HomeError("The device has no Python: `apt-get install python3` there first.")
    if len(told) < 2:
        raise HomeError("The device is not in the tailnet: `tailscale up` there first.")
    return told[1]


def placing(address: str, mac: str) -> list[Step]:
    """What makes the device a waker; doing it again is the same as once."""
    values = {"ADDRESS": address, "PORT": str(WAKER), "MAC": mac}
    written = [(file.path, file.content(values)) for file in (PROGRAM, UNIT)]
    begin = f"systemctl daemon-reload\nsystemctl enable {SERVICE}\nsystemctl restart {SERVICE}\n"
    return [
        *(
            Step(
                name=path,
                does=f"Write {path}",
                script=place(path, text),
                change=diff(path, "", text),
            )
            for path, text in written
        ),
        Step(name=SERVICE, does=f"Start {SERVICE}, now and at each boot", script=begin),
    ]


def removing() -> list[Step]:
    """What leaves nothing of it."""
    end = f"systemctl disable --now {SERVICE} || true\n"
    forget = f"rm -f {UNIT.path} {PROGRAM.path}\nsystemctl daemon-reload\n"
    return [Step(name=SERVICE, does=f"Stop {SERVICE} and remove it", script=end + forget)]
