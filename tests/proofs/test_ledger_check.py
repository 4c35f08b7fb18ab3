"""The checks of the books can fail: each finds the one row that was made wrong behind the database's back."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from app.billing.requests import SeatQuantity
from app.store import files
from app.store.engine import open_store
from tests.api import world
from tests.conftest import Clock
from tests.postgres import in_own_loop
from tests.proofs.ledger_check import CHECKS, problems
from tests.proofs.test_rendering import waiting_document

OTHER: Final = "'00000000-0000-7000-8000-000000000000'"
LATEST: Final = "(SELECT max(id) FROM document WHERE kind = 'INVOICE')"
NOTE: Final = "(SELECT max(id) FROM document WHERE kind = 'CREDIT_NOTE')"
EVENT: Final = "SELECT id FROM seat_event WHERE kind = 'IN_USE' AND holder IS NOT NULL LIMIT 1"

DAMAGES: Final = {
    "a level is not the fold of its events": "UPDATE seat_level SET balance = balance + 1",
    "events without their level": "DELETE FROM seat_level WHERE kind = 'IN_USE'",
    "a balance was negative": f"UPDATE seat_event SET removed = removed + 90 WHERE id = ({EVENT})",
    "a holder's seats are not the fold of its events": "UPDATE seat_holder SET seats = seats + 1",
    "a document's subtotal is not the sum of its lines": (
        f"UPDATE billing_line SET amount = amount + 1 WHERE document_id = {LATEST}"
    ),
    "a document's total is not its lines and tax": f"UPDATE document SET tax = tax + 1 WHERE id = {LATEST}",
    "a document's amount due is not its total less credit": (
        f"UPDATE document SET amount_due = amount_due - 1 WHERE id = {LATEST}"
    ),
    "the lines of a document are not numbered from 0": (
        f"UPDATE billing_line SET position = position + 1 WHERE document_id = {LATEST}"
    ),
    "a line was credited for more than it charged": (
        "UPDATE billing_line SET amount = amount - 100000 WHERE reverses IS NOT NULL"
    ),
    "a series of numbers has a gap": f"UPDATE number SET value = value + 90 WHERE document_id = {LATEST}",
    "a number without its document": f"UPDATE number SET document_id = {OTHER} WHERE document_id = {LATEST}",
    "a document without its number": f"DELETE FROM number WHERE document_id = {LATEST}",
    "the credit balance is not the sum of its entries": "UPDATE customer SET credit = credit + 1",
    "a document moved other credit than it says": (
        f"INSERT INTO credit_entry SELECT customer_id, {OTHER}, 5, id, issued_at, recorded_at FROM document "
        f"WHERE id = {NOTE}"
    ),
    "a credit note gives back another amount than its total": (
        f"UPDATE document SET credit_added = credit_added + 1 WHERE id = {NOTE}"
    ),
    "an invoice without its receivable": f"DELETE FROM receivable WHERE invoice_id = {LATEST}",
    "what is open is not what is due less payments and credits": (
        f"UPDATE receivable SET open = open - 1 WHERE invoice_id = {LATEST}"
    ),
    "two postings made one version of a subscription": (
        f"INSERT INTO audit SELECT customer_id, {OTHER}, action, actor, object_id, detail, effective_at, "
        "recorded_at, position + 90, digest FROM audit WHERE action = 'subscription.posted' LIMIT 1"
    ),
    "the news of an object are not numbered from 1": "UPDATE outbox SET sequence = sequence + 90",
    "a document cannot be rendered, or is rendered and waits": "DELETE FROM document_file",
    "the taxes of a document do not add up": "UPDATE document SET taxes = replace(taxes, '\"19\"', '\"20\"')",
    "a key stands for a document that is missing or another key's": (
        f"UPDATE idempotency SET outcome = json_set(outcome, '$.invoice', {OTHER})"
    ),
    "the bytes of a file are not those of its hash": "UPDATE document_file SET content = x'00'",
}


async def _lived(url: str) -> None:
    clock = Clock(world.NOON)
    store = open_store(url, clock=clock)
    lived = await world.live(store, clock)
    clock.now = world.NOON
    await world.change(store, lived.acme, lived.subscription, "fewer", SeatQuantity("editor", remove=3))
    async with store.reads(lived.globex) as scope:
        invoice = await scope.run(waiting_document)
    await store.run(lived.globex, files.store_file, invoice, b"%PDF-1.7 drawn")
    await store.close()


@pytest.fixture(scope="module")
def books(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a history."""
    file = tmp_path_factory.mktemp("damaged") / "seatport.db"
    shutil.copyfile(sqlite_template, file)
    in_own_loop(_lived(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def damaged(books: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of that file to damage, whose rows nothing guards any more."""
    shutil.copyfile(books, tmp_path / "damaged.db")
    with closing(sqlite3.connect(tmp_path / "damaged.db", isolation_level=None)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in found:
            connection.execute(f'DROP TRIGGER "{name}"')
        yield connection


async def test_sound_books_have_no_problem(books: Path) -> None:
    """Nothing is wrong with what was lived through the services."""
    assert await problems(f"sqlite+aiosqlite:///{books}") == []


@pytest.mark.parametrize("name", DAMAGES)
async def test_each_check_finds_its_damage(damaged: sqlite3.Connection, tmp_path: Path, name: str) -> None:
    """A row that contradicts the others is found by the check that is meant for it."""
    assert damaged.execute(DAMAGES[name]).rowcount > 0

    found = await problems(f"sqlite+aiosqlite:///{tmp_path}/damaged.db")
    assert [problem for problem in found if problem.startswith(f"{name}: ")] != [], found


def test_every_check_was_tried() -> None:
    """No check is without a damage."""
    assert CHECKS.keys() <= DAMAGES.keys()
