"""Documents are drawn in a warm process of their own; this is the server's side of it.

    renderer = Renderer()
    await renderer.start()
    pdf = await renderer.render(view_json)
    await renderer.stop()

One document is drawn at a time, the others wait in line; the event loop is never blocked. A page that takes
too long is ended by killing the process, and a process that dies takes only its own document along: its
callers get RenderFailed, and a fresh process stands ready for the next. Callers that ask for one document at
the same time share one drawing. The process is a plain child with two pipes: it inherits no socket, no lock
and no secret, and it ends when the server does, however that happens.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog

from app.documents.errors import RenderFailed
from app.documents.worker import LENGTH_BYTES

TIMEOUT_SECONDS: Final = 30.0
START_SECONDS_MAX: Final = 60.0
STOP_SECONDS_MAX: Final = 2.0
JOBS_MAX: Final = 500
"""After so many documents the process is replaced, so that nothing it gathers grows for ever."""
WAITING_MAX: Final = 100
PDF_BYTES_MAX: Final = 100_000_000
DISCARDED_BYTES: Final = 1 << 16
WORKER: Final = "app.documents.worker"
OWN_SETTINGS: Final = "SEATPORT_"

T = TypeVar("T")

log = structlog.get_logger("seatport.documents")


class Renderer:
    """Draws stored views. Belongs to one event loop; any number of tasks may use it at once."""

    def __init__(
        self,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        jobs_max: int = JOBS_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._jobs_max = jobs_max
        self._waiting_max = waiting_max
        self._turn = asyncio.Lock()
        self._underway: dict[str, asyncio.Task[bytes]] = {}
        self._starting: asyncio.Task[_Worker] | None = None
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """The render process, if one is ready."""
        worker = self._worker
        return worker.process.pid if worker and not worker.is_spent else None

    async def start(self) -> None:
        """Have a process ready, so that the first document is quick.

        Raises RenderFailed, not retryable, where fonts or system libraries are missing; it says what to do.
        """
        self._stopped = False
        await self._ready()

    async def stop(self) -> None:
        """End the process. Documents that are under way or wait fail; asking again after a restart works."""
        self._stopped = True
        await self._replace(warm=False)
        await asyncio.gather(*self._underway.values(), return_exceptions=True)

    async def render(self, view_json: str) -> bytes:
        """The PDF of a view that `view.to_json` wrote.

        Raises RenderFailed: retryable if the process died, ran out of time or has too much to do; not
        retryable if this document can never be drawn. A caller that is cancelled leaves the others in peace.
        """
        if self._stopped:
            raise _stopping()
        request = view_json.encode("utf-8", "replace")
        key = hashlib.sha256(request).hexdigest()
        task = self._underway.get(key)
        if task is None:
            if len(self._underway) >= self._waiting_max:
                raise RenderFailed(
                    f"{self._waiting_max} documents are waiting to be drawn. Ask again in a minute.",
                    retryable=True,
                )
            task = asyncio.create_task(self._in_turn(request))
            self._underway[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: str, done: asyncio.Task[bytes]) -> None:
        del self._underway[key]
        if not done.cancelled():
            done.exception()  # Seen here too: all who asked may have gone.

    async def _in_turn(self, request: bytes) -> bytes:
        async with self._turn:
            if self._stopped:
                raise _stopping()
            worker = await self._ready()
            try:
                return await worker.draw(request, self._timeout_seconds)
            finally:
                if worker.is_spent or worker.jobs >= self._jobs_max:
                    await self._replace(warm=not self._stopped)

    async def _ready(self) -> "_Worker":
        """The process, a new one if there is none or it died idle."""
        worker = self._worker
        if worker is not None and worker.is_spent:
            await self._replace(warm=True)
        if self._starting is None or (self._worker is None and self._starting.done()):
            self._starting = asyncio.create_task(_Worker.start())
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            if starting.cancelled():  # By `stop`; the caller was not.
                raise _stopping() from None
            raise

    async def _replace(self, *, warm: bool) -> None:
        """End the process; `warm` starts the next at once, without waiting for it."""
        starting, self._starting = self._starting, None
        if warm:
            self._starting = asyncio.create_task(_Worker.start())
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
        await asyncio.wait([starting])
        if not starting.cancelled() and starting.exception() is None:
            await starting.result().end()

    @property
    def _worker(self) -> "_Worker | None":
        starting = self._starting
        if starting is None or not starting.done() or starting.cancelled() or starting.exception():
            return None
        return starting.result()


class _Worker:
    """One render process and the pipes to it."""

    def __init__(self, process: Process, folder: Path) -> None:
        self.process = process
        self.folder = folder
        self.jobs = 0
        self.failed = False
        self.idle = asyncio.Event()
        self.idle.set()

    @classmethod
    async def start(cls) -> "_Worker":
        """A process that has said it is ready. Raises RenderFailed if it is unfit or never gets there."""
        try:
            folder = Path(tempfile.mkdtemp(prefix="seatport-render-"))
            process = await _spawn(folder)
        except OSError as error:
            raise RenderFailed(
                f"The render process cannot be started ({error.strerror}). Ask again.", retryable=True
            ) from None
        worker = cls(process, folder)
        try:
            await worker._greeting()
        except BaseException:
            worker.failed = True
            await worker.end()
            raise
        return worker

    async def _greeting(self) -> None:
        header = await self._patiently(self._header(), START_SECONDS_MAX)
        if header["status"] != "ready":
            raise RenderFailed(header["problem"], retryable=False)
        for warning in header["warnings"]:
            log.warning("render process", problem=warning)

    @property
    def is_spent(self) -> bool:
        """Whether it is dead, or in an unknown state and to be killed."""
        assert self.process.stdout is not None
        return self.failed or self.process.returncode is not None or self.process.stdout.at_eof()

    async def draw(self, request: bytes, seconds_max: float) -> bytes:
        """Draw one document. Raises RenderFailed; the process is spent afterwards unless it said why."""
        self.jobs += 1
        started = time.monotonic()
        self.failed = True  # Until a whole answer has come: also if this task is cancelled in the middle.
        self.idle.clear()
        try:
            header, content = await self._patiently(self._exchange(request), seconds_max)
        finally:
            self.idle.set()
        self.failed = False
        if header["status"] != "done":
            raise RenderFailed(header["problem"], retryable=False)
        if hashlib.sha256(content).hexdigest() != header["sha256"]:
            self.failed = True
            raise RenderFailed("The document was damaged on its way. Ask again.", retryable=True)
        seconds = round(time.monotonic() - started, 3)
        about = {name: header[name] for name in ("number", "sha256", "pages", "size")}
        log.info("document drawn", **about, seconds=seconds)
        if header["unprintable"]:
            log.warning("no font for", number=header["number"], characters=header["unprintable"])
        return content

    async def end(self) -> None:
        """End the process, by force if it is spent or takes its time, and remove its folder."""
        assert self.process.stdin is not None
        if self.failed:
            self._kill()
        self.process.stdin.close()
        rest = asyncio.create_task(self._discard())
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await self.process.wait()
        except TimeoutError:
            self._kill()
            await self.process.wait()
        await rest
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # It may go by itself at any moment.
            self.process.kill()

    async def _discard(self) -> None:
        """Read what nobody waits for any more: asyncio sees no end of a process with a full pipe."""
        assert self.process.stdout is not None
        await self.idle.wait()
        while await self.process.stdout.read(DISCARDED_BYTES):
            pass

    async def _patiently(self, work: Awaitable[T], seconds_max: float) -> T:
        """The result of the work. Silence for too long and broken pipes become RenderFailed."""
        try:
            async with asyncio.timeout(seconds_max):
                return await work
        except TimeoutError:
            raise RenderFailed(
                f"The document was not drawn within {seconds_max:g} seconds. Ask again; "
                "if that does not help, it is too long.",
                retryable=True,
            ) from None
        except (EOFError, ConnectionError, ValueError):
            raise RenderFailed(
                "The render process ended in the middle of its work. Ask again.", retryable=True
            ) from None

    async def _exchange(self, request: bytes) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(len(request).to_bytes(LENGTH_BYTES, "big") + request)
        await self.process.stdin.drain()
        header = await self._header()
        size = header.get("size", 0)
        if size > PDF_BYTES_MAX:
            raise ValueError("no document is as large as that")
        return header, await self.process.stdout.readexactly(size)

    async def _header(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError("the process closed its output")
        header: dict[str, Any] = json.loads(line)
        return header


async def _spawn(folder: Path) -> Process:
    """Start the process; without one, its folder is not left behind."""
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            WORKER,
            str(folder),
            stdin=PIPE,
            stdout=PIPE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C ends the server, and its end ends the process.
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _stopping() -> RenderFailed:
    return RenderFailed("The server is stopping. Ask for the document again.", retryable=True)


def _environment() -> dict[str, str]:
    """The environment of the process: where to find this program, and none of the server's secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_SETTINGS)}
    root = str(Path(__file__).parents[2])
    kept["PYTHONPATH"] = os.pathsep.join(filter(None, (root, kept.get("PYTHONPATH"))))
    return kept
