"""What is stored of a customer, told by another process that knows nothing of the program: plain SQL on the
file or the server.

    python -I reader.py sqlite+aiosqlite:///FILE      reads the id of a customer a line, answers JSON a line

Amounts come as text with the digits of their currency, instants as RFC 3339, days by the zone of the line.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

DIGITS = {"JPY": 0, "KWD": 3}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TABLES = (
    "customer", "subscription", "document", "billing_line", "receivable", "reduction", "credit_entry",
    "seat_event", "seat_level", "scheduled_change", "idempotency",
)  # fmt: skip
AMOUNTS = ("subtotal", "tax", "total", "credit_applied", "amount_due", "credit_added")

Row = dict[str, Any]
Select = Callable[[str, str], Awaitable[list[Row]]]


async def told(select: Select, customer: str) -> dict[str, Any]:
    """Everything that is stored of a customer, put so that it can be compared with what was shown."""
    rows = {table: await select(table, customer) for table in TABLES}
    currency = rows["customer"][0]["currency"]
    lines = sorted(rows["billing_line"], key=lambda row: (row["position"] or 0, str(row["id"])))
    return {
        "credit": money(rows["customer"][0]["credit"], currency),
        "credit_entries": money(sum(row["amount"] for row in rows["credit_entry"]), currency),
        "documents": {str(row["id"]): document(row, lines, rows, currency) for row in rows["document"]},
        "waiting": {str(row["id"]): line(row, currency) for row in lines if row["document_id"] is None},
        "subscriptions": [subscription(row) for row in rows["subscription"]],
        "events": {str(row["id"]): event(row) for row in rows["seat_event"]},
        "levels": {f"{row['metric']} {row['kind']}": row["balance"] for row in rows["seat_level"]},
        "scheduled": {
            str(row["id"]): row["target"] for row in rows["scheduled_change"] if not row["closed_at"]
        },
        "keys": sorted(row["key"] for row in rows["idempotency"]),
    }


def document(row: Row, lines: list[Row], rows: dict[str, list[Row]], currency: str) -> dict[str, Any]:
    """A document with its lines, and what became of its money."""
    due = [each for each in rows["receivable"] if each["invoice_id"] == row["id"]]
    reduced = [each["amount"] for each in rows["reduction"] if each["credit_note_id"] == row["id"]]
    moved = [each["amount"] for each in rows["credit_entry"] if each["document_id"] == row["id"]]
    return {
        "kind": row["kind"],
        "number": row["number"],
        "issued_at": instant(row["issued_at"]),
        **{name: money(row[name], currency) for name in AMOUNTS},
        "taxes": [tax(each, currency) for each in data(row["taxes"])],
        "lines": [line(each, currency) for each in lines if each["document_id"] == row["id"]],
        "open": money(due[0]["open"], currency) if due else None,
        "reduced": money(sum(reduced), currency),
        "credit_moved": money(sum(moved), currency),
    }


def tax(found: Any, currency: str) -> dict[str, str]:
    """The tax of a document under one rate."""
    treatment, base, amount = found
    names = ("category", "rate", "label")
    return {
        **{name: treatment[name] for name in names},
        "base": money(base, currency),
        "amount": money(amount, currency),
    }


def line(row: Row, currency: str) -> dict[str, Any]:
    """A billing line, in the words of a priced line of the schema."""
    parts, zone = data(row["parts"]), ZoneInfo(row["zone"])
    has_one = len(parts) == 1 and not Decimal(parts[0]["flat_amount"]) and parts[0]["pack"] is None
    single = parts[0]["unit_amount"] if has_one else None
    days = (EPOCH + moment(row[name]) for name in ("period_start", "period_end"))
    starts_on, ends_on = (day.astimezone(zone).date().isoformat() for day in days)
    return {
        "kind": row["kind"],
        "description": row["description"],
        "formula": row["formula"],
        "quantity": row["quantity"],
        "unitAmount": parts[0]["flat_amount"] if row["item"] == "base_fee" else single,
        "numerator": row["numerator"],
        "denominator": row["denominator"],
        "amount": money(row["amount"], currency),
        "period": {"startsOn": starts_on, "endsOn": ends_on},
        "effective_at": instant(row["effective_at"]),
    }


def subscription(row: Row) -> dict[str, Any]:
    """A subscription as it stands."""
    ends = (EPOCH + moment(row["period_end"])).astimezone(ZoneInfo(row["zone"]))
    return {
        "version": row["version"],
        "status": row["status"],
        "period_ends_at": instant(row["period_end"]),
        "period_ends_on": ends.date().isoformat(),
    }


def event(row: Row) -> dict[str, Any]:
    """A row of the seat ledger."""
    names = ("metric", "kind", "added", "removed", "source")
    return {**{name: row[name] for name in names}, "effective_at": instant(row["effective_at"])}


def money(minor: int, currency: str) -> str:
    """12.50 of 1250, if the currency has two digits."""
    digits = DIGITS.get(currency, 2)
    return f"{Decimal(int(minor)).scaleb(-digits):.{digits}f}"


def data(stored: Any) -> Any:
    """A JSON column."""
    return json.loads(stored) if isinstance(stored, str) else stored


def moment(stored: int | datetime) -> timedelta:
    """The time since 1970: SQLite stores microseconds."""
    return timedelta(microseconds=stored) if isinstance(stored, int) else stored - EPOCH


def instant(stored: int | datetime) -> str:
    """2026-04-16T09:30:00Z."""
    return (EPOCH + moment(stored)).isoformat().replace("+00:00", "Z")


async def sqlite(path: str) -> None:
    """Answer from a file."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row

    async def select(table: str, customer: str) -> list[Row]:
        found = connection.execute(f"SELECT * FROM {table} WHERE customer_id = ?", (customer,))
        return [dict(row) for row in found]

    for customer in sys.stdin:
        connection.execute("BEGIN")
        answer(await told(select, customer.strip()))
        connection.execute("COMMIT")


async def postgres(database: str, folder: str, user: str) -> None:
    """Answer from a server."""
    import asyncpg  # noqa: PLC0415 - For a file it is not needed.

    connection = await asyncpg.connect(host=folder, user=user, database=database)

    async def select(table: str, customer: str) -> list[Row]:
        found = await connection.fetch(f"SELECT * FROM {table} WHERE customer_id = $1", customer)
        return [dict(row) for row in found]

    for customer in sys.stdin:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            answer(await told(select, customer.strip()))


def answer(found: dict[str, Any]) -> None:
    """One line of JSON."""
    sys.stdout.write(f"{json.dumps(found)}\n")
    sys.stdout.flush()


def main(url: str) -> None:
    """Serve until standard input ends."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite"):
        asyncio.run(sqlite(parts.path.removeprefix("/") if parts.path.startswith("//") else parts.path))
    else:
        asyncio.run(postgres(parts.path.strip("/"), parse_qs(parts.query)["host"][0], parts.username or ""))


if __name__ == "__main__":
    main(sys.argv[1])
