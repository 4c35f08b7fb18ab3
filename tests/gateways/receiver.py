"""A receiving server on 127.0.0.1 that behaves as a test wants: real sockets, HTTP by hand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came: the path, the headers by their names in small letters, the body."""

    path: str
    headers: dict[str, str]
    body: bytes


Behave = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answer(status: int, body: bytes = b"", **headers: str) -> Behave:
    """Answer with a status at once."""

    async def behave(_: Received, writer: asyncio.StreamWriter) -> None:
        named = {"Content-Length": str(len(body)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        writer.write(f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body)
        await writer.drain()

    return behave


async def reset(_: Received, writer: asyncio.StreamWriter) -> None:
    """Break the connection in the middle."""
    writer.transport.abort()


async def silence(_: Received, __: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.sleep(60)


async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
    """A head that comes byte by byte and never ends."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_after_status(_: Received, writer: asyncio.StreamWriter) -> None:
    """A status at once, and then a body that comes byte by byte and never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    for _byte in range(10_000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


@dataclass(slots=True)
class Receiver:
    """What came, in its order, and how much of an answer could be written."""

    behave: Behave
    scheme: str = "http"
    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hooks"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await _request(reader)) is not None:
                self.received.append(request)
                await self.behave(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first.split(" ")[1], headers, body)


@asynccontextmanager
async def receiving(behave: Behave, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A server for as long as a test needs it; connections that still talk are cut at the end."""
    receiver = Receiver(behave, "https" if tls else "http")
    talks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(receiver._talk(reader, writer))
        talks.add(talk)
        talk.add_done_callback(talks.discard)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for talk in list(talks):
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
