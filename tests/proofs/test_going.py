"""A server goes without anybody noticing: it says so, takes what comes, finishes what has begun, ends."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.proofs.serving import Server, Tenant, ask, serving, settled

RATE = 100
SECONDS = 10
DRAIN = 6
EXIT_SECONDS_MAX = 30
QUERY = "{ customer { id subscription { version } } }"


@dataclass
class Client:
    """Sends a hundred requests a second to a server that is ready, and looks which is, as a load balancer."""

    servers: list[Server]
    tenant: Tenant
    ready: set[int] = field(default_factory=set)
    answered: dict[int, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    async def look(self, server: Server, stop: asyncio.Event) -> None:
        """Ask ten times a second whether a server is ready; who is too slow to say, is as it was."""
        async with httpx.AsyncClient(timeout=1) as http:
            while not stop.is_set():
                try:
                    answer = await http.get(f"{server.url}/readyz")
                    ready = answer.status_code == httpx.codes.OK
                except httpx.TimeoutException:
                    ready = server.port in self.ready
                except httpx.TransportError:
                    ready = False
                (self.ready.add if ready else self.ready.discard)(server.port)
                await asyncio.sleep(0.1)

    async def send(self) -> None:
        """Send as many as are wanted, each at its time."""
        begun, tasks = time.monotonic(), []
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        async with httpx.AsyncClient(timeout=20, limits=limits) as http:
            for number in range(RATE * SECONDS):
                await asyncio.sleep(max(0.0, begun + number / RATE - time.monotonic()))
                server = self.servers[number % len(self.servers)]
                if server.port not in self.ready:
                    server = next(each for each in self.servers if each.port in self.ready)
                tasks.append(asyncio.create_task(self._one(http, server)))
            await asyncio.gather(*tasks)

    async def _one(self, http: httpx.AsyncClient, server: Server) -> None:
        try:
            await ask(http, server, self.tenant, QUERY)
            self.answered[server.port] = self.answered.get(server.port, 0) + 1
        except (httpx.TransportError, AssertionError) as error:
            self.failed.append(f"{server.port}: {type(error).__name__} {error}")


async def test_nobody_notices_that_a_server_goes(shared_url: str, tmp_path: Path) -> None:
    """A hundred requests a second, by a client that heeds readiness, while one of two servers gets SIGTERM
    and then one more: none fails, readiness drops at once, the server ends by itself with code 0 in time.
    """
    (tenant,) = await settled(shared_url, f"going-{shared_url[:6]}")
    with serving(shared_url, tmp_path, 2) as servers:
        going, staying = servers
        going.stop()
        going.drain = DRAIN
        going.launch()
        going.wait()
        client, stop = Client(servers, tenant), asyncio.Event()
        looking = [asyncio.create_task(client.look(server, stop)) for server in servers]
        await asyncio.sleep(1)
        assert len(client.ready) == 2
        sending = asyncio.create_task(client.send())
        await asyncio.sleep(2)
        before = client.answered[going.port]
        going.process.terminate()
        began = time.monotonic()
        async with httpx.AsyncClient() as http:
            await asyncio.sleep(0.3)
            told = await http.get(f"{going.url}/readyz")
            alive = await http.get(f"{going.url}/healthz")
        going.process.terminate()
        assert (told.status_code, told.json()["status"], alive.status_code) == (503, "not ready", 200)
        assert alive.headers["connection"] == "close"
        code = await asyncio.to_thread(going.process.wait, EXIT_SECONDS_MAX)
        took = time.monotonic() - began
        await sending
        stop.set()
        await asyncio.gather(*looking)

    assert client.failed == []
    assert sum(client.answered.values()) == RATE * SECONDS
    assert before > 0
    assert (code, took >= DRAIN, took < EXIT_SECONDS_MAX) == (0, True, True)
    assert client.answered[staying.port] > RATE * SECONDS / 2
