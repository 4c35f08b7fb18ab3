"""The render process may die, hang, lie or be missing: its document fails, and the server goes on."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.documents import pdf
from app.documents.compose import view_of
from app.documents.errors import RenderFailed
from app.documents.renderer import Renderer
from tests.documents.rendering import (
    LONG,
    SMALL,
    a_renderer,
    drawing,
    gone,
    is_alive,
    names_in,
    pid_of,
)
from tests.documents.shapes import SHAPES


async def test_a_killed_process_fails_its_document_and_no_other() -> None:
    """Killed in the middle: that document can be asked for again, and the next is drawn by a new process."""
    async with a_renderer() as renderer:
        before = pid_of(renderer)
        task = await drawing(renderer, LONG)
        next_one = asyncio.create_task(renderer.render(SMALL))
        os.kill(before, signal.SIGKILL)

        with pytest.raises(RenderFailed, match="ended in the middle of its work") as failed:
            await task
        assert failed.value.retryable
        assert (await next_one).startswith(b"%PDF-")
        assert pid_of(renderer) != before


async def test_a_document_that_takes_too_long_is_ended() -> None:
    """After its time the process is killed, the caller is told, and the next document is drawn."""
    async with a_renderer(timeout_seconds=1.5) as renderer:
        before = pid_of(renderer)
        with pytest.raises(RenderFailed, match=r"not drawn within 1\.5 seconds") as failed:
            await renderer.render(LONG)

        assert failed.value.retryable
        assert (await renderer.render(SMALL)).startswith(b"%PDF-")
        assert not is_alive(before)


async def test_a_process_that_died_idle_is_nobodys_problem() -> None:
    """Killed between two documents, for lack of memory say: the next caller notices nothing."""
    async with a_renderer() as renderer:
        before = pid_of(renderer)
        os.kill(before, signal.SIGKILL)
        for _ in range(500):
            await asyncio.sleep(0.01)
            if renderer.pid is None:
                break

        assert (await renderer.render(SMALL)).startswith(b"%PDF-")
        assert pid_of(renderer) != before


async def test_a_process_that_lost_its_fonts_draws_no_boxes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A cleaner of old files empties the temporary folder: an error now, not a page of boxes for ever."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with a_renderer() as renderer:
        before = pid_of(renderer)
        (folder,) = names_in(tmp_path)
        shutil.rmtree(tmp_path / folder)

        with pytest.raises(RenderFailed, match="ended in the middle") as failed:
            await renderer.render(SMALL)
        assert failed.value.retryable
        assert await renderer.render(SMALL) == pdf.render(view_of(SHAPES["one_line"]))
        assert pid_of(renderer) != before
    assert "FontsLost: 13 of 13 font copies" in capfd.readouterr().err


async def test_a_machine_without_libraries_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Pango is missing, starting fails with the one line that helps; it is not worth asking again."""
    (tmp_path / "sitecustomize.py").write_text(
        "import cffi\n"
        "def dlopen(ffi, name, *rest):\n"
        "    raise OSError(f'cannot load library {name!r}: no such file')\n"
        "cffi.FFI.dlopen = dlopen\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    renderer = Renderer()

    for ask in (renderer.start, lambda: renderer.render(SMALL)):
        with pytest.raises(RenderFailed, match=r"PDFs cannot be made: .* Install the libraries: ") as failed:
            await ask()
        assert not failed.value.retryable
    await renderer.stop()


async def test_a_process_that_cannot_even_start_is_an_error_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends before its first word fails its document; the next document starts another."""
    (tmp_path / "sitecustomize.py").write_text("import os; os._exit(3)", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    renderer = Renderer()

    with pytest.raises(RenderFailed, match="ended in the middle") as failed:
        await renderer.render(SMALL)
    assert failed.value.retryable

    monkeypatch.delenv("PYTHONPATH")
    assert (await renderer.render(SMALL)).startswith(b"%PDF-")
    await renderer.stop()


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        ("damaged", "damaged on its way"),
        ("endless", "ended in the middle"),
        ("garbage", "ended in the middle"),
        ("flood", "ended in the middle"),
        ("half", "ended in the middle"),
    ],
)
async def test_a_process_that_talks_nonsense_is_replaced(
    odd: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong hash, absurd size, no JSON, no line end, half a PDF: the caller may ask again, of another."""
    monkeypatch.setenv("ODD", odd)
    monkeypatch.setattr("app.documents.renderer.WORKER", "tests.documents.odd_worker")
    monkeypatch.setattr("app.documents.renderer.STOP_SECONDS_MAX", 0.1)
    async with a_renderer() as renderer:
        before = pid_of(renderer)
        with pytest.raises(RenderFailed, match=problem) as failed:
            await renderer.render(SMALL)

        assert failed.value.retryable
        assert await gone(before)
        await renderer.start()
        assert pid_of(renderer) != before


async def test_a_machine_that_cannot_start_a_process_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No memory, no file handles, no Python: a failed render that can be asked for again, and no litter."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python-here"))
    renderer = Renderer()

    with pytest.raises(RenderFailed, match=r"cannot be started \(No such file or directory\)") as failed:
        await renderer.render(SMALL)
    assert failed.value.retryable
    assert names_in(tmp_path) == []
    await renderer.stop()


async def test_a_process_that_never_gets_ready_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence at the start ends after its time, as a failed render and not as a hanging server."""
    monkeypatch.setenv("ODD", "silent")
    monkeypatch.setattr("app.documents.renderer.WORKER", "tests.documents.odd_worker")
    monkeypatch.setattr("app.documents.renderer.START_SECONDS_MAX", 0.5)
    renderer = Renderer()

    with pytest.raises(RenderFailed, match=r"not drawn within 0\.5 seconds"):
        await renderer.start()
    await renderer.stop()


async def test_a_process_that_will_not_go_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked to end and still there after its time, it is ended by force; its warnings were logged."""
    monkeypatch.setenv("ODD", "deaf")
    monkeypatch.setattr("app.documents.renderer.WORKER", "tests.documents.odd_worker")
    monkeypatch.setattr("app.documents.renderer.STOP_SECONDS_MAX", 0.2)
    with capture_logs() as logs:
        async with a_renderer() as renderer:
            before = pid_of(renderer)

    assert [(entry["log_level"], entry["problem"]) for entry in logs] == [("warning", "made up")]
    assert not is_alive(before)
