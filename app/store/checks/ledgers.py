"""Checks of sums that are kept beside ledgers: seats and holders, credit, and what is open on invoices."""

from __future__ import annotations

from typing import Final

from app.store.checks.check import Check

CHECKS: Final = (
    Check(
        "seats.level", "I2", "A seat level is the sum of its events.",
        """
        WITH sums AS (
            SELECT customer_id, metric, kind, CAST(sum(added - removed) AS bigint) AS folded
            FROM seat_event AS e WHERE {of e} GROUP BY customer_id, metric, kind)
        SELECT l.customer_id, l.metric, l.kind, l.balance, coalesce(s.folded, 0) AS folded
        FROM seat_level AS l LEFT JOIN sums AS s
            ON s.customer_id = l.customer_id AND s.metric = l.metric AND s.kind = l.kind
        WHERE {of l} AND l.balance <> coalesce(s.folded, 0)
        UNION ALL
        SELECT s.customer_id, s.metric, s.kind, 0 AS balance, s.folded
        FROM sums AS s LEFT JOIN seat_level AS l
            ON l.customer_id = s.customer_id AND l.metric = s.metric AND l.kind = s.kind
        WHERE l.customer_id IS NULL AND s.folded <> 0""",
        "the level of {metric} ({kind}) is {balance}, its events come to {folded}",
        key=("customer_id", "metric", "kind"),
    ),
    Check(
        "seats.checkpoint", "I2", "A checkpoint holds the balance before it, and how many events follow it.",
        """
        WITH merged AS (
            SELECT customer_id, metric, kind, effective_at AS at, id, 0 AS mark, added - removed AS net,
                   1 AS one, 0 AS opening, 0 AS events
            FROM seat_event AS e WHERE {of e}
            UNION ALL
            SELECT customer_id, metric, kind, from_at, from_id, 1, 0, 0, opening, events
            FROM seat_checkpoint AS p WHERE {of p}
        ), running AS (
            SELECT m.*, CAST(sum(net) OVER w AS bigint) AS before, CAST(sum(one) OVER w AS bigint) AS seen,
                   CAST(sum(one) OVER (PARTITION BY customer_id, metric, kind) AS bigint) AS together
            FROM merged AS m
            WINDOW w AS (PARTITION BY customer_id, metric, kind ORDER BY at, id, mark DESC
                         ROWS UNBOUNDED PRECEDING)
        ), stretches AS (
            SELECT r.*, lead(seen, 1, together) OVER (
                       PARTITION BY customer_id, metric, kind ORDER BY at, id) - seen AS counted
            FROM running AS r WHERE mark = 1
        )
        SELECT customer_id, metric, kind, opening, before, events, counted FROM stretches
        WHERE opening <> before OR events <> counted""",
        "it says {opening} before {events} events, where {before} and {counted} are",
        key=("customer_id", "metric", "kind"),
    ),
    Check(
        "seats.never_negative", "I2", "A balance of seats was at no instant below 0.",
        """
        SELECT customer_id, id, metric, kind, balance FROM (
            SELECT customer_id, id, metric, kind, CAST(sum(added - removed) OVER (
                PARTITION BY customer_id, metric, kind ORDER BY effective_at) AS bigint) AS balance
            FROM seat_event AS e WHERE {of e}) AS folded
        WHERE balance < 0""",
        "after this event the balance of {metric} ({kind}) was {balance}",
    ),
    Check(
        "seats.holder", "I2", "A holder's seats are the sum of the events that name the holder.",
        """
        WITH sums AS (
            SELECT customer_id, metric, holder, CAST(sum(added - removed) AS bigint) AS folded
            FROM seat_event AS e WHERE {of e} AND kind = 'IN_USE' AND holder IS NOT NULL
            GROUP BY customer_id, metric, holder)
        SELECT h.customer_id, h.metric, h.holder, h.seats, coalesce(s.folded, 0) AS folded
        FROM seat_holder AS h LEFT JOIN sums AS s
            ON s.customer_id = h.customer_id AND s.metric = h.metric AND s.holder = h.holder
        WHERE {of h} AND h.seats <> coalesce(s.folded, 0)
        UNION ALL
        SELECT s.customer_id, s.metric, s.holder, 0 AS seats, s.folded
        FROM sums AS s LEFT JOIN seat_holder AS h
            ON h.customer_id = s.customer_id AND h.metric = s.metric AND h.holder = s.holder
        WHERE h.customer_id IS NULL AND s.folded > 0""",
        "{holder} holds {seats} of {metric}, the events come to {folded}",
        key=("customer_id", "metric", "holder"),
    ),
    Check(
        "credit.balance", "I1", "A customer's credit is the sum of its entries, and never below 0.",
        """
        SELECT c.customer_id, c.customer_id AS id, c.credit,
               CAST(coalesce(sum(e.amount), 0) AS bigint) AS entries
        FROM customer AS c LEFT JOIN credit_entry AS e ON e.customer_id = c.customer_id
        WHERE {of c} GROUP BY c.customer_id, c.credit
        HAVING c.credit <> coalesce(sum(e.amount), 0) OR c.credit < 0""",
        "the credit is {credit}, its entries come to {entries}",
        key=("customer_id",),
    ),
    Check(
        "credit.moved", "I1", "A document moves the credit that it says; a void one gave it back.",
        """
        SELECT d.customer_id, d.id, d.number, d.credit_added, d.credit_applied,
               CAST(coalesce(sum(e.amount), 0) AS bigint) AS entries
        FROM document AS d
        LEFT JOIN credit_entry AS e ON e.customer_id = d.customer_id AND e.document_id = d.id
        LEFT JOIN receivable AS r ON r.customer_id = d.customer_id AND r.invoice_id = d.id
        WHERE {of d} GROUP BY d.customer_id, d.id, d.number, d.credit_added, d.credit_applied, r.status
        HAVING CASE WHEN r.status = 'VOID' THEN 0 ELSE d.credit_added - d.credit_applied END
            <> coalesce(sum(e.amount), 0)""",
        "{number} says {credit_added} added and {credit_applied} applied, its entries come to {entries}",
    ),
    Check(
        "credit.given_back", "I1", "A credit note gives back its total: off invoices, the rest as credit.",
        """
        SELECT d.customer_id, d.id, d.number, d.total, d.credit_added,
               CAST(coalesce(sum(r.amount), 0) AS bigint) AS reduced
        FROM document AS d
        LEFT JOIN reduction AS r ON r.customer_id = d.customer_id AND r.credit_note_id = d.id
        WHERE {of d} AND d.kind = 'CREDIT_NOTE'
        GROUP BY d.customer_id, d.id, d.number, d.total, d.credit_added
        HAVING d.total >= 0 OR d.total + d.credit_added + coalesce(sum(r.amount), 0) <> 0""",
        "{number} is over {total}; {reduced} went off invoices and {credit_added} to the credit",
    ),
    Check(
        "receivable.kept", "I1", "Every invoice has a row for what is open on it.",
        """
        SELECT d.customer_id, d.id, d.number FROM document AS d
        LEFT JOIN receivable AS r ON r.customer_id = d.customer_id AND r.invoice_id = d.id
        WHERE {of d} AND d.kind = 'INVOICE' AND r.invoice_id IS NULL""",
        "{number} has no receivable",
    ),
    Check(
        "receivable.open", "I1", "What is open on an invoice is what is due less payments and credits.",
        """
        SELECT r.customer_id, r.invoice_id AS id, d.number, r.status, d.amount_due, r.paid, r.credited, r.open
        FROM receivable AS r JOIN document AS d ON d.customer_id = r.customer_id AND d.id = r.invoice_id
        WHERE {of r} AND (
            r.open <> d.amount_due - r.paid - r.credited OR r.open < 0
            OR r.paid <> (SELECT coalesce(sum(p.amount), 0) FROM payment AS p
                          WHERE p.customer_id = r.customer_id AND p.invoice_id = r.invoice_id)
            OR r.credited <> (SELECT coalesce(sum(x.amount), 0) FROM reduction AS x
                              WHERE x.customer_id = r.customer_id AND x.invoice_id = r.invoice_id)
            OR (r.status = 'PAID' AND r.open <> 0) OR (r.status = 'OPEN' AND r.open = 0))""",
        "{number} is {status}: due {amount_due}, paid {paid}, credited {credited}, open {open}",
    ),
    Check(
        "currency.one", "I1", "A customer has one currency: all documents are in it.",
        """
        SELECT d.customer_id, d.id, d.number, d.currency, c.currency AS own
        FROM document AS d JOIN customer AS c ON c.customer_id = d.customer_id
        WHERE {of d} AND d.currency <> c.currency""",
        "{number} is in {currency}, the customer's currency is {own}",
    ),
)  # fmt: skip
