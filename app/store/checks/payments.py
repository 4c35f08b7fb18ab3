"""Checks of what a gateway collects: money is taken for what was made, and for nothing else."""

from __future__ import annotations

from typing import Final

from app.store.checks.check import Check

CHECKS: Final = (
    Check(
        "payments.changes", "I1", "A change that is paid first is made with its payment, or neither is.",
        """
        SELECT p.customer_id, p.id, p.status, p.amount,
               CAST(coalesce(sum(m.amount), 0) AS bigint) AS paid, count(m.id) AS payments
        FROM pending_change AS p
        LEFT JOIN payment AS m ON m.customer_id = p.customer_id AND m.reference = CAST(p.id AS text)
        WHERE {of p} GROUP BY p.customer_id, p.id, p.status, p.amount, p.reason
        HAVING count(m.id) > 1 OR coalesce(sum(m.amount), 0) <>
            CASE WHEN p.status = 'APPLIED' AND p.reason IS NULL THEN p.amount ELSE 0 END""",
        "the change of {amount} is {status}, and {payments} payments of {paid} are recorded for it",
    ),
    Check(
        "payments.collected", "I1", "An invoice that was collected is paid, with one payment of its intent.",
        """
        SELECT c.customer_id, c.invoice_id, r.status, count(m.id) AS payments FROM collection AS c
        LEFT JOIN receivable AS r ON r.customer_id = c.customer_id AND r.invoice_id = c.invoice_id
        LEFT JOIN payment AS m ON m.customer_id = c.customer_id AND m.reference = CAST(c.intent AS text)
        WHERE {of c} AND c.status = 'COLLECTED'
        GROUP BY c.customer_id, c.invoice_id, c.intent, r.status
        HAVING r.status IS NULL OR r.status <> 'PAID' OR (c.intent IS NOT NULL AND count(m.id) <> 1)""",
        "the invoice counts as collected, is {status}, and has {payments} payments of its intent",
        key=("customer_id", "invoice_id"),
    ),
)  # fmt: skip
