"""Checks of subscriptions and of what goes with every commit: periods, versions, keys, news, audit."""

from __future__ import annotations

from typing import Final

from app.store.checks.check import Check
from app.store.metadata import metadata
from app.store.tables import APPEND_ONLY, DEPLOYMENT_TABLES, audit

PERIODS: Final = """
    SELECT customer_id, id, subscription_id, item, period_start, period_end, effective_at AS at
    FROM billing_line AS l WHERE {of l} AND kind = 'PERIOD' AND NOT {reissued l}"""
SEGMENTS: Final = """
    SELECT customer_id, id, subscription_id, metric AS item, period_start, period_end, period_end AS at
    FROM segment AS g WHERE {of g}"""
TILING: Final = """
    SELECT n.customer_id, n.id, n.item,
           CASE WHEN n.period_start < n.before_end THEN 'before' ELSE 'after' END AS begins
    FROM (
        SELECT p.customer_id, p.id, p.subscription_id, p.item, p.period_start, p.at,
               lag(p.period_end) OVER w AS before_end, lag(p.at) OVER w AS before_at
        FROM ({rows}) AS p
        WINDOW w AS (PARTITION BY p.customer_id, p.subscription_id, p.item ORDER BY p.period_start, p.id)
    ) AS n
    WHERE n.before_end IS NOT NULL AND n.period_start <> n.before_end AND NOT EXISTS (
        SELECT 1 FROM terms AS t
        WHERE t.customer_id = n.customer_id AND t.subscription_id = n.subscription_id AND {changed})"""
"""What does not begin where its neighbour before it ended, although the terms did not change between."""
SINCE_LINE: Final = "t.effective_at > n.before_at AND t.effective_at <= n.at"
SINCE_SEGMENT: Final = "t.effective_at >= n.before_end AND t.effective_at < n.at"
RECORDED: Final = """
    SELECT {columns} FROM "{table}" AS r WHERE {of r} AND NOT EXISTS (
        SELECT 1 FROM audit AS a WHERE a.customer_id = r.customer_id AND a.recorded_at = r.recorded_at)"""


def audited(table: str) -> Check:
    """Everything recorded in a ledger has an audit row of the same commit."""
    key = tuple(column.name for column in metadata.tables[table].primary_key)
    columns = ", ".join(f"r.{name}" for name in key)
    return Check(
        f"audit.{table}",
        "I10",
        f"Every commit that adds to {table} adds to the audit.",
        RECORDED.replace("{columns}", columns).replace("{table}", table),
        f"no audit row was recorded with this row of {table}",
        key=key,
    )


AUDITED: Final = tuple(
    table.name
    for table in (*APPEND_ONLY, metadata.tables["billing_line"])
    if "recorded_at" in table.c and table.name not in DEPLOYMENT_TABLES and table is not audit
)

