"""Damages to sound books, one for each check of the doctor, as statements that return what it has to name."""

from __future__ import annotations

from typing import Final

from app.store.checks import BY_CUSTOMER, check
from app.store.metadata import metadata

NOBODY: Final = "00000000-0000-7000-8000-000000000000"
NOTE: Final = "(SELECT id FROM document WHERE kind = 'CREDIT_NOTE')"
LATEST: Final = "(SELECT id FROM document WHERE kind = 'INVOICE' ORDER BY id DESC LIMIT 1)"
NAMED: Final = "(SELECT id FROM seat_event WHERE holder IS NOT NULL ORDER BY id LIMIT 1)"
ADDED: Final = "(SELECT id FROM billing_line WHERE kind = 'ADDED')"
CHARGED: Final = "(SELECT id FROM billing_line WHERE kind = 'PERIOD' AND amount > 0 ORDER BY id LIMIT 1)"
LINE: Final = (
    "INSERT INTO billing_line SELECT {columns} FROM billing_line WHERE kind = 'PERIOD' ORDER BY id LIMIT 1 "
    "RETURNING {returned}"
)

DAMAGES: Final = {
    "seats.level": "UPDATE seat_level SET balance = balance + 1 WHERE kind = 'IN_USE' RETURNING metric",
    "seats.checkpoint": (
        "UPDATE seat_checkpoint SET events = events + 1 WHERE kind = 'COMMITTED' RETURNING metric"
    ),
    "seats.never_negative": f"UPDATE seat_event SET removed = removed + 90 WHERE id = {NAMED} RETURNING id",
    "seats.holder": "UPDATE seat_holder SET seats = seats + 1 RETURNING holder",
    "credit.balance": "UPDATE customer SET credit = credit + 1 RETURNING customer_id",
    "credit.moved": (
        f"INSERT INTO credit_entry SELECT customer_id, '{NOBODY}', 5, id, issued_at, recorded_at "
        f"FROM document WHERE id = {NOTE} RETURNING document_id"
    ),
    "credit.given_back": (
        f"UPDATE document SET credit_added = credit_added + 1 WHERE id = {NOTE} RETURNING id"
    ),
    "receivable.kept": f"DELETE FROM receivable WHERE invoice_id = {LATEST} RETURNING invoice_id",
    "receivable.open": (
        f"UPDATE receivable SET open = open - 1 WHERE invoice_id = {LATEST} RETURNING invoice_id"
    ),
    "currency.one": f"UPDATE document SET currency = 'CHF' WHERE id = {LATEST} RETURNING id",
    "documents.subtotal": (
        f"UPDATE billing_line SET amount = amount + 1 WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.taxes": (
        f"UPDATE billing_line SET tax_label = 'Toll' WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.total": f"UPDATE document SET tax = tax + 1 WHERE id = {LATEST} RETURNING id",
    "documents.due": f"UPDATE document SET amount_due = amount_due - 1 WHERE id = {LATEST} RETURNING id",
    "documents.positions": (
        f"UPDATE billing_line SET position = position + 1 WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.numbered": f"UPDATE document SET sequence = sequence + 90 WHERE id = {LATEST} RETURNING id",
    "documents.page": (
        "UPDATE document_view SET view = replace(view, ' seats × ', ' chairs × ') "
        f"WHERE document_id = {LATEST} RETURNING document_id"
    ),
    "documents.file": "UPDATE document_file SET content = {bytes} RETURNING document_id",
    "documents.rendered": "DELETE FROM document_file RETURNING document_id",
    "lines.waiting": f"UPDATE billing_line SET document_id = NULL WHERE id = {ADDED} RETURNING id",
    "lines.amount": f"UPDATE billing_line SET amount = amount + 1 WHERE id = {CHARGED} RETURNING id",
    "lines.credited": (
        "UPDATE billing_line SET amount = amount - 100000 WHERE reverses IS NOT NULL RETURNING reverses"
    ),
    "lines.events": f"DELETE FROM line_event WHERE line_id = {ADDED} RETURNING line_id",
    "periods.tile": LINE,
    "periods.once": LINE,
    "segments.tile": (
        f"INSERT INTO segment SELECT customer_id, '{NOBODY}', subscription_id, metric, price_id, "
        "period_start + 1{us}, period_end, full_start, full_end, opened_at, zone, seat_limit, recorded_at "
        "FROM segment RETURNING id"
    ),
    "keys.effect": f"UPDATE idempotency SET outcome = {{outcome:{NOBODY}}} RETURNING key",
    "keys.once": (
        "INSERT INTO idempotency SELECT customer_id, mutation, 'another key', fingerprint, outcome, "
        "recorded_at FROM idempotency ORDER BY key DESC LIMIT 1 RETURNING key"
    ),
    "payments.changes": "UPDATE pending_change SET status = 'APPLIED', reason = NULL RETURNING id",
    "payments.collected": "UPDATE collection SET status = 'COLLECTED' RETURNING invoice_id",
    "versions.posted": "UPDATE subscription SET version = version + 1 RETURNING id",
    "chain.links": "UPDATE audit SET actor = 'nobody' WHERE position = 2 RETURNING id",
    "chain.deployment": "UPDATE deployment_audit SET action = 'nothing' RETURNING id",
    "outbox.documents": f"DELETE FROM outbox WHERE object_id = {LATEST} RETURNING object_id",
    "outbox.sequence": "UPDATE outbox SET sequence = sequence + 90 RETURNING object_id",
    "sessions.member": f"UPDATE portal_session SET member_id = '{NOBODY}' RETURNING member_id",
    "due.scheduled": "UPDATE subscription SET due_at = due_at + 1{us} RETURNING id",
    "due.ended": "UPDATE subscription SET status = 'ENDED' WHERE due_at IS NOT NULL RETURNING id",
    "customers.named": (
        f"UPDATE customer_reference SET customer_id = '{NOBODY}' WHERE reference = 'acme' RETURNING reference"
    ),
    "numbers.gapless": (
        "UPDATE number_series SET last = last + 1 WHERE series = 'DEMO-CRN' RETURNING series"
    ),
    "numbers.series": "DELETE FROM number_series WHERE series = 'DEMO-CRN' RETURNING series",
    "numbers.documents": f"INSERT INTO number VALUES ('DEMO-INV', 4, '{NOBODY}') RETURNING series",
}
"""One row, or several alike, made wrong behind the database's back; each statement returns what the doctor
has to name.
"""


def audits() -> dict[str, str]:
    """A row of each ledger recorded at an instant of which the audit knows nothing."""
    names = [each.name for each in BY_CUSTOMER if each.name.startswith("audit.")]
    return {
        name: f"UPDATE {name.partition('.')[2]} SET recorded_at = recorded_at + 1{{us}} RETURNING id"
        for name in names
    }


def orphans() -> dict[str, str]:
    """A row of each table led to nothing by each of its references."""
    damages = {}
    for each in BY_CUSTOMER:
        head, _, rest = each.name.partition(".")
        if head == "references":
            table, column = rest.split(".")
            first = f"{column} = (SELECT min({{text:{column}}}) FROM {table})"
            where = f"id = {CHARGED}" if column == "reissues" else first  # Nothing was reissued there.
            damages[each.name] = f"UPDATE {table} SET {column} = '{NOBODY}' WHERE {where} RETURNING {column}"
    return damages


ALL_DAMAGES: Final = {**DAMAGES, **audits(), **orphans()}

SEGMENT: Final = f"""
    INSERT INTO segment SELECT customer_id, '{NOBODY[:-1]}1', id, 'editor', price_id, period_start,
    period_end, full_start, full_end, period_start, zone, NULL, started_at
    FROM subscription ORDER BY id LIMIT 1"""
"""A stretch of use, so that there is one to damage."""


def for_engine(statement: str, url: str, name: str) -> str:
    """A damage in the words of an engine."""
    sqlite = url.startswith("sqlite")
    words = check.DIALECTS["sqlite" if sqlite else "postgresql"]
    columns = [
        {
            "id": f"'{NOBODY}'",
            "cycle": "cycle + 1" if name == "periods.tile" else "cycle",
            "period_start": f"period_start + 1{words['microseconds']}"
            if name == "periods.tile"
            else "period_end",
        }.get(column.name, column.name)
        for column in metadata.tables["billing_line"].columns
    ]
    made = f'{{"invoice": "{NOBODY}", "credit_note": null}}'
    replaced = {
        "{us}": words["microseconds"],
        "{bytes}": "x'00'" if sqlite else r"'\x00'",
        "{columns}": ", ".join(columns),
        "{returned}": "id" if name == "periods.tile" else "subscription_id",
        f"{{outcome:{NOBODY}}}": f"'{made}'",
    }
    for word, means in replaced.items():
        statement = statement.replace(word, means)
    while "{text:" in statement:
        before, _, rest = statement.partition("{text:")
        column, _, after = rest.partition("}")
        # PostgreSQL has no smallest id, but a smallest text.
        statement = f"{before}{column}{'' if sqlite else '::text'}{after}"
    return statement if sqlite else statement.replace("= (SELECT min(", "::text = (SELECT min(")
