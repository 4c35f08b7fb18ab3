"""Checks of documents and their lines: sums, taxes, numbers, and that what is final stays as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import orjson
from sqlalchemy.engine import Row

from app.billing.lines import MINUS
from app.billing.money import CURRENCIES, Money, rounded
from app.billing.pricing import Part, exact_amount
from app.billing.taxes import tax_of
from app.store.checks.check import Broken, Check, named
from app.store.columns import Exact, Json
from app.store.frozen import from_json

KEY: Final = ("customer_id", "id")
BETWEEN: Final = "|"


def taxes_wrong(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Documents whose taxes are not those of their lines: a row for each document and treatment."""
    for _, group in groupby(rows, key=attrgetter("id")):
        treatments = list(group)
        document = treatments[0]
        currency = CURRENCIES[document.currency]
        said = {
            (taxed["category"], Decimal(taxed["rate"]), taxed["label"]): (base, amount)
            for taxed, base, amount in document.taxes
        }
        made = {}
        for row in treatments:
            amount = tax_of(Money(row.base, currency), row.tax_rate).minor
            made[row.tax_category, row.tax_rate, row.tax_label] = (row.base, amount)
        tax = sum(amount for _, amount in made.values())
        if said != made or tax != document.tax:
            sentence = f"{document.number} says tax {document.tax}, its lines make {tax}"
            yield named(document, KEY, sentence)


