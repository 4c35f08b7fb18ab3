"""Whether the books of a database agree with themselves, read by plain SQL and not by the program's own code.

Each check is a statement that finds rows which should not be; a few that need JSON or hashes are in Python.
Works on both engines, and while servers write: everything is read in one transaction. The program's own
doctor is asked too, which looks at more.
"""

import hashlib
import json
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.services.doctor import examine

FOLD: Final = "CAST(sum(added - removed) AS bigint)"
CHECKS: Final = {
    "a level is not the fold of its events": f"""
        SELECT customer_id, metric, kind, balance FROM seat_level
        EXCEPT SELECT customer_id, metric, kind, {FOLD} FROM seat_event GROUP BY customer_id, metric, kind""",
    "events without their level": f"""
        SELECT customer_id, metric, kind, {FOLD} FROM seat_event GROUP BY customer_id, metric, kind
        EXCEPT SELECT customer_id, metric, kind, balance FROM seat_level""",
    "a balance was negative": """
        SELECT id, balance FROM (
            SELECT id, sum(added - removed)
                OVER (PARTITION BY customer_id, metric, kind ORDER BY effective_at, id) AS balance
            FROM seat_event) AS folded WHERE balance < 0""",
    "a holder's seats are not the fold of its events": f"""
        SELECT customer_id, metric, holder, seats FROM seat_holder
        EXCEPT SELECT customer_id, metric, holder, {FOLD} FROM seat_event
        WHERE kind = 'IN_USE' AND holder IS NOT NULL GROUP BY customer_id, metric, holder""",
    "a document's subtotal is not the sum of its lines": """
        SELECT d.id, d.subtotal, sum(l.amount) FROM document AS d
        LEFT JOIN billing_line AS l ON l.customer_id = d.customer_id AND l.document_id = d.id
        GROUP BY d.customer_id, d.id, d.subtotal HAVING count(l.id) = 0 OR sum(l.amount) <> d.subtotal""",
    "a document's total is not its lines and tax": """
        SELECT id, subtotal, tax, total FROM document WHERE total <> subtotal + tax""",
    "a document's amount due is not its total less credit": """
        SELECT id, total, credit_applied, amount_due FROM document
        WHERE credit_applied < 0
           OR amount_due <> CASE WHEN total > 0 THEN total ELSE 0 END - credit_applied""",
    "the lines of a document are not numbered from 0": """
        SELECT document_id FROM billing_line WHERE document_id IS NOT NULL GROUP BY customer_id, document_id
        HAVING min(position) <> 0 OR max(position) <> count(*) - 1 OR count(DISTINCT position) <> count(*)""",
    "a line was credited for more than it charged": """
        SELECT c.id, c.amount, sum(r.amount) FROM billing_line AS c
        JOIN billing_line AS r ON r.customer_id = c.customer_id AND r.reverses = c.id
        GROUP BY c.customer_id, c.id, c.amount HAVING c.amount + sum(r.amount) < 0""",
    "a series of numbers has a gap": """
        SELECT s.series, s.last, count(n.value) FROM number_series AS s
        LEFT JOIN number AS n ON n.series = s.series GROUP BY s.series, s.last
        HAVING count(n.value) <> s.last OR min(n.value) <> 1 OR max(n.value) <> s.last""",
    "a number without its document": """
        SELECT series, value, document_id FROM number EXCEPT SELECT series, sequence, id FROM document""",
    "a document without its number": """
        SELECT series, sequence, id FROM document EXCEPT SELECT series, value, document_id FROM number""",
    "the credit balance is not the sum of its entries": """
        SELECT c.customer_id, c.credit FROM customer AS c
        LEFT JOIN credit_entry AS e ON e.customer_id = c.customer_id
        GROUP BY c.customer_id, c.credit HAVING c.credit <> coalesce(sum(e.amount), 0) OR c.credit < 0""",
    "a document moved other credit than it says": """
        SELECT d.id, d.credit_added, d.credit_applied FROM document AS d
        LEFT JOIN credit_entry AS e ON e.customer_id = d.customer_id AND e.document_id = d.id
        GROUP BY d.customer_id, d.id, d.credit_added, d.credit_applied
        HAVING d.credit_added - d.credit_applied <> coalesce(sum(e.amount), 0)""",
    "a credit note gives back another amount than its total": """
        SELECT d.id, d.total, d.credit_added FROM document AS d
        LEFT JOIN reduction AS r ON r.customer_id = d.customer_id AND r.credit_note_id = d.id
        WHERE d.kind = 'CREDIT_NOTE' GROUP BY d.customer_id, d.id, d.total, d.credit_added
        HAVING d.total >= 0 OR d.total + d.credit_added + coalesce(sum(r.amount), 0) <> 0""",
    "an invoice without its receivable": """
        SELECT id FROM document WHERE kind = 'INVOICE' EXCEPT SELECT invoice_id FROM receivable""",
    "what is open is not what is due less payments and credits": """
        SELECT r.invoice_id, r.open FROM receivable AS r
        JOIN document AS d ON d.customer_id = r.customer_id AND d.id = r.invoice_id
        WHERE r.open <> d.amount_due - r.paid - r.credited OR r.open < 0
           OR r.paid <> (SELECT coalesce(sum(p.amount), 0) FROM payment AS p
                         WHERE p.customer_id = r.customer_id AND p.invoice_id = r.invoice_id)
           OR r.credited <> (SELECT coalesce(sum(x.amount), 0) FROM reduction AS x
                             WHERE x.customer_id = r.customer_id AND x.invoice_id = r.invoice_id)
           OR (r.status = 'PAID' AND r.open <> 0) OR (r.status = 'OPEN' AND r.open = 0)""",
    "two postings made one version of a subscription": """
        SELECT object_id, CAST(detail AS text) FROM audit WHERE action = 'subscription.posted'
        GROUP BY customer_id, object_id, CAST(detail AS text) HAVING count(*) > 1""",
    "the news of an object are not numbered from 1": """
        SELECT object_id FROM outbox GROUP BY customer_id, object_id
        HAVING min(sequence) <> 1 OR max(sequence) <> count(*)""",
    "a document cannot be rendered, or is rendered and waits": """
        SELECT d.id FROM document AS d
        LEFT JOIN document_view AS v ON v.customer_id = d.customer_id AND v.document_id = d.id
        LEFT JOIN document_file AS f ON f.customer_id = d.customer_id AND f.document_id = d.id
        LEFT JOIN render_job AS j ON j.customer_id = d.customer_id AND j.document_id = d.id
        WHERE v.view IS NULL OR (f.sha256 IS NULL) = (j.run_at IS NULL)""",
}  # fmt: skip


