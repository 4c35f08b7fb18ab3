"""Renderers to test, documents for them, and what became of their processes."""

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.documents.compose import view_of
from app.documents.renderer import Renderer
from app.documents.view import to_json
from tests.documents.builders import an_invoice, many_lines
from tests.documents.shapes import SHAPES

ROOT = Path(__file__).resolve().parents[2]
SMALL = to_json(view_of(SHAPES["one_line"]))
LONG = to_json(view_of(an_invoice(*many_lines(1_900))))
"""Takes many seconds to draw: whatever happens to it happens in the middle."""


@asynccontextmanager
async def a_renderer(**settings: Any) -> AsyncIterator[Renderer]:
    """A renderer that is ready, and is stopped in the end."""
    renderer = Renderer(**settings)
    await renderer.start()
    try:
        yield renderer
    finally:
        await renderer.stop()


def is_alive(pid: int) -> bool:
    """Whether there is such a process; one that ended and was not yet waited for does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout
    return bool(state) and not state.startswith("Z")


async def gone(pid: int) -> bool:
    """Whether a process ends within five seconds; a long document would take longer."""
    for _ in range(100):
        if not is_alive(pid):
            return True
        await asyncio.sleep(0.05)
    return False


def names_in(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


def numbered(number: str) -> str:
    """A small view with its own number."""
    return to_json(view_of(replace(SHAPES["one_line"], number=number)))


def pid_of(renderer: Renderer) -> int:
    """The process that is ready."""
    assert renderer.pid is not None
    return renderer.pid


async def drawing(renderer: Renderer, view_json: str) -> "asyncio.Task[bytes]":
    """A render that is in the middle of its document."""
    task = asyncio.create_task(renderer.render(view_json))
    await asyncio.sleep(0.5)
    assert not task.done()
    return task