def files_wrong(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Files whose bytes are not those of their hash."""
    for row in rows:
        digest = sha256(row.content).hexdigest()
        if (digest, len(row.content)) != (row.sha256, row.size):
            kept, found = f"{row.size} bytes of {row.sha256}", f"{len(row.content)} of {digest}"
            yield named(row, KEY, f"the PDF of {row.number} is kept as {kept}, and is {found}")


def views_wrong(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Views that are of another document, or show other lines."""
    for row in rows:
        view = orjson.loads(row.view)
        groups = (group["lines"] for group in view.get("groups", ()))
        shown = sorted(unsigned(line["formula"]) for lines in groups for line in lines)
        lines = sorted(unsigned(formula) for formula in (row.formulas or "").split(BETWEEN))
        if (view.get("number"), shown) != (row.number, lines):
            told = f"its page shows {', '.join(shown) or 'no line'} on {view.get('number')}"
            yield named(row, KEY, f"{row.number} has {', '.join(lines)}; {told}")


def unsigned(formula: str) -> str:
    """A formula without its sign: what a credit note gives back has no minus on its page."""
    inner = formula.removeprefix(MINUS)
    return inner[1:-1] if inner.startswith("(") and inner.endswith(")") else inner


def amounts_wrong(rows: Iterable[Row[Any]]) -> Iterator[Broken]:
    """Charges whose amount is not their parts times their share, rounded once."""
    for row in rows:
        share = Fraction(row.numerator, row.denominator) if row.numerator is not None else Fraction(1)
        exact = exact_amount(from_json(row.parts, tuple[Part, ...])) * share
        amount = rounded(exact, CURRENCIES[row.currency])
        if amount.minor != row.amount:
            yield named(row, KEY, f"{row.formula} comes to {amount.minor}, the line says {row.amount}")


CHECKS: Final = (
    Check(
        "documents.subtotal", "I6", "A document's subtotal is the sum of its lines.",
        """
        SELECT d.customer_id, d.id, d.number, d.subtotal,
               CAST(coalesce(sum(l.amount), 0) AS bigint) AS amounts, count(l.id) AS lines
        FROM document AS d
        LEFT JOIN billing_line AS l ON l.customer_id = d.customer_id AND l.document_id = d.id
        WHERE {of d} GROUP BY d.customer_id, d.id, d.number, d.subtotal
        HAVING count(l.id) = 0 OR sum(l.amount) <> d.subtotal""",
        "{number} says {subtotal}, its {lines} lines come to {amounts}",
    ),
    Check(
        "documents.taxes", "I6", "A document's taxes are rounded once for each rate, on their lines' sum.",
        """
        SELECT d.customer_id, d.id, d.number, d.currency, d.tax, d.taxes,
               l.tax_category, l.tax_rate, l.tax_label, CAST(sum(l.amount) AS bigint) AS base
        FROM document AS d JOIN billing_line AS l ON l.customer_id = d.customer_id AND l.document_id = d.id
        WHERE {of d}
        GROUP BY d.customer_id, d.id, d.number, d.currency, d.tax, d.taxes,
                 l.tax_category, l.tax_rate, l.tax_label""",
        types={"taxes": Json(), "tax_rate": Exact()},
        judge=taxes_wrong,
    ),
    Check(
        "documents.total", "I6", "A document's total is its subtotal and tax.",
        """
        SELECT d.customer_id, d.id, d.number, d.subtotal, d.tax, d.total FROM document AS d
        WHERE {of d} AND (d.total <> d.subtotal + d.tax
            OR (d.kind = 'INVOICE') <> (d.total > 0))""",
        "{number} says {subtotal} and tax {tax}, and {total} in all",
    ),
    Check(
        "documents.due", "I6", "An invoice's amount due is its total less the credit that it uses.",
        """
        SELECT d.customer_id, d.id, d.number, d.total, d.credit_applied, d.amount_due FROM document AS d
        WHERE {of d} AND (d.credit_applied < 0 OR d.amount_due < 0
            OR d.amount_due <> CASE WHEN d.total > 0 THEN d.total ELSE 0 END - d.credit_applied)""",
        "{number} is over {total} with {credit_applied} of credit, and {amount_due} is due",
    ),
    Check(
        "documents.positions", "I6", "The lines of a document are numbered from 0, each with its sentence.",
        """
        SELECT l.customer_id, l.document_id AS id, count(*) AS lines, min(l.position) AS first,
               max(l.position) AS last, count(l.description) AS described
        FROM billing_line AS l WHERE {of l} AND l.document_id IS NOT NULL
        GROUP BY l.customer_id, l.document_id
        HAVING coalesce(min(l.position), -1) <> 0 OR max(l.position) <> count(*) - 1
            OR count(DISTINCT l.position) <> count(*) OR count(l.description) <> count(*)""",
        "its {lines} lines stand at {first} to {last}, {described} of them described",
    ),
    Check(
        "lines.waiting", "I6", "A line that waits has neither place nor sentence.",
        """
        SELECT l.customer_id, l.id, l.position FROM billing_line AS l
        WHERE {of l} AND l.document_id IS NULL
          AND (l.position IS NOT NULL OR l.description IS NOT NULL)""",
        "this line is on no document, and stands at {position}",
    ),
    Check(
        "lines.amount", "I13", "A charge in advance is what its formula shows: parts × share, rounded once.",
        """
        SELECT l.customer_id, l.id, l.parts, l.numerator, l.denominator, l.amount, l.formula, c.currency
        FROM billing_line AS l JOIN customer AS c ON c.customer_id = l.customer_id
        WHERE {of l} AND l.kind IN ('PERIOD', 'ADDED', 'CHANGED')""",
        types={"parts": Json()},
        judge=amounts_wrong,
    ),
    Check(
        "lines.credited", "I3", "No line is given back for more than it charged.",
        """
        SELECT l.customer_id, l.id, l.amount, CAST(sum(r.amount) AS bigint) AS credits
        FROM billing_line AS l JOIN billing_line AS r ON r.customer_id = l.customer_id AND r.reverses = l.id
        WHERE {of l} AND NOT {reissued r} GROUP BY l.customer_id, l.id, l.amount
        HAVING l.amount + sum(r.amount) < 0 OR max(r.amount) > 0""",
        "the line charged {amount}, its credits come to {credits}",
    ),
    Check(
        "documents.numbered", "I7", "Every document has its number in its series.",
        """
        SELECT d.customer_id, d.id, d.number, d.series, d.sequence FROM document AS d
        LEFT JOIN number AS n ON n.series = d.series AND n.value = d.sequence AND n.document_id = d.id
        WHERE {of d} AND n.document_id IS NULL""",
        "{number} is {sequence} of {series}, where that is not kept for it",
    ),
    Check(
        "documents.page", "I13", "A document's page is kept, and shows the number and lines of the document.",
        """
        SELECT d.customer_id, d.id, d.number, coalesce(v.view, '{}') AS view, (
            SELECT {joined}(l.formula, '|') FROM billing_line AS l
            WHERE l.customer_id = d.customer_id AND l.document_id = d.id) AS formulas
        FROM document AS d
        LEFT JOIN document_view AS v ON v.customer_id = d.customer_id AND v.document_id = d.id
        WHERE {of d}""",
        judge=views_wrong,
    ),
    Check(
        "documents.file", "I8", "The bytes of a PDF are those of its SHA-256.",
        """
        SELECT f.customer_id, f.document_id AS id, d.number, f.sha256, f.size, f.content
        FROM document_file AS f JOIN document AS d ON d.customer_id = f.customer_id AND d.id = f.document_id
        WHERE {of f}""",
        judge=files_wrong,
    ),
    Check(
        "documents.rendered", "I14", "Every document is rendered, or waits to be.",
        """
        SELECT d.customer_id, d.id, d.number FROM document AS d
        LEFT JOIN document_file AS f ON f.customer_id = d.customer_id AND f.document_id = d.id
        LEFT JOIN render_job AS j ON j.customer_id = d.customer_id AND j.document_id = d.id
        WHERE {of d} AND (f.document_id IS NULL) = (j.document_id IS NULL)""",
        "{number} has no PDF and waits for none, or has one and waits",
    ),
)  # fmt: skip
