"""Two pods on one port, and what the node hears at each one's address; run in a network of its own.

Prints JSON: the addresses, the answers, what is heard at the first address when its pod is gone,
and the address of the next pod.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack

from twin.containers.container import end_with_parent
from twin.node.pod_network import OwnAddresses, Place

PORT = 8000
ANSWER = f"""
import socket, sys
server = socket.create_server(("0.0.0.0", {PORT}))
print("up", flush=True)
while True:
    server.accept()[0].sendall(sys.argv[1].encode())
"""


async def serve(place: Place, name: str) -> asyncio.subprocess.Process:
    server = await asyncio.create_subprocess_exec(
        *(*place.enter, sys.executable, "-c", ANSWER, name),
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=end_with_parent,
    )
    assert server.stdout is not None
    await server.stdout.readline()
    return server


async def heard(ip: str) -> str:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(ip, PORT)
            answer = await reader.read(9)
            writer.close()
            return answer.decode()
    except (OSError, TimeoutError):
        return "nothing"


async def main() -> None:
    network = OwnAddresses()
    async with AsyncExitStack() as places:
        old, new = await network.join({}), await network.join({})
        places.push_async_callback(new.leave)
        first, second = await serve(old, "old"), await serve(new, "new")
        answers = [await heard(old.ip), await heard(new.ip)]
        first.kill()
        await first.wait()
        await old.leave()
        gone, after = await heard(old.ip), await network.join({})
        places.push_async_callback(after.leave)
        second.kill()
        await second.wait()
    found = {"ips": [old.ip, new.ip], "answers": answers, "gone": gone, "next": after.ip}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main())
