"""Rendered files: the frozen view of a document, the PDF that was made of it once, and the jobs that wait for
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.store.tables import document_file, document_view, render_job
from app.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A rendered PDF: its bytes never change."""

    sha256: str
    size: int
    content: bytes


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a rendered PDF without reading it."""

    sha256: str
    size: int


def file_facts(tx: Tx, documents: Iterable[UUID]) -> dict[UUID, FileFacts]:
    """Of which documents the PDF is stored, and its hash and size."""
    query = select(document_file.c.document_id, document_file.c.sha256, document_file.c.size).where(
        document_file.c.customer_id == tx.customer, document_file.c.document_id.in_(tuple(documents))
    )
    return {row.document_id: FileFacts(row.sha256, row.size) for row in tx.connection.execute(query)}


def file(tx: Tx, document_id: UUID) -> StoredFile | None:
    """The rendered PDF of a document, None if it is not rendered yet."""
    query = select(document_file).where(
        document_file.c.customer_id == tx.customer, document_file.c.document_id == document_id
    )
    row = tx.connection.execute(query).one_or_none()
    return StoredFile(row.sha256, row.size, row.content) if row else None


def view(tx: Tx, document_id: UUID) -> str | None:
    """The frozen view that a document is rendered from."""
    query = select(document_view.c.view).where(
        document_view.c.customer_id == tx.customer, document_view.c.document_id == document_id
    )
    return tx.connection.execute(query).scalar()


def store_file(tx: Tx, document_id: UUID, content: bytes) -> StoredFile:
    """Keep the first rendering for ever; a later one is thrown away and the first is returned."""
    values = {
        "customer_id": tx.customer,
        "document_id": document_id,
        "sha256": sha256(content).hexdigest(),
        "size": len(content),
        "content": content,
        "rendered_at": tx.wall,
    }
    dialect = sqlite if tx.connection.dialect.name == "sqlite" else postgresql
    tx.connection.execute(dialect.insert(document_file).values(values).on_conflict_do_nothing())
    tx.connection.execute(
        delete(render_job).where(
            render_job.c.customer_id == tx.customer, render_job.c.document_id == document_id
        )
    )
    stored = file(tx, document_id)
    assert stored is not None, "the first bytes are stored in this transaction or an earlier one"
    return stored


def rendering_attempts(tx: Tx, document_id: UUID) -> int:
    """How often rendering a document has failed."""
    query = select(render_job.c.attempts).where(
        render_job.c.customer_id == tx.customer, render_job.c.document_id == document_id
    )
    return tx.connection.execute(query).scalar() or 0


def put_off_rendering(tx: Tx, document_id: UUID, *, run_at: datetime, error: str) -> None:
    """A rendering failed: remember why, and when to try again."""
    where = (render_job.c.customer_id == tx.customer, render_job.c.document_id == document_id)
    values = {"attempts": render_job.c.attempts + 1, "run_at": run_at, "last_error": error[:500]}
    tx.connection.execute(update(render_job).where(*where).values(values))
