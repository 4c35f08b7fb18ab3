"""The PDF of a document, rendered once from its frozen view in another process. First stored bytes win."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.documents.errors import DocumentError
from app.store import documents, files
from app.store.documents import Document
from app.store.files import StoredFile
from app.store.reference import Reference
from app.store.transaction import Store, Tx

RETRY_AFTER: Final = timedelta(seconds=30)
RETRY_AFTER_MAX: Final = timedelta(hours=6)

Render = Callable[[str], Awaitable[bytes]]
"""From the JSON of a view to the bytes of its PDF; raises `DocumentError`."""

log = structlog.get_logger("seatport.documents")


async def pdf_of(store: Store, render: Render, customer: UUID, document_id: UUID) -> StoredFile | None:
    """The stored PDF of a document, rendered first if it never was; None if there is no such document.

    :raises DocumentError: if it cannot be rendered now; why, and when to try again, is kept
    """
    async with store.reads(customer) as scope:
        stored = await scope.run(files.file, document_id)
        view = await scope.run(files.view, document_id) if stored is None else None
    if stored is not None or view is None:
        return stored
    try:
        content = await render(view)
    except DocumentError as error:
        await store.run(customer, _put_off, document_id, str(error))
        raise
    return await store.run(customer, files.store_file, document_id, content)


async def render_waiting(store: Store, render: Render, waiting: Iterable[Reference]) -> AsyncIterator[bool]:
    """Render documents that wait, one after the other; of each whether it could be."""
    for each in waiting:
        try:
            yield await pdf_of(store, render, each.customer, each.id) is not None
        except DocumentError as error:
            log.warning("document not rendered", document=str(each.id), error=str(error))
            yield False


def named(tx: Tx, document_id: UUID) -> Document | None:
    """The document, for the name of its file."""
    return documents.by_id(tx, (document_id,)).get(document_id)


def _put_off(tx: Tx, document_id: UUID, error: str) -> None:
    """Try again later, each time after twice as long."""
    attempts = files.rendering_attempts(tx, document_id)
    wait = min(RETRY_AFTER * 2**attempts, RETRY_AFTER_MAX)
    files.put_off_rendering(tx, document_id, run_at=tx.wall + wait, error=error)
