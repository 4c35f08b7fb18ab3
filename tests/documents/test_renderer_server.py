"""The render process as a child of a real server: what it inherits, and when it ends."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from app.documents import pdf
from app.documents.compose import view_of
from tests.documents.rendering import (
    ROOT,
    a_renderer,
    gone,
    is_alive,
    pid_of,
)
from tests.documents.shapes import SHAPES


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")
async def test_the_process_inherits_no_socket_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the server's files it holds its two pipes and standard error; of its settings nothing."""
    monkeypatch.setenv("SEATPORT_SECRET", "made-up")
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        os.set_inheritable(listening.fileno(), True)  # noqa: FBT003  # As a server started by another is.
        ours = held_by(os.getpid())[listening.fileno()]
        async with a_renderer() as renderer:
            theirs, environment = held_by(pid_of(renderer)), environment_of(pid_of(renderer))

    assert ours.startswith("socket:")
    assert ours not in theirs.values()
    assert "SEATPORT_" not in environment


def held_by(pid: int) -> dict[int, str]:
    """The open files of a process by their numbers."""
    return {
        int(path.name): str(path.readlink())
        for path in Path(f"/proc/{pid}/fd").iterdir()
        if path.is_symlink()
    }


def environment_of(pid: int) -> str:
    """The environment a process was started with."""
    return Path(f"/proc/{pid}/environ").read_text(encoding="utf-8")


@pytest.fixture
def port() -> int:
    """A port that is free just now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        number: int = found.getsockname()[1]
        return number


@asynccontextmanager
async def a_server(port: int) -> AsyncIterator[tuple["asyncio.subprocess.Process", httpx.AsyncClient]]:
    """A real uvicorn with uvloop around a renderer, and a client of it."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "tests.documents.asgi:app", "--port", str(port), "--loop", "uvloop",
        "--log-level", "error", cwd=ROOT,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            for _ in range(600):
                try:
                    await client.get("/pid")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.05)
            yield server, client
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


async def test_under_uvicorn_it_draws_and_ends_with_the_server(port: int) -> None:
    """A real server on uvloop draws, is asked to stop, and leaves no process behind."""
    async with a_server(port) as (server, client):
        _, worker = map(int, (await client.get("/pid")).text.split())
        answers = await asyncio.gather(*(client.get("/invoice") for _ in range(5)))
        assert {answer.content for answer in answers} == {pdf.render(view_of(SHAPES["one_line"]))}

        server.send_signal(signal.SIGTERM)
        assert await server.wait() in {0, -signal.SIGTERM}
        assert await gone(worker)


async def test_a_server_that_is_killed_leaves_no_process(port: int) -> None:
    """The server dies without a word while a long document is drawn: the render process does not live on."""
    async with a_server(port) as (server, client):
        _, worker = map(int, (await client.get("/pid")).text.split())
        asking = asyncio.create_task(client.get("/stuck"))
        await asyncio.sleep(1)
        assert is_alive(worker)

        server.kill()
        with pytest.raises(httpx.HTTPError):
            await asking
        assert await gone(worker)
