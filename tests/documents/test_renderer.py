"""The server's side of the render process: documents in, PDFs out, many callers at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from app.documents import pdf
from app.documents.compose import view_of
from app.documents.errors import RenderFailed
from app.documents.renderer import Renderer
from app.documents.view import to_json
from tests.documents.builders import a_line, an_invoice, many_lines
from tests.documents.reading import texts
from tests.documents.rendering import (
    LONG,
    SMALL,
    a_renderer,
    drawing,
    gone,
    is_alive,
    names_in,
    numbered,
    pid_of,
)
from tests.documents.shapes import SHAPES

sharing = pytest.mark.asyncio(loop_scope="module")
"""For tests that share one renderer, and so its event loop."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def renderer() -> AsyncIterator[Renderer]:
    """One renderer for the tests that leave it as it was."""
    async with a_renderer() as shared:
        yield shared


@sharing
async def test_the_process_draws_what_this_process_draws(renderer: Renderer) -> None:
    """The bytes are those of `pdf.render`, again and again, and the log tells their hash but no name."""
    with capture_logs() as logs:
        first, second = await renderer.render(SMALL), await renderer.render(SMALL)

    here = pdf.draw(view_of(SHAPES["one_line"]))
    assert first == second == here.content
    assert [(entry["number"], entry["sha256"], entry["pages"]) for entry in logs] == [
        ("INV-2026-000042", here.sha256, 1)
    ] * 2
    assert "Globex" not in str(logs)


@sharing
async def test_twenty_callers_of_one_document_share_one_drawing(renderer: Renderer) -> None:
    """Twenty ask at once, one page is drawn, all get the same bytes."""
    with capture_logs() as logs:
        answers = await asyncio.gather(*(renderer.render(SMALL) for _ in range(20)))

    assert len(set(answers)) == 1
    assert [entry["event"] for entry in logs] == ["document drawn"]


@sharing
async def test_each_caller_gets_the_own_document(renderer: Renderer) -> None:
    """Six different documents at once: each answer carries the number that was asked for."""
    numbers = [f"INV-2026-{n:06}" for n in range(6)]
    answers = await asyncio.gather(*(renderer.render(numbered(number)) for number in numbers))

    assert [number in texts(answer)[0] for number, answer in zip(numbers, answers, strict=True)] == [True] * 6


@sharing
async def test_the_event_loop_goes_on(renderer: Renderer) -> None:
    """While a hundred lines are drawn, other tasks of the server get their turns."""
    turns = 0
    task = asyncio.create_task(renderer.render(to_json(view_of(an_invoice(*many_lines(100))))))
    while not task.done():
        await asyncio.sleep(0.005)
        turns += 1

    assert (await task).startswith(b"%PDF-")
    assert turns > 10


async def test_a_process_is_replaced_after_its_jobs() -> None:
    """With two jobs to a process the third document is drawn by the next; the first process is gone."""
    async with a_renderer(jobs_max=2) as renderer:
        before = pid_of(renderer)
        for number in ("INV-1", "INV-2", "INV-3"):
            assert number in texts(await renderer.render(numbered(number)))[0]

        assert pid_of(renderer) != before
        assert await gone(before)


@pytest.mark.parametrize(
    ("view_json", "problem"),
    [
        ("{}", "This document view has schema None"),
        (SMALL.replace("invoice/v1", "invoice/v7"), "There is no document template 'invoice/v7'"),
        (to_json(view_of(an_invoice(*(a_line(),) * 2_001))), "has 2001 lines; a document may have 2000"),
        ("\ud800", "This document view is not JSON"),
    ],
)
@sharing
async def test_what_can_never_be_drawn_says_so(renderer: Renderer, view_json: str, problem: str) -> None:
    """A bad document is not retryable, and costs no process."""
    before = pid_of(renderer)
    with pytest.raises(RenderFailed, match=problem) as failed:
        await renderer.render(view_json)

    assert not failed.value.retryable
    assert pid_of(renderer) == before


@sharing
async def test_a_caller_who_leaves_disturbs_nobody(renderer: Renderer) -> None:
    """A client hangs up in the middle: the page is finished, and the next answer is not mistaken for it."""
    before = pid_of(renderer)
    view = to_json(view_of(an_invoice(*many_lines(300), number="INV-LEFT")))
    leaving = await drawing(renderer, view)
    staying = asyncio.create_task(renderer.render(view))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert "INV-2026-000042" in texts(await renderer.render(SMALL))[0]
    assert "INV-LEFT" in texts(await staying)[0]
    assert pid_of(renderer) == before


@sharing
async def test_too_many_waiting_are_told_at_once(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for two, the third is refused without waiting; asking later helps."""
    monkeypatch.setattr(renderer, "_waiting_max", 2)
    views = [numbered(f"INV-{n}") for n in range(3)]
    answers = await asyncio.gather(*map(renderer.render, views), return_exceptions=True)

    refused = answers[2]
    assert isinstance(refused, RenderFailed)
    assert refused.retryable
    assert "2 documents are waiting" in str(refused)
    assert all(isinstance(answer, bytes) for answer in answers[:2])
    assert (await renderer.render(views[2])).startswith(b"%PDF-")


async def test_stopping_ends_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way and what waits fails, the process is gone, its files too; nothing new is taken."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    renderer = Renderer()
    await renderer.start()
    before = pid_of(renderer)
    tasks = [await drawing(renderer, LONG), asyncio.create_task(renderer.render(SMALL))]
    await asyncio.sleep(0)

    await renderer.stop()

    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, RenderFailed) and answer.retryable for answer in answers] == [True, True]
    assert not is_alive(before)
    assert names_in(tmp_path) == []
    with pytest.raises(RenderFailed, match="The server is stopping"):
        await renderer.render(SMALL)
    await renderer.stop()


async def test_stopping_while_starting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is stopped before its process is ready waits for nothing and leaves nothing."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    renderer = Renderer()
    task = asyncio.create_task(renderer.render(SMALL))
    await asyncio.sleep(0.05)

    await renderer.stop()

    with pytest.raises(RenderFailed, match="The server is stopping"):
        await task
    assert names_in(tmp_path) == []


@sharing
async def test_a_box_instead_of_a_letter_is_logged(renderer: Renderer) -> None:
    """A document with a character that no font has is drawn, and the log names document and character."""
    view = to_json(view_of(an_invoice(a_line(description="Bassa \U00016ad0"), number="INV-BOX")))
    with capture_logs() as logs:
        assert (await renderer.render(view)).startswith(b"%PDF-")

    (warning,) = [entry for entry in logs if entry["log_level"] == "warning"]
    assert warning["number"] == "INV-BOX"
    assert "U+16AD0" in str(warning["characters"])