async def problems(url: str) -> list[str]:
    """What is wrong with the books of a database, a sentence each, by these checks and by the doctor's; an
    empty list when nothing is.
    """
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            sqlite = connection.dialect.name == "sqlite"
            await connection.exec_driver_sql(
                "BEGIN" if sqlite else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            )
            here = await connection.run_sync(lambda sync: list(found(sync)))
    finally:
        await engine.dispose()
    doctor = await examine(url)
    return here + [
        f"{verdict.promise} Not so: {verdict.broken}, {verdict.first}" for verdict in doctor.broken
    ]


def found(connection: Connection) -> Iterator[str]:
    """The same, in a transaction of the caller."""
    for name, statement in CHECKS.items():
        rows = connection.execute(text(statement)).all()
        if rows:
            yield f"{name}: {len(rows)}, such as {tuple(rows[0])}"
    yield from taxes_wrong(connection)
    yield from outcomes_wrong(connection)
    yield from files_wrong(connection)


def taxes_wrong(connection: Connection) -> Iterator[str]:
    """Tax is rounded once for each rate, half away from zero; the bases of all rates are the subtotal."""
    for row in connection.execute(text("SELECT id, subtotal, tax, taxes FROM document")):
        taxes = parsed(row.taxes)
        bases, amounts = sum(base for _, base, _ in taxes), sum(amount for *_, amount in taxes)
        wrong = [t for t in taxes if t[2] != rounded(Decimal(t[1]) * Decimal(t[0]["rate"]) / 100)]
        if wrong or (bases, amounts) != (row.subtotal, row.tax):
            yield f"the taxes of a document do not add up: {row.id}"


def outcomes_wrong(connection: Connection) -> Iterator[str]:
    """What a key is remembered to have made is there, and no two keys made one document."""
    documents = {str(row.id) for row in connection.execute(text("SELECT id FROM document"))}
    made: set[str] = set()
    for row in connection.execute(text("SELECT key, outcome FROM idempotency")):
        outcome = parsed(row.outcome)
        for document in filter(None, (outcome.get("invoice"), outcome.get("credit_note"))):
            if document not in documents or document in made:
                yield f"a key stands for a document that is missing or another key's: {row.key}"
            made.add(document)


def files_wrong(connection: Connection) -> Iterator[str]:
    """The bytes of a rendered document are those of its hash."""
    for row in connection.execute(text("SELECT document_id, sha256, size, content FROM document_file")):
        if (hashlib.sha256(row.content).hexdigest(), len(row.content)) != (row.sha256, row.size):
            yield f"the bytes of a file are not those of its hash: {row.document_id}"


def parsed(stored: Any) -> Any:
    """JSON as it was stored: text on SQLite; on PostgreSQL the driver may have read it already."""
    return json.loads(stored) if isinstance(stored, str) else stored


def rounded(amount: Decimal) -> int:
    """Whole minor units, half away from zero."""
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))