CHECKS: Final = (
    Check(
        "periods.tile", "I3", "The periods of an item that are billed in advance meet: no gap, no overlap.",
        TILING.replace("{rows}", PERIODS).replace("{changed}", SINCE_LINE),
        "this line of {item} begins {begins} the end of the line before it, under the same terms",
    ),
    Check(
        "segments.tile", "I3", "The segments of use that are billed meet: no gap, no overlap.",
        TILING.replace("{rows}", SEGMENTS).replace("{changed}", SINCE_SEGMENT),
        "this segment of {item} begins {begins} the end of the segment before it, under the same terms",
    ),
    Check(
        "periods.once", "I4", "A period of a subscription is billed once for each item.",
        """
        SELECT l.customer_id, l.subscription_id AS id, l.item, l.cycle, count(*) AS lines
        FROM billing_line AS l WHERE {of l} AND l.kind = 'PERIOD' AND NOT {reissued l}
        GROUP BY l.customer_id, l.subscription_id, l.item, l.cycle HAVING count(*) > 1""",
        "period {cycle} has {lines} lines for the whole of {item}",
    ),
    Check(
        "lines.events", "I5", "A line for seats added, and one that adjusts use, names its events.",
        """
        SELECT l.customer_id, l.id, l.kind, l.item FROM billing_line AS l
        WHERE {of l} AND l.kind = 'ADDED' AND NOT EXISTS (
            SELECT 1 FROM line_event AS e WHERE e.customer_id = l.customer_id AND e.line_id = l.id)""",
        "this {kind} line of {item} names no event",
    ),
    Check(
        "keys.effect", "I9", "What a key is remembered to have made is there.",
        """
        SELECT k.customer_id, k.key, k.mutation FROM (
            SELECT customer_id, key, mutation, outcome ->> 'invoice' AS made FROM idempotency AS i
            WHERE {of i}
            UNION ALL
            SELECT customer_id, key, mutation, outcome ->> 'credit_note' AS made FROM idempotency AS i
            WHERE {of i}) AS k
        LEFT JOIN document AS d ON d.customer_id = k.customer_id AND d.id = CAST(k.made AS {id})
        WHERE k.made IS NOT NULL AND d.id IS NULL""",
        "the document that this key of {mutation} made is not there",
        key=("customer_id", "mutation", "key"),
    ),
    Check(
        "keys.once", "I9", "No two keys made the same document.",
        """
        SELECT k.customer_id, min(k.key) AS key, k.made, count(*) AS keys FROM (
            SELECT customer_id, key, outcome ->> 'invoice' AS made FROM idempotency AS i WHERE {of i}
            UNION ALL
            SELECT customer_id, key, outcome ->> 'credit_note' AS made FROM idempotency AS i
            WHERE {of i}) AS k
        WHERE k.made IS NOT NULL GROUP BY k.customer_id, k.made HAVING count(*) > 1""",
        "{keys} keys stand for the document {made}",
        key=("customer_id", "key"),
    ),
    Check(
        "versions.posted", "I9", "Each version of a subscription was posted once, and is in the audit.",
        """
        SELECT s.customer_id, s.id, s.version, count(p.version) AS posted,
               count(DISTINCT p.version) AS versions
        FROM subscription AS s LEFT JOIN (
            SELECT customer_id, object_id, CAST(detail ->> 'version' AS bigint) AS version
            FROM audit AS a WHERE {of a} AND action = 'subscription.posted') AS p
        ON p.customer_id = s.customer_id AND p.object_id = s.id
        WHERE {of s} GROUP BY s.customer_id, s.id, s.version
        HAVING count(p.version) <> s.version OR count(DISTINCT p.version) <> s.version
            OR max(p.version) <> s.version""",
        "at version {version}, the audit has {posted} postings of {versions} versions",
    ),
    *map(audited, AUDITED),
    Check(
        "outbox.documents", "I10", "Every document is news: the vendor is told of it.",
        """
        SELECT d.customer_id, d.id, d.number FROM document AS d WHERE {of d} AND NOT EXISTS (
            SELECT 1 FROM outbox AS o WHERE o.customer_id = d.customer_id AND o.object_id = d.id
            AND o.type = CASE d.kind WHEN 'INVOICE' THEN 'invoice.finalized'
                                     ELSE 'credit_note.finalized' END)""",
        "no news tells of {number}",
    ),
    Check(
        "outbox.sequence", "I10", "The news of an object are numbered from 1 without a gap.",
        """
        SELECT o.customer_id, o.object_id AS id, count(*) AS news, min(o.sequence) AS first,
               max(o.sequence) AS last
        FROM outbox AS o WHERE {of o} GROUP BY o.customer_id, o.object_id
        HAVING min(o.sequence) <> 1 OR max(o.sequence) <> count(*)""",
        "its {news} news are numbered from {first} to {last}",
    ),
    Check(
        "sessions.member", "I12", "A portal session is a member's.",
        """
        SELECT p.customer_id, p.member_id AS id FROM portal_session AS p
        LEFT JOIN member AS m ON m.customer_id = p.customer_id AND m.id = p.member_id
        WHERE {of p} AND m.id IS NULL""",
        "a session is open for a member who is not there",
    ),
    Check(
        "due.scheduled", "I14", "A subscription that runs is parked, or is due by the end of its period.",
        """
        SELECT s.customer_id, s.id, s.status FROM subscription AS s
        JOIN customer AS c ON c.customer_id = s.customer_id
        WHERE {of s} AND s.status IN ('ACTIVE', 'TRIALING') AND s.parked IS NULL
          AND (s.due_at IS NULL OR s.due_at > s.period_end - c.clock_offset{microseconds})""",
        "it is {status}, and nothing of it is due when its period ends",
    ),
    Check(
        "due.ended", "I14", "Nothing is due of a subscription that is over.",
        """
        SELECT s.customer_id, s.id, s.status FROM subscription AS s
        WHERE {of s} AND s.status IN ('ENDED', 'PAUSED') AND s.due_at IS NOT NULL""",
        "it is {status}, and something of it is due",
    ),
)  # fmt: skip
