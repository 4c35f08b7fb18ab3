"""A payment gateway for tests and demos that moves no money. The payment method says what it does.

    test_approve       takes the money
    test_decline       declines
    test_timeout       takes the money, and the first answer is lost
    test_late_decline  declines, and the first answer is lost
    test_unreachable   takes nothing and never answers; a refund of it is answered

Its books are a SQLite file of its own, so that they outlive any process that asks it, as a real gateway's do.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from app.billing.money import Money
from app.gateways.payments import Collected, Declined, GatewayUnavailable

WAIT_SECONDS: Final = 10.0
NO_MONEY: Final = "The card has insufficient funds."
GIVEN_BACK: Final = "The payment was withdrawn."
TAKES: Final = {"test_approve", "test_timeout"}
LOSES_THE_FIRST_ANSWER: Final = {"test_timeout", "test_late_decline"}
METHODS: Final = frozenset({*TAKES, *LOSES_THE_FIRST_ANSWER, "test_decline", "test_unreachable"})
BOOKS: Final = """
CREATE TABLE IF NOT EXISTS intent (
    id TEXT PRIMARY KEY, amount INTEGER NOT NULL, currency TEXT NOT NULL, method TEXT NOT NULL,
    taken INTEGER NOT NULL, refunded INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Charge:
    """An intent on the books: what it was asked for, how often, and what became of it."""

    intent: UUID
    amount: int
    taken: bool
    refunded: bool
    asked: int


@dataclass(frozen=True, slots=True)
class StandIn:
    """The gateway with its books in a file, which is made when it is first asked."""

    file: Path
    name: str = "test gateway"

    def charges(self, method: str) -> bool:
        return method in METHODS

    async def collect(self, intent: UUID, amount: Money, method: str) -> Collected | Declined:
        """As the method says; of an intent that was given back nothing is taken any more."""
        return await asyncio.to_thread(self._collect, intent, amount, method)

    async def refund(self, intent: UUID) -> None:
        await asyncio.to_thread(self._refund, intent)

    def charges_made(self) -> list[Charge]:
        """The books, in the order in which intents came."""
        with self._books() as books:
            rows = books.execute("SELECT id, amount, taken, refunded, asked FROM intent ORDER BY rowid")
            return [Charge(UUID(id), n, bool(taken), bool(back), asked) for id, n, taken, back, asked in rows]

    def _collect(self, intent: UUID, amount: Money, method: str) -> Collected | Declined:
        if method == "test_unreachable":
            raise GatewayUnavailable("The test gateway cannot be reached.")
        new = (str(intent), amount.minor, amount.currency.code, method, int(method in TAKES))
        with self._books() as books:
            books.execute(
                "INSERT INTO intent (id, amount, currency, method, taken) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                new,
            )
            (row,) = books.execute(
                "UPDATE intent SET asked = asked + 1 WHERE id = ?"
                " RETURNING amount, currency, taken, refunded, asked",
                (str(intent),),
            ).fetchall()
        was, currency, taken, refunded, asked = row
        if refunded:
            return Declined(GIVEN_BACK)
        assert (was, currency) == (amount.minor, amount.currency.code), "an intent has one amount"
        if asked == 1 and method in LOSES_THE_FIRST_ANSWER:
            raise GatewayUnavailable("The answer of the test gateway was lost.")
        return Collected() if taken else Declined(NO_MONEY)

    def _refund(self, intent: UUID) -> None:
        with self._books() as books:
            books.execute(
                "INSERT INTO intent (id, amount, currency, method, taken, refunded)"
                " VALUES (?, 0, '', '', 0, 1) ON CONFLICT (id) DO UPDATE SET refunded = 1",
                (str(intent),),
            )

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        """A connection whose every statement is a transaction, whole and on disk when it returns."""
        books = sqlite3.connect(self.file, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            books.execute(BOOKS)
            yield books
        finally:
            books.close()
